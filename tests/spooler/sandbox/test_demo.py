"""The demo's pieces: what it asks for, what it shows, what it keeps."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image
from rich.console import Console

from spooler.render.template import find_templates
from spooler.sandbox.demo import contact_sheet, script, summary
from spooler.sandbox.demo.board import Board
from spooler.sandbox.demo.paper import Side
from spooler.sandbox.demo.stage import Run
from spooler.sandbox.demo.words import EN, LANGUAGES, ZH
from spooler.wire.messages import Stock

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def a_job(errand, state="issued", seconds=3.0):
    return {
        "request_id": errand.request_id,
        "state": state,
        "serial": "D23001000001",
        "created_at": START.isoformat(),
        "updated_at": (START + timedelta(seconds=seconds)).isoformat(),
        "orders": [],
    }


def a_run(state="issued"):
    errands = script.errands()
    return Run(errands, {errand.request_id: a_job(errand, state) for errand in errands})


def shown(run, height=60, is_terminal=True):
    """Return what a terminal of this height shows at the end of a run."""
    out = io.StringIO()
    console = Console(file=out, width=140, height=height, force_terminal=is_terminal, color_system=None)
    Board(console, ZH).follow(run, [None])
    return out.getvalue()


def test_both_languages_say_the_same_things():
    assert ZH.keys() == EN.keys()
    assert next(iter(LANGUAGES)) == "zh"


def test_the_township_point_gets_only_what_its_single_printer_prints():
    sent = [errand.kind for errand in script.errands() if errand.body["hall"] == script.TOWNSHIP]

    assert sent and set(sent) == {"proof"}


def test_every_errand_goes_from_a_registry_to_a_hall_of_the_demo():
    assert {errand.body["registry"] for errand in script.errands()} == set(script.REGISTRIES)
    assert {errand.body["hall"] for errand in script.errands()} == {*script.HALLS, script.TOWNSHIP}


def test_an_errand_is_called_by_its_number_however_the_request_names_its_parts():
    numbers = [errand.number for errand in script.errands()]

    assert "黑（2025）望奎县不动产权第0000117号" in numbers  # field-codes.json
    assert len(set(numbers)) == len(numbers)


def test_the_board_shows_every_job_with_its_way_and_serial():
    text = shown(a_run())

    assert text.count("●●●●●●● 已发证") == len(script.errands())
    assert "D23001000001" in text
    assert len(script.errands()) >= 24
    assert f"{len(script.errands())}/{len(script.errands())}" in text


def test_a_small_terminal_sees_those_that_are_on_the_way():
    run = a_run()
    late = run.errands[0]
    run.jobs[late.request_id] = a_job(late, "printing")

    text = shown(run, height=15)

    assert late.number in text
    assert text.count("已发证") < 10


def test_without_a_terminal_each_change_is_a_line():
    lines = shown(a_run(), is_terminal=False).splitlines()

    assert len(lines) == len(script.errands())
    assert all("已发证" in line for line in lines)


def test_the_summary_counts_paper_not_hopes():
    run = a_run()
    sides = [a_side(number=n, serial="D23001000001") for n in (1, 2)] + [a_side(stock=Stock.PLAIN, serial=None)]
    history = {"accepted": START, "issued": START + timedelta(seconds=4)}

    told = summary.summarise(run, sides, 7, [history, history])

    assert (told.issued, told.sides, told.serials, told.callbacks) == (len(run.errands), 3, ("D23001000001",), 7)
    assert (told.stretches[-1].median, told.stretches[-1].most) == (4.0, 4.0)


def a_side(number=1, stock=Stock.CERTIFICATE, serial="D23001000001", pdf=None):
    return Side("231282-01", "booklet-1", stock, pdf, "order", number, serial)


@pytest.fixture
def blank():
    return find_templates() / "certificate" / "1" / "blank.pdf"


def test_a_side_lies_over_its_blank_unscaled(blank):
    """What was printed is multiplied onto the blank as inks are: printed with the blank itself, every line falls on its own."""
    once = image_of(contact_sheet.picture(a_side(serial=None, pdf=blank), "certificate"))

    assert once.size == (1308, 941)  # 332 × 239 mm at 100 dpi
    assert Image.Image.getextrema(once.convert("L"))[0] < 200


def test_the_factory_put_the_serial_on_the_first_side(blank):
    with_serial = contact_sheet.picture(a_side(pdf=blank), "certificate")
    without = contact_sheet.picture(a_side(pdf=blank, serial=None), "certificate")

    assert with_serial != without


def test_the_contact_sheet_needs_nothing_but_itself(tmp_path, blank):
    """One file: its pictures are in it, and it asks no server for anything."""
    page = tmp_path / "contact-sheet.html"
    card = contact_sheet.Card("黑（2025）<望奎县>", ("证书",), "certificate", (a_side(pdf=blank),))

    contact_sheet.write(page, [card], title="每一面", lead="…", tiles=[("发证", "1")], words=ZH)

    text = page.read_text()
    assert text.count("data:image/webp;base64,") == 1
    assert "&lt;望奎县&gt;" in text
    assert not any(word in text for word in ("http:", "https:", "$"))


def image_of(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))
