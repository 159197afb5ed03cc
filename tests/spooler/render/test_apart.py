"""Foreign files are parsed in a process apart: whatever one does to its parser, its request is refused and the home goes on."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import pytest

from spooler.render import AnnexFile, Renderer, Unprintable, find_templates
from spooler.render.annex.apart import ApartReader, Limits
from spooler.render.annex.normal import normalise
from spooler.render.annex.values import BadAnnex

from .builders import a_parcel, a_pdf, an_annex, an_image, only, saved

LITTLE = Limits(memory_bytes=1 << 30, seconds=1.5)
MISBEHAVING = "tests.spooler.render.misbehaving"
GEO = "application/geo+json"


@pytest.fixture
def reader() -> Iterator[ApartReader]:
    reader = ApartReader(LITTLE, program=MISBEHAVING)
    yield reader
    reader.close()


def a_file_that(deed: str) -> AnnexFile:
    return an_annex(b"{" + deed.encode(), media_type=GEO)


def children(of: int) -> list[int]:
    return [int(pid) for tid in Path(f"/proc/{of}/task").iterdir() for pid in (tid / "children").read_text().split()]


def nurseries() -> list[int]:
    return [pid for pid in children(os.getpid()) if b"annex.child" in Path(f"/proc/{pid}/cmdline").read_bytes()]


@pytest.mark.fault_row("F41")
@pytest.mark.parametrize(
    ("deed", "code"),
    [
        ("hangs", "annex-too-complex"),
        ("spins", "annex-too-complex"),
        ("eats", "annex-too-complex"),
        ("crashes", "annex-unreadable"),
        ("raises", "annex-unreadable"),
        ("lies", "annex-unreadable"),
        ("writes", "annex-unreadable"),
    ],
)
def test_a_file_that_is_too_much_for_its_parser_is_refused_and_nothing_else_is(reader, deed, code):
    """The request names its annex; the next request prints; no process stays behind."""
    renderer = Renderer(find_templates(), read=reader)
    good = an_annex(a_pdf())

    with pytest.raises(Unprintable) as caught:
        renderer.print_document(replace(only("certificate"), annexes=(a_file_that(deed),)))

    assert [(f.field, f.code) for f in caught.value.findings] == [("annexes.0", code)]
    assert renderer.print_document(replace(only("certificate"), annexes=(good,))).pdf.startswith(b"%PDF-")
    assert [child for nursery in nurseries() for child in children(nursery)] == []


@pytest.mark.fault_row("F41")
def test_a_home_reads_no_foreign_file_in_its_own_process(renderer):
    """What a renderer does when nobody says how to read."""
    renderer.print_document(replace(only("certificate"), annexes=(an_annex(a_pdf()),)))

    assert len(nurseries()) == 1


@pytest.mark.fault_row("F41")
def test_a_picture_that_needs_more_memory_than_there_is_for_it_is_refused():
    reader = ApartReader(Limits(memory_bytes=300 << 20))
    picture = an_annex(saved(an_image("RGB", (8000, 5000)), "TIFF"), media_type="image/tiff", role="attachment")

    with pytest.raises(BadAnnex) as caught:
        reader(picture)

    assert caught.value.code == "annex-too-complex"
    reader.close()


def test_a_child_that_somebody_killed_is_no_fault_of_its_file():
    """The machine may be short of memory for a moment: the file is read by another child."""
    reader = ApartReader()
    wanted, found = (
        an_annex(saved(an_image("RGB", (6000, 6000)), "TIFF"), media_type="image/tiff", role="attachment"),
        [],
    )
    thread = Thread(target=lambda: found.append(reader(wanted)))
    thread.start()
    kill_a_child()
    thread.join()
    reader.close()

    assert [side.width for side in found[0].sides] == [side.width for side in normalise(wanted).sides]


def kill_a_child() -> None:
    deadline = monotonic() + 20
    while monotonic() < deadline:
        for nursery in children(os.getpid()):
            for child in children(nursery):
                os.kill(child, signal.SIGKILL)
                return
        sleep(0.002)
    raise AssertionError("no child was seen")


def test_a_nursery_that_was_killed_is_followed_by_another(reader):
    reader(a_parcel_file())
    (nursery,) = [pid for pid in children(os.getpid()) if b"misbehaving" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(nursery, signal.SIGKILL)

    assert reader(a_parcel_file()).parcel is not None


def test_what_comes_back_is_what_was_read(reader):
    """The border loses nothing: pages, pictures, parcels, notes."""
    files = [
        an_annex(a_pdf((210, 297), pages=2), role="attachment"),
        an_annex(saved(an_image("RGB", (300, 200)), "PNG"), media_type="image/png"),
        a_parcel_file(),
    ]

    assert [reader(file) for file in files] == [normalise(file) for file in files]


def test_an_annex_is_read_in_a_moment(reader):
    """Half a second buys the parsers once, then a child costs some milliseconds."""
    reader(a_parcel_file())

    begun = monotonic()
    for _ in range(20):
        reader(a_parcel_file())

    assert (monotonic() - begun) / 20 < 0.3


def a_parcel_file() -> AnnexFile:
    return an_annex(a_parcel(), media_type=GEO)
