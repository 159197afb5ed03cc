"""Every field can be read back from the sheet, by more than one reader, and after the print filters had it."""

import json
import os
import subprocess
from dataclasses import replace
from io import BytesIO

import pikepdf
import pypdf
import pytest

from .builders import a_content, an_annex, content_of, only, shared_samples, squeezed, text_of

RARE = "㛃䶮𬭎𬬭𫖯𣲗𡋾𬀩𠅤𫚖"
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫"
EXTREMES = {
    "rare names": a_content(holder="㛃䶮、𬭎𬬭、𫖯𣲗、𡋾𬀩、𠅤𫚖"),
    "twelve holders": a_content(
        holder="、".join(f"{name}某" for name in SURNAMES),
        co_ownership="按份共有 " + " ".join(f"{name}某 1/12" for name in SURNAMES),
    ),
    "long names": a_content(
        holder="阿卜杜热合曼·买买提吐尔逊、Maximiliana Wolfeschlegelsteinhausenbergerdorff", term=""
    ),
    "long location": a_content(
        location="人民大街东侧、文化路南侧、站前路西侧综合楼1B-商业-4号[4-24-99-82]及地下车库负一层B1-0173号车位"
    ),
    "long notes": a_content(
        notes="\n".join(
            f"{i}、四至：东至道路，西至李四宅，南至王五宅，北至村道；原证号第{i:08d}号，收回注销。"
            for i in range(1, 29)
        ),
        other="\n".join(f"房屋{i}：第{i}层，建筑面积{i}0.12㎡" for i in range(1, 15)),
    ),
    "several uses": a_content(usage="商业服务\n住宅\n车库"),
    "proof": a_content("proof", holder="中国邮政储蓄银行股份有限公司黑龙江省绥化市望奎县支行营业部个人贷款中心" + RARE),
}


@pytest.fixture(params=EXTREMES.values(), ids=EXTREMES.keys())
def content(request):
    return request.param


@pytest.mark.parametrize("options", [(), ("-raw",)], ids=["default", "raw"])
def test_poppler_finds_every_field_in_one_piece(renderer, content, options):
    found = text_of(renderer.print_document(content).pdf, *options)

    assert [key for key, value in content.fields.items() if squeezed(value) not in found] == []


def test_pypdf_finds_every_field_in_one_piece(renderer, content):
    reader = pypdf.PdfReader(BytesIO(renderer.print_document(content).pdf))
    found = squeezed("".join(page.extract_text() for page in reader.pages))

    assert [key for key, value in content.fields.items() if squeezed(value) not in found] == []


def test_fields_survive_the_print_filter(renderer, content):
    """CUPS's pdftopdf rewrites pages into form XObjects; the sheet must still read the same."""
    rendered = renderer.print_document(content)
    side = rendered.passes[0]
    options = f"PageSize=Custom.{side.width_mm:g}x{side.height_mm:g}mm print-scaling=none"
    command = ["/usr/lib/cups/filter/pdftopdf", "1", "user", "title", "1", options]
    filtered = subprocess.run(command, input=rendered.pdf, capture_output=True, env={**os.environ, "PPD": ""})
    assert filtered.returncode == 0, filtered.stderr[-500:]

    found = text_of(filtered.stdout)
    assert [key for key, value in content.fields.items() if squeezed(value) not in found] == []


def test_fields_survive_being_written_anew(renderer, content):
    """Sealing writes the file anew; object streams change nothing."""
    out = BytesIO()
    with pikepdf.open(BytesIO(renderer.print_document(content).pdf)) as pdf:
        pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate, recompress_flate=True)

    found = text_of(out.getvalue())
    assert [key for key, value in content.fields.items() if squeezed(value) not in found] == []


def test_rare_names_read_back_as_themselves(renderer):
    """Beyond the BMP a careless ToUnicode table gives another character: in a name, another person."""
    pdf = renderer.print_document(only(holder=RARE)).pdf

    assert RARE in text_of(pdf)
    assert RARE in "".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(pdf)).pages)


def test_a_page_with_many_different_characters_reads_back(renderer):
    """More than 255 of them take several subsets of the face."""
    many = "".join(chr(0x4E00 + i) for i in range(700))

    assert many in text_of(renderer.print_document(only(notes=many)).pdf)


def test_an_empty_field_prints_nothing(renderer):
    content = a_content(term="")

    assert "使用期限" not in text_of(renderer.print_document(content).pdf)
    assert only().fields == {}


def test_only_variable_text_is_printed(renderer):
    """Labels stand on the blank; printed again they would double."""
    found = text_of(renderer.print_document(only(holder="张三")).pdf)

    assert sorted(found) == sorted("黑2024望奎县0001234张三20241115")


def test_every_font_is_embedded(renderer):
    listing = subprocess.run(
        ["pdffonts", "-"], input=renderer.print_document(a_content(holder=RARE)).pdf, capture_output=True, check=True
    ).stdout.decode()

    fonts = listing.splitlines()[2:]
    assert fonts and all(font.split()[-5] == "yes" and "Helvetica" not in font for font in fonts), listing


def test_the_shared_samples_print_and_read_back(renderer):
    """The samples beside the checkout, where there are some."""
    for path in shared_samples():
        request = json.loads(path.read_text(encoding="utf-8"))
        content = content_of_request(request, path.parents[1] / "annexes")
        found = text_of(renderer.print_document(content).pdf)
        assert [key for key, value in content.fields.items() if squeezed(value) not in found] == [], path.name


CODES = {
    "certificate": {
        **{"qlr": "holder", "gyqk": "co_ownership", "zl": "location", "bdcdyh": "unit_number", "qllx": "right_type"},
        **{"qlxz": "right_nature", "yt": "usage", "mj": "area", "syqx": "term", "qlqtzk": "other", "fj": "notes"},
    },
    "proof": {},
}


def content_of_request(request, annexes):
    document = request["document"]
    names = CODES[document["kind"]]
    fields = {names.get(key, key): value for key, value in document["fields"].items()}
    sample = {**document, "registry_name": "样例县自然资源局", "seal": request.get("seal", "stamped"), "fields": fields}
    files = tuple(
        an_annex((annexes / entry["name"]).read_bytes(), entry["media_type"], entry["role"])
        for entry in request["annexes"]
    )
    return replace(content_of(sample, document["kind"]), annexes=files)
