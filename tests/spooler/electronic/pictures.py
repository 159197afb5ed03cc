"""Draws the pictures of docs/electronic.md: `python -m tests.spooler.electronic.pictures DIRECTORY` (`make pictures` runs it)."""

import sys
from io import BytesIO
from pathlib import Path

from PIL import Image

from spooler.electronic.identifier import Identity
from spooler.intake.check import content_of, read_request
from spooler.render import find_templates
from spooler.render.electronic import ElectronicRenderer, Facts
from spooler.sandbox import samples
from tests.spooler.render.builders import raster

SHOWN = {  # picture: sample, page, is withdrawn
    "electronic-certificate": ("house", 1, False),
    "electronic-annex": ("house", 2, False),
    "electronic-withdrawn": ("homestead", 1, True),
    "electronic-proof": ("mortgage", 1, False),
}
DOTS, COLOURS = 75, 192  # the seal is red on few dots: fewer colours lose it


def draw(renderer: ElectronicRenderer, sample: str, is_withdrawn: bool) -> bytes:
    body = (samples.directory() / "good" / f"{sample}.json").read_bytes()
    annexes = {path.name: path.read_bytes() for path in (samples.directory() / "annexes").iterdir()}
    wanted = {name: content for name, content in annexes.items() if name.encode() in body}
    content = content_of(read_request(body, wanted), "望奎县自然资源局")
    facts = Facts(
        identifier=Identity(content.kind, "11231221MB00000012", 16).identifier(2 if is_withdrawn else 1),
        address="https://zs.example.gov.cn/verify/abcdefghijklmnopqrstuvwxyz",
        mark="已注销" if is_withdrawn else "",
        note="本电子证照已于2026年11月22日注销" if is_withdrawn else "",
    )
    return renderer.draw(content, facts)


def main(directory: Path) -> None:
    renderer = ElectronicRenderer(find_templates())
    for name, (sample, page, is_withdrawn) in SHOWN.items():
        picture = raster(draw(renderer, sample, is_withdrawn), page, DOTS, colour=True)
        out = BytesIO()
        picture.quantize(COLOURS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
        (directory / f"{name}.png").write_bytes(out.getvalue())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
