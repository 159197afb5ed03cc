"""A page of lines and letters, in millimetres from its top left corner: written as PDF operators, put into a file by pypdf."""

from collections.abc import Iterable
from io import BytesIO

from agents import lettering
from agents.calibration.correction import Point
from spooler.daemon.late import loading

POINTS_PER_MM = 72 / 25.4
ROUND = 0.5523  # of a quarter circle as a Bézier curve


class Drawing:
    """One page. Black, a line as thin as it is said."""

    def __init__(self, width_mm: float, height_mm: float) -> None:
        self._size = (width_mm * POINTS_PER_MM, height_mm * POINTS_PER_MM)
        self._operators = [f"{POINTS_PER_MM:.8f} 0 0 {-POINTS_PER_MM:.8f} 0 {self._size[1]:.6f} cm"]

    def line(self, start: Point, end: Point, thickness: float = 0.15) -> None:
        self._add(f"{thickness} w {_numbers(*start)} m {_numbers(*end)} l S")

    def frame(self, x: float, y: float, width: float, height: float, thickness: float = 0.15, dash: str = "") -> None:
        self._add(f"q {thickness} w [{dash}] 0 d {_numbers(x, y, width, height)} re S Q")

    def ring(self, middle: Point, radius: float, thickness: float = 0.15) -> None:
        (x, y), r, k = middle, radius, radius * ROUND
        curves = (
            (x + r, y + k, x + k, y + r, x, y + r),
            (x - k, y + r, x - r, y + k, x - r, y),
            (x - r, y - k, x - k, y - r, x, y - r),
            (x + k, y - r, x + r, y - k, x + r, y),
        )
        path = " ".join(f"{_numbers(*curve)} c" for curve in curves)
        self._add(f"{thickness} w {_numbers(x + r, y)} m {path} h S")

    def write(self, text: str, x: float, baseline: float, size: float, *, align: str = "left") -> None:
        """Write in letters so high (mm), from x, round x, or up to x."""
        at = x - {"left": 0, "center": 0.5, "right": 1}[align] * lettering.width(text, size)
        for character in text:
            if outline := lettering.outline(character):
                self._add(f"q {_numbers(size / 1000, 0, 0, -size / 1000, at, baseline)} cm {outline} f Q")
            at += lettering.advance(character) * size / 1000

    def lines(self, texts: Iterable[str], x: float, baseline: float, size: float, leading: float = 1.6) -> float:
        """Write one below the other; return where the next would stand."""
        for text in texts:
            self.write(text, x, baseline, size)
            baseline += size * leading
        return baseline

    def to_pdf(self) -> bytes:
        with loading:
            from pypdf import PdfWriter
            from pypdf.generic import DecodedStreamObject, NameObject
        writer, out, content = PdfWriter(), BytesIO(), DecodedStreamObject()
        page = writer.add_blank_page(*self._size)
        content.set_data("\n".join(self._operators).encode("ascii"))
        page[NameObject("/Contents")] = writer._add_object(content.flate_encode())
        writer.write(out)
        return out.getvalue()

    def _add(self, operators: str) -> None:
        self._operators.append(operators)


def _numbers(*values: float) -> str:
    return " ".join(f"{value:.5f}".rstrip("0").rstrip(".") for value in values)
