"""One page of a table as it is drawn: of a running sheet, or of the electronic face."""

from dataclasses import dataclass

from spooler.render.annex.place import Rect
from spooler.render.typeset import Placed


@dataclass(frozen=True)
class Leaf:
    """Texts in their places, and cells in mm."""

    texts: tuple[Placed, ...]
    cells: tuple[Rect, ...]
