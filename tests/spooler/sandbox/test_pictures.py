"""The pictures in docs show what is printed today, and are small."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from spooler.sandbox.pictures import all_pictures, as_png

PICTURES = Path(__file__).parents[3] / "docs" / "pictures"
MOST_BYTES = 150_000
# Poppler's editions smooth type differently; what stands elsewhere, or is gone, differs by far more.
MOST_DIFFERENCE = 20


@pytest.mark.parametrize("name", all_pictures())
def test_a_picture_shows_what_is_drawn(name):
    """`make pictures` makes them anew."""
    kept = PICTURES / name
    assert kept.is_file() and kept.stat().st_size < MOST_BYTES

    drawn = Image.open(BytesIO(as_png(all_pictures()[name]())))

    assert difference(Image.open(kept), drawn) < MOST_DIFFERENCE, f"{name} is out of date: make pictures"


def test_every_picture_is_shown_on_a_page():
    pages = "".join(page.read_text(encoding="utf-8") for page in PICTURES.parent.rglob("*.md"))

    assert [name for name in all_pictures() if name not in pages] == []


def test_a_moved_line_would_be_noticed():
    """The measure is fine enough."""
    drawn = all_pictures()["proof-print.png"]()

    assert difference(drawn, ImageChops.offset(drawn, 12, 0)) > MOST_DIFFERENCE


def difference(one, other):
    """Return the mean difference of two pictures in 255 steps, at a quarter of their size."""
    small = [image.convert("L").reduce(4) for image in (one, other)]
    assert small[0].size == small[1].size
    # Most of a page is white: what matters is where either has ink.
    difference, ink = ImageChops.difference(*small), ImageChops.darker(*small).point(lambda value: 255 * (value < 250))
    return ImageStat.Stat(difference, ink).mean[0]
