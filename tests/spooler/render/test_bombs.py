"""Files made to hang, fill or mislead their reader: each ends soon, within little memory, with a reason or harmless."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from time import monotonic

import pytest

from spooler.render import AnnexFile
from spooler.render.annex.apart import SECOND_SECONDS, ApartReader, Limits
from spooler.render.annex.values import BadAnnex, NormalAnnex

from .bombs import BOMBS, JPEG, Bomb
from .builders import a_parcel, an_annex, an_image, raster, saved

LONGEST_SECONDS, MOST_BYTES = 20, 600_000_000
GEO, TIFF = "application/geo+json", "image/tiff"
POPPLER_SECONDS = 10
QUICK = [bomb for bomb in BOMBS if not bomb.is_slow]


@dataclass
class Watch:
    """What the children of our nurseries have used at most, as the kernel counts it."""

    peak_bytes: int = 0
    over: Event = field(default_factory=Event)

    def run(self) -> None:
        while not self.over.wait(0.003):
            for nursery in _children(os.getpid()):
                for child in _children(nursery):
                    self.peak_bytes = max(self.peak_bytes, _peak(child))


def _children(of: int) -> list[int]:
    try:
        return [
            int(pid) for task in Path(f"/proc/{of}/task").iterdir() for pid in (task / "children").read_text().split()
        ]
    except OSError:
        return []  # it has just ended


def _peak(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return max((int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM")), default=0)


@contextmanager
def watched() -> Iterator[Watch]:
    watch = Watch()
    thread = Thread(target=watch.run)
    thread.start()
    try:
        yield watch
    finally:
        watch.over.set()
        thread.join()


@dataclass(frozen=True)
class Burst:
    """What came of one bomb."""

    code: str | None
    normal: NormalAnnex | None
    seconds: float
    peak_bytes: int


def light(reader: ApartReader, file: AnnexFile) -> Burst:
    begun = monotonic()
    with watched() as watch:
        try:
            normal, code = reader(file), None
        except BadAnnex as e:
            normal, code = None, str(e.code)
    return Burst(code, normal, monotonic() - begun, watch.peak_bytes)


@pytest.fixture(scope="module")
def reader() -> Iterator[ApartReader]:
    """The limits of a home, its parsers loaded."""
    reader = ApartReader()
    reader(an_annex(a_parcel(), GEO))
    yield reader
    reader.close()


def check(bomb: Bomb, burst: Burst) -> None:
    assert burst.code == bomb.code
    assert burst.seconds <= LONGEST_SECONDS
    assert burst.peak_bytes <= MOST_BYTES


@pytest.mark.attack_row("S15")
@pytest.mark.parametrize("bomb", QUICK, ids=[bomb.name for bomb in QUICK])
def test_a_bomb_ends_soon_and_with_a_reason(reader, bomb):
    """Its own code, or harmless once normalised; never more time or memory than a home has for one file."""
    check(bomb, light(reader, an_annex(bomb.make(), bomb.media_type)))


TAKEN = [bomb for bomb in BOMBS if bomb.code is None]


@pytest.mark.attack_row("S15")
@pytest.mark.parametrize("bomb", TAKEN, ids=[bomb.name for bomb in TAKEN])
def test_what_is_taken_of_a_bomb_is_harmless(reader, bomb):
    """What a printer gets is drawn in a moment, and no larger than it came."""
    content = bomb.make()
    normal = reader(an_annex(content, bomb.media_type))

    begun = monotonic()
    raster(normal.pdf, dpi=72)

    assert monotonic() - begun < POPPLER_SECONDS
    assert len(normal.pdf) < len(content) + 20_000


@pytest.mark.soak
@pytest.mark.bench
def test_the_whole_corpus(reader):
    """Prints the table that stands in docs/annexes.md."""
    bursts = [(bomb, *_sized(reader, bomb)) for bomb in BOMBS]
    print("\n| file | bytes | answer | s | MB |\n|---|---:|---|---:|---:|")
    for bomb, size, burst in bursts:
        answer = f"`{burst.code}`" if burst.code else "taken"
        print(f"| {bomb.name} | {size:,} | {answer} | {burst.seconds:.2f} | {burst.peak_bytes / 1e6:.0f} |")
    for bomb, _, burst in bursts:
        check(bomb, burst)


def _sized(reader: ApartReader, bomb: Bomb) -> tuple[int, Burst]:
    content = bomb.make()
    return len(content), light(reader, an_annex(content, bomb.media_type))


@pytest.mark.attack_row("S15")
def test_there_are_enough_of_them_and_each_has_its_own_name():
    names = [bomb.name for bomb in BOMBS]

    assert len(set(names)) == len(names) >= 30


@pytest.mark.attack_row("S15")
def test_two_children_together_have_no_more_than_a_bomb_may_take():
    """A file whose reader dies is read once more, for a little while."""
    assert Limits().seconds + SECOND_SECONDS <= LONGEST_SECONDS
    assert Limits().memory_bytes <= MOST_BYTES


@pytest.mark.parametrize(
    ("size", "orientation"), [pytest.param((10_000, 8_000), 1, marks=pytest.mark.soak), ((7_000, 7_000), 6)]
)
def test_the_largest_picture_that_is_taken_has_room(reader, size, orientation):
    """80 megapixels in colour, as an archive scans a sheet; 49 where its reader must turn them."""
    exif = an_image().getexif()
    exif[0x0112] = orientation
    picture = saved(an_image("RGB", size), "TIFF", compression="packbits", exif=exif)

    burst = light(reader, an_annex(picture, TIFF, "attachment"))

    assert burst.code is None
    assert burst.peak_bytes <= MOST_BYTES


def test_a_photograph_has_as_many_scans_as_its_writer_makes(reader):
    progressive = saved(an_image(), "JPEG", progressive=True)

    assert light(reader, an_annex(progressive, JPEG)).code is None
