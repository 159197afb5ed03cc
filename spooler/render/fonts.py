"""The faces that values are printed in: one chain, first face that has the character wins. The only module that knows font files.

All are TrueType, since reportlab embeds no other outlines. The first face is loaded at once, the others when a text first
needs them (all four take 0.7 s and 200 MB). reportlab keeps its fonts for the whole process, and reads a font file with one
shared position, so a process has one `Faces` and draws under its lock.
"""

import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from reportlab.pdfbase import pdfmetrics, ttfonts

FONT_DIRECTORY = Path("/usr/share/fonts/truetype")


@dataclass(frozen=True)
class FontFile:
    """Where a face is, and the Debian package that brings it."""

    name: str
    path: str
    package: str


CHAIN = (
    FontFile("LXGW WenKai", "lxgw-wenkai/LXGWWenKai-Regular.ttf", "fonts-lxgw-wenkai"),
    FontFile("BabelStone Han", "babelstone/BabelStoneHan.ttf", "fonts-babelstone-han"),
    FontFile("HanaMinA", "hanazono/HanaMinA.ttf", "fonts-hanazono"),
    FontFile("HanaMinB", "hanazono/HanaMinB.ttf", "fonts-hanazono"),
)


class FontMissing(Exception):
    """A font file is not on this machine: an operator installs its package."""


@dataclass(frozen=True)
class Run:
    """A stretch of text in one face."""

    face: str
    text: str


class Face:
    """One loaded font."""

    def __init__(self, file: FontFile, directory: Path) -> None:
        path = directory / file.path
        if not path.is_file():
            raise FontMissing(f"{path} is missing: install the Debian package {file.package}")
        self.file = file
        self.name = file.name
        self.path = path
        self._font = ttfonts.TTFont(file.name, str(path), asciiReadable=0, shapable=False)
        pdfmetrics.registerFont(self._font)
        self._table = self._font.face
        self._table.get_table = self._get_table

    def has(self, code: int) -> bool:
        """Say whether the character has a glyph that leaves ink, or is a space."""
        glyph = self._table.charToGlyph.get(code, 0)
        if not glyph:
            return False
        position = self._table.glyphPos
        return position[glyph + 1] > position[glyph] or unicodedata.category(chr(code)) == "Zs"

    def _get_table(self, tag: str) -> "bytes | _GlyphData":
        """Return a table as reportlab does, but the outlines without copying them: 15 to 40 MB for each subset."""
        start, length = self._table.get_table_pos(tag)
        data: bytes = self._table._ttf_data
        return _GlyphData(data, start) if tag == "glyf" else data[start : start + length]

    def width(self, code: int) -> float:
        """Return the character's advance in em, rounded as the PDF's own width table is."""
        return float(self._table.getCharWidth(code)) / 1000


class _GlyphData:
    """The outlines of a font file, read glyph by glyph."""

    def __init__(self, data: bytes, start: int) -> None:
        self._data = data
        self._start = start

    def __getitem__(self, part: slice) -> bytes:
        return self._data[self._start + part.start : self._start + part.stop]


class Faces:
    """The chain. `lock` is held while a document is drawn."""

    def __init__(self, chain: tuple[FontFile, ...] = CHAIN, directory: Path = FONT_DIRECTORY) -> None:
        self.lock = threading.RLock()
        self.first = chain[0].name
        self._files = chain
        self._directory = directory
        self._loaded: dict[str, Face] = {}
        self._face_of: dict[str, Face | None] = {}
        # reportlab writes code points beyond the BMP with five digits, which read back as other characters.
        ttfonts.makeToUnicodeCMap = to_unicode_map
        self._load(chain[0])

    def face_of(self, character: str) -> Face | None:
        """Return the first face of the chain that has the character."""
        if character not in self._face_of:
            with self.lock:
                self._face_of[character] = next((face for face in self._all() if face.has(ord(character))), None)
        return self._face_of[character]

    def width(self, character: str) -> float:
        """Return a covered character's advance in em."""
        face = self.face_of(character)
        if face is None:
            raise LookupError(f"U+{ord(character):04X} is in no face")
        return face.width(ord(character))

    def runs(self, text: str) -> list[Run]:
        """Split a covered text by face."""
        return [Run(name, "".join(part)) for name, part in groupby(text, self._name_of)]

    def _name_of(self, character: str) -> str:
        face = self.face_of(character)
        return face.name if face else self.first

    def _all(self) -> Iterator[Face]:
        for file in self._files:
            yield self._load(file)

    def _load(self, file: FontFile) -> Face:
        if file.name not in self._loaded:
            self._loaded[file.name] = Face(file, self._directory)
        return self._loaded[file.name]


@lru_cache(maxsize=1)
def shared_faces() -> Faces:
    """Return the process's one chain, loaded at the first call."""
    return Faces()


def to_unicode_map(name: str, subset: list[int]) -> str:
    """Return the ToUnicode CMap of an 8-bit subset: UTF-16 beyond the BMP, at most 100 lines a block (ISO 32000-1, 9.10.3)."""
    lines = [f"<{i:02X}> <{chr(code).encode('utf-16-be').hex().upper()}>" for i, code in enumerate(subset)]
    blocks = [lines[i : i + 100] for i in range(0, len(lines), 100)]
    mapping = "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks)
    return _CMAP.format(name=name, last=len(subset) - 1, mapping=mapping)


_CMAP = """/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry ({name}) /Ordering ({name}) /Supplement 0 >> def
/CMapName /{name} def
/CMapType 2 def
1 begincodespacerange
<00> <{last:02X}>
endcodespacerange
{mapping}
endcmap
CMapName currentdict /CMap defineresource pop
end
end"""
