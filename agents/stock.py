"""Blanks by serial: what comes in, where it lies, what became of each. All or nothing, by range.

For each stock: used + void + on hand + gone = received, and each number stands in one place at a time.
"""

from collections.abc import Sequence
from enum import StrEnum

from agents.accounts import Account
from agents.views import BlankView, MovementView, StockView
from spooler.wire.messages import Stock


class Movement(StrEnum):
    """What a person may do with a range of blanks (`POST /v1/stock/{movement}`)."""

    RECEIVE = "receive"  # into the hall's store
    LOAD = "load"  # from the store into a printer
    UNLOAD = "unload"  # back into the store
    VOID = "void"  # unusable; stays on hand until it is destroyed
    LOST = "lost"
    TRANSFER = "transfer"  # to another hall
    RETURN = "return"  # to who issued it
    DESTROY = "destroy"  # only what is void
    COUNT = "count"  # seen on hand, nothing changes
    HANDOVER = "handover"  # to the next clerk, nothing changes


class StockRoom:
    """The movements and views of blanks. Thread-safe."""

    def move(
        self,
        by: Account,
        movement: Movement,
        *,
        stock: Stock,
        first: str,
        last: str,
        printer: str | None = None,
        reason: str | None = None,
    ) -> MovementView:
        """Move the blanks first…last, or raise DoesNotFit naming the first range that hinders. `load` names the printer."""
        raise NotImplementedError

    def view(self, by: Account) -> StockView:
        raise NotImplementedError

    def blank(self, by: Account, stock: Stock, serial: str) -> BlankView:
        raise NotImplementedError

    def movements(
        self, by: Account, *, stock: Stock | None = None, after: int = 0, limit: int = 200
    ) -> Sequence[MovementView]:
        raise NotImplementedError
