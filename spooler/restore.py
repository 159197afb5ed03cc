"""What a hall that lost its journal is told: each order as it is known here, and the order itself where the hall has it no more.

    the hall asks (collect) ─▶ here: Restore, in parts, the missing orders wrapped anew, what it never answered ─▶ outbox

Also the word to halt, for a hall whose reports cannot all come from one journal. May run twice: the hall knows parts and orders again.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from uuid import UUID, uuid4

import structlog

from spooler.ask_hall import HallAsker
from spooler.daemon.crash import crash_point
from spooler.daemon.worker import Worker
from spooler.dispatch import order_letter, wrap_key
from spooler.documents import Documents
from spooler.job import Reason
from spooler.store import Store
from spooler.store.change import RANK_CONTROL
from spooler.store.controls import unanswered
from spooler.store.memory_of_halls import Remembered, remembered
from spooler.store.orders import has_letter
from spooler.store.standing import AskedByHall, DueHalt, note_answered, note_halted
from spooler.store.values import Update
from spooler.wire.envelope import Contents
from spooler.wire.messages import Halt, KnownOrder, Restore
from spooler.wire.trust import Trust

ORDERS_A_PART = 200
LOOK_SECONDS = 5.0

_log = structlog.get_logger()


class Restorer(Worker):
    """A thread that answers halls. `wake` may be called by any other."""

    def __init__(
        self, *, store: Store, documents: Documents, trust: Trust, asker: HallAsker, clock: Callable[[], datetime]
    ) -> None:
        # A full disk, a document that cannot be read: what was not answered is found again at the next look.
        super().__init__("restore", trouble="halls not answered", rest_seconds=LOOK_SECONDS)
        self._store = store
        self._documents = documents
        self._trust = trust
        self._asker = asker
        self._clock = clock

    def look(self) -> None:
        """Halt whom nobody may believe, answer whoever asked."""
        for due in self._store.standings.due_halts(self._clock()):
            self._halt(due)
        for asked in self._store.standings.asked():
            self._answer(asked)
        self._tell_held_back()

    def _tell_held_back(self) -> None:
        """Of the closed list of reasons `undeliverable` says it best: the order is kept, and goes out by itself later."""
        held_back = frozenset({Reason.UNDELIVERABLE})
        for job_id in self._store.halls.jobs_held_back():
            with self._store.changing() as change:
                change.move(job_id, Update(add=held_back, because="the hall is being reconciled"))

    def turn(self) -> float:
        if self._store.duty.is_ours():
            self.look()
        return LOOK_SECONDS

    def _halt(self, due: DueHalt) -> None:
        with self._store.changing() as change:
            control = Halt(control_id=uuid4(), registry=due.registry, hall=due.hall, at=change.now, reason=due.reason)
            self._asker.post(change, control)
            note_halted(change, due.hall)
        _log.error("hall halted", hall=due.hall, why=due.reason, alarm=True)

    def _answer(self, asked: AskedByHall) -> None:
        with self._store.transactions.reading() as connection:
            found = remembered(connection, asked, self._clock())
        parts = list(_parts(found))
        for number, part in enumerate(parts, start=1):
            self._tell(asked, part, number, len(parts))
            crash_point("home.after-restore-part")
            for order in part:
                self._send_again(asked, order)
        crash_point("home.before-restored-commit")
        with self._store.changing() as change:
            # After the orders: what was taken with the lost journal and never answered is asked again.
            for control in unanswered(change.connection, asked.hall, asked.registry):
                self._asker.again(change, control)
            note_answered(change, asked)
        _log.info("hall answered", hall=asked.hall, registry=asked.registry, orders=len(found), is_first=asked.is_first)

    def _tell(self, asked: AskedByHall, part: Sequence[Remembered], number: int, parts: int) -> None:
        with self._store.changing() as change:
            control = Restore(
                control_id=uuid4(),
                registry=asked.registry,
                hall=asked.hall,
                at=change.now,
                ask=UUID(asked.ask),
                part=number,
                parts=parts,
                is_first=asked.is_first,
                orders=tuple(_known(order) for order in part),
            )
            self._asker.post(change, control)

    def _send_again(self, asked: AskedByHall, found: Remembered) -> None:
        """The order itself, wrapped for the key that the hall has now."""
        if not found.is_open or found.order is None or found.document_sha256 is None or found.order_id in asked.has:
            return
        order = found.order
        contents = Contents(
            signed_ticket=self._documents.read(order.ticket_sha256),
            document=self._documents.read(found.document_sha256),
        )
        letter = order_letter(order, contents, wrap_key(self._trust, order.hall, self._clock()), rank=RANK_CONTROL)
        with self._store.changing() as change:
            if not has_letter(change, order.order_id):
                change.post(letter)
                crash_point("home.before-order-again-commit")


def _parts(found: Sequence[Remembered]) -> Iterator[Sequence[Remembered]]:
    """At least one, so that a hall without orders hears so."""
    for start in range(0, max(1, len(found)), ORDERS_A_PART):
        yield found[start : start + ORDERS_A_PART]


def _known(found: Remembered) -> KnownOrder:
    return KnownOrder(
        order_id=UUID(found.order_id),
        state=found.state,
        attempt=found.attempt,
        serial=found.serial,
        begun=found.begun,
        printer=found.printer,
        held=found.is_held,
        held_as_of=found.held_as_of,
        opened_at=found.opened_at,
        not_after=found.not_after,
    )
