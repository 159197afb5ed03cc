"""What a person at the counter sees: the sheets that came out, and what still lies in the tray. For the simulated clerk alone."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Status = Callable[[str, str], str]


@dataclass(frozen=True)
class Sheet:
    """One side that a printer marked."""

    order_id: str
    attempt: int
    try_id: str
    is_complete: bool
    serial: str | None


class Output:
    """One printer's output and tray. Sheets are numbered in the order in which they came out."""

    def __init__(self, stock: str, directory: Path) -> None:
        self.stock = stock
        self._directory = directory
        self._seen = 0
        self.sheets: list[Sheet] = []

    def look(self) -> None:
        """Pick up what came out since the last look."""
        while (note := self._directory / "sheets" / f"{self._seen + 1:06}.json").exists():
            self._seen += 1
            sheet = _sheet(json.loads(note.read_bytes()))
            if sheet is not None:
                self.sheets.append(sheet)

    def tray(self) -> dict[str, Any]:
        return dict(json.loads((self._directory / "tray.json").read_bytes()))


class Eyes:
    """All printers of one hall. `status_of` asks the hall's ledger where it thinks that a blank is."""

    def __init__(self, outputs: Sequence[Output], status_of: Status) -> None:
        self._outputs = outputs
        self._status_of = status_of

    def of_try(self, try_id: str) -> list[Sheet]:
        """Return what came out of one sending of one pass."""
        self._look()
        return [sheet for output in self._outputs for sheet in output.sheets if sheet.try_id == try_id]

    def blanks_of(self, order_id: str, attempt: int) -> list[str]:
        """Return the serials of the paper of this attempt: the blank that carries the print, then any that came with it.

        Where only a list was printed again, the certificate is still the one of an attempt before.
        """
        found = self._printed_in(order_id, attempt)
        for before in range(attempt - 1, 0, -1):
            if not found:
                found = [serial for serial in self._printed_in(order_id, before) if self._is_kept(serial)]
        return found

    def _is_kept(self, serial: str) -> bool:
        return any(self._status_of(o.stock, serial) == "reserved" for o in self._outputs if o.stock != "plain")

    def _printed_in(self, order_id: str, attempt: int) -> list[str]:
        for output in self._outputs:
            tray = output.tray()  # before the sheets: a blank gone from it is by then on a sheet, or in the works
            output.look()
            serials = [s.serial for s in output.sheets if (s.order_id, s.attempt) == (order_id, attempt)]
            carrying = next((serial for serial in serials if serial is not None), None)
            if carrying is not None:
                return [carrying, *self._stuck_to(carrying, output, tray)]
        return []

    def _stuck_to(self, serial: str, output: Output, tray: dict[str, Any]) -> list[str]:
        """Return the blank that left the tray with this one, if any: unmarked, and still loaded by the ledger."""
        accounted = {*tray["blanks"], tray["serial"], *(sheet.serial for sheet in output.sheets)}
        following = _after(serial)
        while following in accounted and following not in tray["blanks"]:
            following = _after(following)
        if following in accounted:
            return []
        return [following] if self._status_of(output.stock, following) in {"loaded", "reserved"} else []

    def _look(self) -> None:
        for output in self._outputs:
            output.look()


def _sheet(note: dict[str, Any]) -> Sheet | None:
    """Return the sheet if it belongs to an order: `<order id>/<pass>/<attempt>/<try>`."""
    parts = note["title"].split("/")
    if len(parts) != 4 or not note["job_uuid"]:
        return None
    return Sheet(parts[0], int(parts[2]), note["job_uuid"], note["complete"], note["serial"])


def _after(serial: str) -> str:
    letters = serial.rstrip("0123456789")
    digits = serial[len(letters) :]
    return f"{letters}{int(digits) + 1:0{len(digits)}d}"
