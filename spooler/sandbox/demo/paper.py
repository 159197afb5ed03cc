"""What lies in the virtual printers' trays, side by side with the order that it belongs to."""

import json
from dataclasses import dataclass
from pathlib import Path

from spooler.sandbox.site import Site
from spooler.wire.messages import Stock


@dataclass(frozen=True)
class Side:
    """One printed side."""

    hall: str
    printer: str
    stock: Stock
    pdf: Path
    order_id: str
    number: int
    serial: str | None


def sides(site: Site) -> list[Side]:
    """Return every side that was printed, in the order of printing at each printer."""
    return [
        _side(hall.hall, printer.name, printer.stock, note)
        for hall in site.halls
        for printer in hall.printers
        for note in sorted(printer.sheets.glob("*.json"))
    ]


def count(site: Site) -> int:
    return sum(1 for hall in site.halls for printer in hall.printers for _ in printer.sheets.glob("*.json"))


def _side(hall: str, printer: str, stock: Stock, note: Path) -> Side:
    told = json.loads(note.read_text())
    order_id, number, *_ = told["title"].split("/")
    return Side(hall, printer, stock, note.with_suffix(".pdf"), order_id, int(number), told["serial"])
