"""The faces that values are printed in: one chain, first face that has the character wins. The only module that knows font files.

All are TrueType, since reportlab embeds no other outlines. A template names its chain. The first face is loaded at once, the
others when a text first needs them (all four take 0.7 s and 200 MB), but that their files are there is seen at once. reportlab
keeps its fonts for the whole process, and reads a font file with one shared position: so each file is loaded once, and whatever
the chain, documents are drawn under one lock.
"""

import struct
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
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


KNOWN = tuple(file.name for file in CHAIN)
# Held while a document is drawn.
_LOCK = threading.RLock()
_GLYPH_HEAD = struct.Struct(">hhhhh")


class FontMissing(Exception):
    """A font file is not on this machine: an operator installs its package."""


@dataclass(frozen=True)
class Ink:
    """A character's bounds in em around its origin, y upwards."""

    left: float
    bottom: float
    right: float
    top: float


NO_INK = Ink(0, 0, 0, 0)


@dataclass(frozen=True)
class Run:
    """A stretch of text in one face."""

    face: str
    text: str


class Face:
    """One loaded font."""

    def __init__(self, file: FontFile, directory: Path) -> None:
        self.file = file
        self.name = file.name
        self.path = directory / file.path
        self._font = ttfonts.TTFont(file.name, str(self.path), asciiReadable=0, shapable=False)
        pdfmetrics.registerFont(self._font)
        self._table = self._font.face
        self._table.get_table = self._get_table
        self._units = int(self._table.unitsPerEm)

    def has(self, code: int) -> bool:
        """Say whether the character has a glyph that leaves ink in a room of its own, or is a space."""
        glyph = self._table.charToGlyph.get(code, 0)
        if not glyph or self.width(code) <= 0:
            return False  # without an advance it would stand on the character before it
        position = self._table.glyphPos
        return position[glyph + 1] > position[glyph] or unicodedata.category(chr(code)) == "Zs"

    def ink(self, code: int) -> Ink:
        """Return the bounds of the character's outline, as the font file states them."""
        glyph, position = self._table.charToGlyph[code], self._table.glyphPos
        if position[glyph + 1] == position[glyph]:
            return NO_INK
        start = self._table.get_table_pos("glyf")[0] + position[glyph]
        _, *bounds = _GLYPH_HEAD.unpack_from(self._table._ttf_data, start)
        return Ink(*(bound / self._units for bound in bounds))

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
    """A chain. `lock` is held while a document is drawn."""

    def __init__(self, chain: tuple[FontFile, ...] = CHAIN, directory: Path = FONT_DIRECTORY) -> None:
        for file in chain:
            if not (directory / file.path).is_file():
                raise FontMissing(f"{directory / file.path} is missing: install the Debian package {file.package}")
        self.lock = _LOCK
        self.first = chain[0].name
        self._files = chain
        self._directory = directory
        self._face_of: dict[str, Face | None] = {}
        self._ink_of: dict[str, Ink] = {}
        # reportlab writes code points beyond the BMP with five digits, which read back as other characters.
        ttfonts.makeToUnicodeCMap = to_unicode_map
        with self.lock:
            _load(chain[0], directory)

    def face_of(self, character: str) -> Face | None:
        """Return the first face of the chain that has the character."""
        if character not in self._face_of:
            with self.lock:
                self._face_of[character] = next((face for face in self._all() if face.has(ord(character))), None)
        return self._face_of[character]

    def width(self, character: str) -> float:
        """Return a covered character's advance in em."""
        return self._must_have(character).width(ord(character))

    def ink(self, character: str) -> Ink:
        """Return a covered character's bounds in em."""
        if character not in self._ink_of:
            self._ink_of[character] = self._must_have(character).ink(ord(character))
        return self._ink_of[character]

    def runs(self, text: str) -> list[Run]:
        """Split a covered text by face."""
        return [Run(name, "".join(part)) for name, part in groupby(text, self._name_of)]

    def _must_have(self, character: str) -> Face:
        face = self.face_of(character)
        if face is None:
            raise LookupError(f"U+{ord(character):04X} is in no face")
        return face

    def _name_of(self, character: str) -> str:
        face = self.face_of(character)
        return face.name if face else self.first

    def _all(self) -> Iterator[Face]:
        for file in self._files:
            yield _load(file, self._directory)


@cache
def _load(file: FontFile, directory: Path) -> Face:
    """Return the face, loaded once in a process. Called under the lock."""
    return Face(file, directory)


@cache
def shared_faces(names: tuple[str, ...] = KNOWN) -> Faces:
    """Return the process's one chain of these faces; its first face is loaded at the first call."""
    files = {file.name: file for file in CHAIN}
    return Faces(tuple(files[name] for name in names))


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
