"""The contact sheet: one self-contained HTML page with every printed side laid over its blank, as a person would hold it."""

import base64
import io
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from string import Template as Page

from PIL import Image, ImageChops, ImageDraw, ImageFont

from spooler.render.template import Template, find_templates, load_templates
from spooler.sandbox.demo.paper import Side
from spooler.wire.messages import Stock

DPI = 100
QUALITY = 80
PDFTOPPM = "/usr/bin/pdftoppm"
FONT = "/usr/share/fonts/truetype/lxgw-wenkai/LXGWWenKai-Regular.ttf"
SERIAL_INCHES = 0.17
INK = (150, 30, 30)


@dataclass(frozen=True)
class Card:
    """One job on the page."""

    title: str
    lines: tuple[str, ...]
    kind: str
    sides: tuple[Side, ...]


def write(
    path: Path,
    cards: Sequence[Card],
    *,
    title: str,
    lead: str,
    tiles: Sequence[tuple[str, str]],
    words: Mapping[str, str],
) -> None:
    """Write the page."""
    with ThreadPoolExecutor(2) as pool:
        pictures = list(pool.map(lambda card: [picture(side, card.kind) for side in card.sides], cards))
    page = Page(Path(__file__).with_name("contact-sheet.html").read_text(encoding="utf-8"))
    path.write_text(
        page.substitute(
            title=escape(title),
            lead=escape(lead),
            tiles="".join(f"<div><b>{escape(value)}</b><span>{escape(name)}</span></div>" for name, value in tiles),
            cards="".join(_card(card, images, words) for card, images in zip(cards, pictures, strict=True)),
        ),
        encoding="utf-8",
    )


def _card(card: Card, images: Sequence[bytes], words: Mapping[str, str]) -> str:
    lines = "".join(f"<span>{escape(line)}</span>" for line in card.lines)
    figures = "".join(_figure(side, image, words) for side, image in zip(card.sides, images, strict=True))
    return f'<article class="{escape(card.kind)}"><h2>{escape(card.title)}</h2><p>{lines}</p><div>{figures}</div></article>'


def _figure(side: Side, image: bytes, words: Mapping[str, str]) -> str:
    caption = words["plain"] if side.stock is Stock.PLAIN else words["pass"].format(side.number)
    source = base64.b64encode(image).decode()
    return (
        f'<figure class="{side.stock}"><img alt="{escape(caption)}" src="data:image/webp;base64,{source}">'
        f"<figcaption>{escape(caption)} · {escape(side.printer)}</figcaption></figure>"
    )


def picture(side: Side, kind: str) -> bytes:
    """Return the side as it looks: what was printed, multiplied onto the blank as inks are. Nothing is scaled to fit."""
    paper = _paper(side, kind)
    printed = _page(side.pdf, 1)
    if paper is None:
        return _webp(printed)
    overprint = Image.new("RGB", paper.size, "white")
    overprint.paste(printed)
    return _webp(ImageChops.multiply(paper, overprint))


def _paper(side: Side, kind: str) -> Image.Image | None:
    """Return the blank before it was printed, with its serial where the factory put it; None for plain paper."""
    if side.stock is Stock.PLAIN:
        return None
    template = _template(kind)
    if template.blank is None:
        return None
    paper = _page(template.directory / "blank.pdf", side.number)
    place = template.blank.serial
    if side.serial and place.on == template.passes[side.number - 1].name:
        font = ImageFont.truetype(FONT, round(DPI * SERIAL_INCHES))
        ImageDraw.Draw(paper).text((_dots(place.x), _dots(place.y)), side.serial, fill=INK, font=font, anchor="ls")
    return paper


def _dots(mm: float) -> int:
    return round(mm / 25.4 * DPI)


@cache
def _template(kind: str) -> Template:
    """Return the newest version of this kind: the one that a new sandbox prints."""
    ours = [template for template in load_templates(find_templates()).values() if template.kind == kind]
    return max(ours, key=lambda template: template.version)


def _page(pdf: Path, page: int) -> Image.Image:
    command = [PDFTOPPM, "-r", str(DPI), "-f", str(page), "-l", str(page), "-png", str(pdf)]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    return Image.open(io.BytesIO(done.stdout)).convert("RGB")


def _webp(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "WEBP", quality=QUALITY)
    return out.getvalue()
