"""The face as drawn: every text of every sample, every annex fit for an archive, long texts on further pages; faces checked at start."""

import json
import shutil
from dataclasses import replace
from hashlib import sha256
from io import BytesIO

import page
import pikepdf
import pytest

from spooler.render import BadTemplate, find_templates
from spooler.render.electronic import Facts
from spooler.render.face import load_faces
from spooler.sandbox import samples
from tests.spooler.electronic.pictures import draw
from tests.spooler.render.builders import (
    a_content,
    a_parcel,
    a_pdf,
    an_annex,
    an_image,
    changed_pdf,
    raster,
    saved,
    squeezed,
    text_of,
)

RELEASED = {
    "certificate-electronic/1": "b00e50600d179066bceed98cc014f1a557ac9f943045f6661a55b290fcbd910e",
    "proof-electronic/1": "cb245f1183b518cb64d9879459f85673a9070c9544dd8c3f6414fceb923cb0f7",
    "certificate-electronic/2": "b41ea6f0e9e71120bf78d688f90661157129518ad79305eebb791619c2b3f8ce",
    "proof-electronic/2": "33a482af7512bae01c397975048a4cf560cd9baa2d12b21337fb625c8badd095",
}
IDENTIFIER = "1.2.156.3005.2.11100000MB03271699001.11231221MB00000012.000000016.002.8"
RARE = "㛃䶮𬭎𬬭𫖯𣲗𡋾𬀩𠅤𫚖"


def failures(pdf: bytes) -> list[str]:
    report = page.validate_pdf_bytes(pdf, profile=page.ValidationProfile.PDF_A_3B)
    return [f"{failure.rule_id}: {failure.message}" for failure in report.failures]


def pages(pdf: bytes) -> int:
    with pikepdf.open(BytesIO(pdf)) as document:
        return len(document.pages)


@pytest.mark.parametrize("name", sorted(RELEASED))
def test_a_released_face_never_changes(name):
    """A certificate that is issued anew looks as it did: a changed face is a new version."""
    assert sha256((find_templates() / name / "face.toml").read_bytes()).hexdigest() == RELEASED[name]


def test_every_sample_is_drawn_and_no_rule_fails(faces):
    """Of the kinds that have a face: what is printed on plain paper has none."""
    good = sorted((samples.directory() / "good").glob("*.json"))
    shown = [path for path in good if json.loads(path.read_bytes())["document"]["kind"] in faces.kinds]

    assert len(shown) > 12
    for sample in shown:
        assert failures(draw(faces, sample.stem, False)) == [], sample.stem


def test_rare_names_read_back_as_themselves(faces):
    drawn = faces.draw(a_content(holder=RARE))

    assert RARE in text_of(drawn)
    assert failures(drawn) == []


@pytest.mark.parametrize("kind", ["certificate", "proof"])
def test_every_field_has_its_row(faces, kind):
    content = a_content(kind)

    found = text_of(faces.draw(content))

    for value in content.fields.values():
        assert squeezed(value) in found


def test_a_long_text_goes_on_upon_further_pages_and_nothing_is_lost(faces):
    """4,000 characters of 附记 are more than the booklet holds; the face holds them all, and says that it goes on."""
    sentences = "".join(f"第{number}条记载于此。" for number in range(1, 420))
    content = a_content(notes=sentences[:4000], other="逐项列明。" * 100)

    drawn = faces.draw(content)

    texts = [squeezed(text_of(drawn, "-raw", "-f", str(n), "-l", str(n))) for n in range(1, pages(drawn) + 1)]
    assert len(texts) >= 3 and "续页" in texts[0]
    assert all("续页" in text for text in texts[1:])
    head = f"样张{content.number.text('certificate')}续页"
    read = "".join(texts).replace("样张", "").replace(head.removeprefix("样张"), "").replace("附记（续）", "")
    assert content.fields["notes"] in read.replace("权利其他状况（续）", "")
    assert failures(drawn) == []


def test_nothing_stands_outside_the_table(faces):
    """The last line of a full table keeps off its edge: measured on the raster, below the table there is paper."""
    drawn = faces.draw(replace(a_content(notes="附记内容" * 140), qr=""), Facts(identifier="1.2.3"))

    below = raster(drawn, 1, 150, box=(98, 185.6, 182, 2.4))

    assert below.convert("L").getextrema()[0] > 120


