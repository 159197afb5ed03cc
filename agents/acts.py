"""What a person may do with an order here, one method an act. The API only translates.

Every act names the attempt (and try) that the person saw: `Stale` if it is another by now. What does not fit the state raises
`DoesNotFit`, whose `fits` says what would. An act that needs a second person returns its open approval and changes nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from agents.accounts import Account
from agents.views import Answered, ApprovalView, OrderView, PrinterView

Outcome = Literal["printed", "spoiled", "nothing_printed"]


@dataclass(frozen=True)
class Recipient:
    """Who takes it: by role; `party` is the index or role of a party of the ticket, `id_last4` is compared and not kept."""

    role: Literal["holder", "agent", "courier"]
    party: int | str | None = None
    id_last4: str | None = None


@dataclass(frozen=True)
class Identity:
    """How the recipient was identified, and with what result."""

    method: str
    result: str


class Acts:
    """Acts and views of orders, approvals and printers. Thread-safe."""

    def orders(
        self, by: Account, *, state: str | None = None, q: str | None = None, limit: int = 200
    ) -> tuple[OrderView, ...]:
        """List orders, most urgent first. `q`: number, case, serial, id, or a party's name or last four of the ID number."""
        raise NotImplementedError

    def order(self, by: Account, order_id: UUID) -> OrderView:
        raise NotImplementedError

    def document(self, by: Account, order_id: UUID) -> bytes:
        """Return the signed document (PDF), for a look before a numbered blank is used."""
        raise NotImplementedError

    def release(
        self, by: Account, order_id: UUID, *, attempt: int, printer: str | None = None, serial: str | None = None
    ) -> Answered:
        """Release the first pass: a printer is chosen, its next blank is reserved."""
        raise NotImplementedError

    def release_pass(
        self, by: Account, order_id: UUID, number: int, *, attempt: int, try_id: UUID | None = None
    ) -> Answered:
        """Release a later pass, after the page is turned; or a pass again of which nothing was printed."""
        raise NotImplementedError

    def confirm(
        self, by: Account, order_id: UUID, *, attempt: int, serials: Sequence[str], reason: str | None = None
    ) -> Answered:
        """All passes are good: say which serial is on the paper. Another than the proposed one needs a second person."""
        raise NotImplementedError

    def spoil(self, by: Account, order_id: UUID, *, attempt: int, blanks: Sequence[str], reason: str) -> Answered:
        """The paper is wrong: void the blanks, print again on another. Needs a second person."""
        raise NotImplementedError

    def return_to_home(
        self,
        by: Account,
        order_id: UUID,
        *,
        attempt: int,
        reason: str,
        fields: Sequence[str] = (),
        blanks: Sequence[str] = (),
    ) -> Answered:
        """The content is wrong: the order ends, blanks are voided, home corrects."""
        raise NotImplementedError

    def resolve(
        self,
        by: Account,
        order_id: UUID,
        *,
        attempt: int,
        number: int,
        try_id: UUID,
        outcome: Outcome,
        blanks: Sequence[str] = (),
        reason: str | None = None,
    ) -> Answered:
        """Say what became of an unknown pass. Spoiled and nothing printed need a second person."""
        raise NotImplementedError

    def issue(
        self, by: Account, order_id: UUID, *, recipient: Recipient, identity: Identity, attempt: int | None = None
    ) -> Answered:
        """Hand over."""
        raise NotImplementedError

    def approvals(self, by: Account, *, answered: bool = False) -> tuple[ApprovalView, ...]:
        """List open approvals, oldest first; with `answered` also those that have been answered."""
        raise NotImplementedError

    def answer(self, by: Account, approval_id: UUID, *, accept: bool, reason: str = "") -> Answered:
        """Accept or decline what another account asked; needs the role `approve`."""
        raise NotImplementedError

    def printers(self, by: Account) -> tuple[PrinterView, ...]:
        raise NotImplementedError

    def pause_printer(self, by: Account, name: str) -> PrinterView:
        """Nothing more is sent to it until it is resumed; what is under way goes on."""
        raise NotImplementedError

    def resume_printer(self, by: Account, name: str) -> PrinterView:
        raise NotImplementedError
