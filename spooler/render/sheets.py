"""Step 2b: draw a layout as PDF pages of the stock's true size. The only module that imports reportlab's canvas."""

from collections.abc import Iterable
from io import BytesIO
from math import cos, radians, sin
from typing import Protocol

from reportlab import rl_config
from reportlab.lib.colors import HexColor
from reportlab.pdfgen.canvas import Canvas

from spooler.render.fonts import Faces
from spooler.render.layout import MM, Placed
from spooler.render.leaf import Leaf
from spooler.render.parcel.paper import Lettering, Stroke
from spooler.render.parcel_drawing import ParcelDrawing
from spooler.render.qr import Bar
from spooler.render.red_seal import seal_drawing
from spooler.render.template import RedSeal

SEAL_RED = HexColor(0xC8102E)


class Sized(Protocol):
    """Paper, in mm."""

    @property
    def width(self) -> float: ...

    @property
    def height(self) -> float: ...


class Pages:
    """A PDF in the making. Held under the faces' lock from the first text to `to_bytes`."""

    def __init__(self, faces: Faces) -> None:
        self._faces = faces
        # reportlab would write page streams as text, in plain Python: half a millisecond and a quarter more bytes.
        rl_config.useA85 = 0
        self._buffer = BytesIO()
        self._canvas = Canvas(self._buffer, invariant=1, initialFontName=faces.first, pageCompression=1)
        self._canvas._doc.info.producer = "certspool"
        self._height = 0.0

    def begin(self, sheet: Sized) -> None:
        """Begin a page as large as the sheet."""
        self._height = sheet.height * MM
        self._canvas.setPageSize((sheet.width * MM, self._height))

    def end(self) -> None:
        self._canvas.showPage()

    def grey(self, level: float) -> None:
        """Set the ink of what follows on this page; 0 is black."""
        self._canvas.setFillGray(level)
        self._canvas.setStrokeGray(level)
        self._canvas.setLineWidth(0.5)

    def set_in(self, faces: Faces) -> None:
        """Write what follows in these faces; they share one lock."""
        self._faces = faces

    def leaf(self, leaf: Leaf) -> None:
        """Draw a page of a table: its cells, then all texts."""
        self.grey(0)
        for cell in leaf.cells:
            self.outline(cell.x * MM, cell.y * MM, cell.width * MM, cell.height * MM)
        for text in leaf.texts:
            self.write(text)

    def outline(self, x: float, y: float, width: float, height: float) -> None:
        """Draw a rectangle's edge, given from the top left corner."""
        self._canvas.rect(x, self._height - y - height, width, height)

    def write(self, placed: Placed) -> None:
        """Write one field; its lines follow each other in the stream, so that text extraction keeps them together."""
        text = self._canvas.beginText()
        for line in placed.lines:
            text.setTextOrigin(line.x, self._height - line.baseline)
            for run in self._faces.runs(line.text):
                text.setFont(run.face, placed.size)
                text.textOut(run.text)
        self._canvas.drawText(text)

    def fill(self, bars: Iterable[Bar]) -> None:
        """Fill rectangles in black, as one path so that no hairline shows between them."""
        path = self._canvas.beginPath()
        for bar in bars:
            path.rect(bar.x, self._height - bar.y - bar.height, bar.width, bar.height)
        self._canvas.drawPath(path, stroke=0, fill=1)

    def parcel(self, drawing: ParcelDrawing) -> None:
        """Draw a parcel's lines, then its marks over them, then its lettering."""
        canvas = self._canvas
        canvas.saveState()
        canvas.setLineJoin(1)
        for stroke in drawing.strokes:
            self._stroke(stroke)
        for mark in drawing.marks:
            canvas.setLineWidth(mark.width * MM)
            canvas.setStrokeColor(HexColor(mark.colour))
            canvas.setFillGray(1)
            canvas.circle(mark.middle[0] * MM, self._height - mark.middle[1] * MM, mark.radius * MM, stroke=1, fill=1)
        canvas.restoreState()
        self.letter(drawing.letters)

    def _stroke(self, stroke: Stroke) -> None:
        canvas, colour = self._canvas, HexColor(stroke.colour)
        canvas.setLineWidth(stroke.width * MM)
        canvas.setStrokeColor(colour)
        canvas.setFillColor(colour)
        path = canvas.beginPath()
        (x, y), *others = stroke.points
        path.moveTo(x * MM, self._height - y * MM)
        for x, y in others:
            path.lineTo(x * MM, self._height - y * MM)
        if stroke.is_closed:
            path.close()
        canvas.drawPath(path, stroke=1, fill=int(stroke.is_filled))

    def letter(self, letters: Iterable[Lettering]) -> None:
        """Write texts, each turned as it is."""
        text = self._canvas.beginText()
        for each in letters:
            across, up = cos(radians(each.angle)), sin(radians(each.angle))
            text.setTextTransform(across, up, -up, across, each.x * MM, self._height - each.y * MM)
            for run in self._faces.runs(each.text):
                text.setFont(run.face, each.size)
                text.textOut(run.text)
        self._canvas.drawText(text)

    def seal(self, seal: RedSeal, registry_name: str) -> None:
        """Draw the red seal."""
        canvas = self._canvas
        canvas.saveState()
        canvas.setFillColor(SEAL_RED)
        canvas.setStrokeColor(SEAL_RED)
        canvas.translate(seal.x * MM, self._height - seal.y * MM)
        scale = seal.diameter / 2 * MM / 1000
        canvas.scale(scale, scale)
        canvas.addLiteral(seal_drawing(registry_name))
        canvas.restoreState()

    def to_bytes(self) -> bytes:
        self._canvas.save()
        return self._buffer.getvalue()