@pytest.mark.parametrize("kind", ["certificate", "proof"])
def test_what_identifies_the_file_stands_on_white_paper(faces, kind):
    """Between table and border, with room on both sides: neither a rule nor a wave of the border runs through it."""
    drawn = faces.draw(a_content(kind), Facts(identifier=IDENTIFIER, note="本电子证照已于2026年11月22日注销"))

    foot = raster(drawn, 1, 300, box=(20, 185.4, 257, 9.4)).convert("L")
    rows = [foot.crop((0, y, foot.width, y + 1)).getextrema()[0] for y in range(foot.height)]
    inked = [y for y, darkest in enumerate(rows) if darkest < 245]

    assert foot.crop((foot.width // 2, 0, foot.width // 2 + 400, foot.height)).getextrema()[0] < 120
    mm = 300 / 25.4
    assert inked[0] / mm > 1.5 and (foot.height - inked[-1]) / mm > 1.5
    assert (inked[-1] - inked[0]) / mm < 4


def cmyk_pdf() -> bytes:
    return changed_pdf(a_pdf(), lambda pdf: pdf.pages[0].contents_add(b"0 1 1 0 k 100 100 200 200 re f"))


def lying_widths() -> bytes:
    def change(pdf: pikepdf.Pdf) -> None:
        for value in pdf.objects:
            if isinstance(value, pikepdf.Dictionary) and value.get("/Type") == "/Font":
                value.Widths = pikepdf.Array([999] * len(value.Widths))

    return changed_pdf(a_pdf(), change)


@pytest.mark.parametrize(
    "annex",
    [
        an_annex(saved(an_image("CMYK"), "JPEG"), "image/jpeg", "unit_plan"),
        an_annex(cmyk_pdf()),
        an_annex(lying_widths()),
    ],
    ids=["cmyk-jpeg", "cmyk-pdf", "lying-widths"],
)
def test_what_no_archive_takes_becomes_a_picture(faces, monkeypatch, annex):
    """With the remedy off the validator objects: so it is the remedy that makes it conform."""
    content = a_content("certificate", annex)

    assert failures(faces.draw(content)) == []
    monkeypatch.setattr("spooler.render.electronic.archivable", lambda annex: annex)
    assert failures(faces.draw(content)) != []


def test_what_an_archive_takes_passes_through(faces):
    """The map's own font is still there: it was not turned into a picture."""
    drawn = faces.draw(a_content("certificate", an_annex(a_pdf())))

    assert "Parcel" in text_of(drawn, "-f", "2")


def test_lists_follow_the_way_they_are_read(faces):
    """A landscape list is not turned on its side: it is read on a screen."""
    drawn = faces.draw(a_content("certificate", an_annex(a_pdf((420, 297), pages=2), role="attachment")))

    with pikepdf.open(BytesIO(drawn)) as pdf:
        sizes = [
            (round(float(one.mediabox[2]) / 72 * 25.4), round(float(one.mediabox[3]) / 72 * 25.4)) for one in pdf.pages
        ]
    assert sizes == [(297, 210)] * 3


def test_a_parcel_is_drawn_by_us(faces):
    drawn = faces.draw(a_content("certificate", an_annex(a_parcel(), "application/geo+json")))

    assert "J1" in text_of(drawn, "-f", "2") and failures(drawn) == []


def test_what_is_no_certificate_says_so(faces):
    """Without a key and an identifier it is a specimen, over every page."""
    drawn = faces.draw(a_content("certificate", an_annex(a_pdf())))

    assert all("样张" in text_of(drawn, "-f", str(n), "-l", str(n)) for n in (1, 2))
    assert "样张" not in text_of(faces.draw(a_content(), Facts(identifier="1.2.3")))


def test_the_same_content_gives_the_same_bytes(faces):
    assert faces.draw(a_content()) == faces.draw(a_content())


def test_a_very_long_registry_name_stands_whole(faces):
    name = "某某自治区某某自治州某某自治县自然资源和规划局不动产登记服务中心第一分中心"

    assert name in text_of(faces.draw(replace(a_content(), registry_name=name)))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("strands = 6", "strands = 600", "ornament.border.strands"),
        ("size = 26", "sise = 26", "title"),
        ("height = 144", "height = 20", "table.height"),
        ("x = 16\ny = 30\nwidth = 265", "x = 116\ny = 30\nwidth = 265", "frame"),
        ('kind = "certificate"', 'kind = "proof"', "proof-electronic/1"),
    ],
)
def test_a_fault_in_a_face_is_named_with_its_file(tmp_path, old, new, says):
    shutil.copytree(find_templates(), tmp_path, dirs_exist_ok=True)
    path = tmp_path / "certificate-electronic/1/face.toml"
    source = path.read_text(encoding="utf-8")
    assert old in source
    path.write_text(source.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(BadTemplate) as caught:
        load_faces(tmp_path)

    assert str(path) in str(caught.value) and says in str(caught.value)


def test_a_sites_own_face_is_taken_instead(tmp_path):
    shutil.copytree(find_templates() / "proof-electronic/1", tmp_path / "proof-electronic/7")
    path = tmp_path / "proof-electronic/7/face.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("version = 1", "version = 7", 1), encoding="utf-8")

    faces = load_faces(find_templates(), tmp_path)

    assert {kind: face.version for kind, face in faces.items()} == {"certificate": 2, "proof": 7}
