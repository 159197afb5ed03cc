"""Step 2b for the electronic face: its pages drawn, in the order front, maps, further table pages."""

from collections.abc import Iterable

from spooler.render.annex.place import Rect
from spooler.render.fonts import Faces
from spooler.render.layout import MM
from spooler.render.leaf import Leaf
from spooler.render.outlines import outline
from spooler.render.sheets import SEAL_RED, Pages

_CELL_LINE = 0.6
_CELL_INK = 0.25
_MARK_ALPHA = 0.34
_MARK_DEGREES = 24
_HEAD_SIZE = 13
_HEAD_MM = 7.5
_SAMPLE_GREY = 0.6


class FacePages(Pages):
    """A face in the making; held under the faces' lock as every drawing is."""

    def __init__(self, faces: Faces, width: float, height: float) -> None:
        super().__init__(faces)
        self._size = (width, height)

    def open(self, width: float = 0, height: float = 0) -> None:
        """Begin a page, of the face's own size if no other is given (in mm)."""
        across, down = (width, height) if width else self._size
        self._height = down * MM
        self._canvas.setPageSize((across * MM, self._height))

    def leaf(self, leaf: Leaf) -> None:
        """Draw the table's cells, then all texts."""
        self.cells(leaf.cells)
        for text in leaf.texts:
            self.write(text)

    def cells(self, cells: Iterable[Rect]) -> None:
        canvas = self._canvas
        canvas.saveState()
        canvas.setLineWidth(_CELL_LINE)
        canvas.setStrokeGray(_CELL_INK)
        for cell in cells:
            self.outline(cell.x * MM, cell.y * MM, cell.width * MM, cell.height * MM)
        canvas.restoreState()

    def mark(self, text: str, size: float, *, is_red: bool) -> None:
        """Write a word over the page, through which everything stays readable: across it, drawn, and in its head, as text."""
        canvas = self._canvas
        across = self._size[0] * MM
        canvas.saveState()
        canvas.setFillColor(SEAL_RED if is_red else (_SAMPLE_GREY,) * 3)
        canvas.setFont(self._faces.runs(text)[0].face, _HEAD_SIZE)
        canvas.drawCentredString(across / 2, self._height - _HEAD_MM * MM, text)
        canvas.setFillAlpha(_MARK_ALPHA)
        canvas.translate(across / 2, self._height / 2)
        canvas.rotate(_MARK_DEGREES)
        canvas.scale(size / 1000, size / 1000)
        # As text, a word that lies askew would fall among the words of the table when the page is read out.
        for i, character in enumerate(text):
            canvas.addLiteral(f"q 1 0 0 1 {1000 * i - 500 * len(text)} -380 cm {outline(character)} f Q")
        canvas.restoreState()
