"""Step 1: what comes from home becomes durable here, once; then the courier acks it.

An order is the same by sha256(ticket ‖ document), never by its ciphertext: the same again is acked; the same id with other content
goes into quarantine. What is not to be trusted is refused with its code, once, and its id is never printed afterwards.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from agents.accounts import MACHINE
from agents.audit import take_anchor
from agents.clock_watch import ClockWatch
from agents.controls import Controls
from agents.documents import Documents
from agents.grants import take_withdrawal
from agents.journal import Journal
from agents.ledger import Order
from agents.order import OrderState
from agents.recollect import Recollection
from agents.reconcile import Reconciliation
from agents.search import Words, masked
from spooler.daemon.crash import crash_point
from spooler.daemon.late import loading
from spooler.wire.addresses import order_address
from spooler.wire.envelope import Address, Contents
from spooler.wire.errors import BadEnvelope, BadMessage
from spooler.wire.letters import Delivery
from spooler.wire.messages import CONTROL_TYPE as SIGNED_CONTROL_TYPE
from spooler.wire.messages import (
    Anchor,
    Halt,
    OrderControl,
    Received,
    Refused,
    Replay,
    Restore,
    Standing,
    WithdrawGrant,
    read_control,
)
from spooler.wire.refusal import Refusal, RefusalCode
from spooler.wire.signed import open_signed
from spooler.wire.topology import CONTROL_TYPE, ORDER_TYPE
from spooler.wire.trust import Trust

if TYPE_CHECKING:
    from agents.verify import VerifiedOrder

_log = structlog.get_logger()
# A refused order's job is known to nobody here: its ticket was not opened, or not believed.
UNKNOWN_JOB = UUID(int=0)


@dataclass(frozen=True)
class _Arrival:
    address: Address
    envelope: bytes
    digest: str


class Inbox:
    """Called by the courier's thread; durable when it returns."""

    def __init__(
        self,
        *,
        hall: str,
        trust: Trust,
        journal: Journal,
        controls: Controls,
        documents: Documents,
        words: Words,
        recollection: Recollection,
        reconciliation: Reconciliation,
        clock_watch: ClockWatch,
        changed: Callable[[], None],
    ) -> None:
        self._hall = hall
        self._trust = trust
        self._journal = journal
        self._ledger = journal.ledger
        self._controls = controls
        self._documents = documents
        self._words = words
        self._recollection = recollection
        self._reconciliation = reconciliation
        self._clock_watch = clock_watch
        self._changed = changed

    def handle(self, delivery: Delivery) -> None:
        if delivery.type == ORDER_TYPE:
            self._take_order(delivery)
        elif delivery.type == CONTROL_TYPE:
            self._take_control(delivery)
        else:
            raise BadMessage("a hall takes orders and controls only")

    def _take_order(self, delivery: Delivery) -> None:
        crash_point("agent.before-order")
        arrival = _Arrival(order_address(delivery), delivery.body, sha256(delivery.body).hexdigest())
        if arrival.address.hall != self._hall:
            raise BadMessage(f"this is hall {self._hall}, the order is for {arrival.address.hall}")
        if arrival.address.registry not in self._trust.registries:
            raise BadMessage(f"registry {arrival.address.registry} is not known here")
        if self._ledger.quarantine.is_refused(arrival.address.order_id):
            _log.warning("order refused before", order_id=str(arrival.address.order_id))
            return
        try:
            verified = self._verify(arrival)
        except Refusal as e:
            self._refuse(arrival, e)
            return
        crash_point("agent.after-verify")
        self._keep(arrival, verified)

    def _verify(self, arrival: _Arrival) -> "VerifiedOrder":
        try:
            contents = self._documents.open(arrival.envelope, arrival.address)
        except BadEnvelope as e:
            raise Refusal(RefusalCode.ENVELOPE, str(e)) from e
        return self._in_time(contents, arrival.address)

    def _in_time(self, contents: Contents, address: Address) -> "VerifiedOrder":
        """Verify; what only this hall's clock speaks against counts while that clock is to be believed."""
        with loading:
            from agents.verify import verify  # and pyHanko with it, 0.5 s: the hall is ready before
        try:
            verified = verify(contents, address, trust=self._trust, hall=self._hall, now=self._as_of(address))
        except Refusal as e:
            if e.code is not RefusalCode.TIME:
                raise
            verified = self._as_when_issued(contents, address)
            self._clock_watch.hears(verified.ticket.issued_at)
            if not self._clock_watch.is_in_doubt:
                raise
            _log.error("order taken with the clock in doubt", order_id=str(address.order_id), alarm=True, code="clock")
            return verified
        self._clock_watch.hears(verified.ticket.issued_at)
        return verified

    def _as_when_issued(self, contents: Contents, address: Address) -> "VerifiedOrder":
        """Verify as of the time that the ticket itself names, which its signature covers."""
        with loading:
            from agents.verify import said_to_be_issued_at, verify
        issued_at = said_to_be_issued_at(contents)
        return verify(contents, address, trust=self._trust, hall=self._hall, now=issued_at)

    def _as_of(self, address: Address) -> datetime:
        """An order that comes a second time, to a hall that lost it, is judged as of when it was first sent."""
        known = self._recollection.known(address.order_id, address.registry)
        return self._journal.clock() if known is None else known.opened_at

    def _keep(self, arrival: _Arrival, verified: "VerifiedOrder") -> None:
        order_id = arrival.address.order_id
        known = self._ledger.orders.get(order_id)
        if known is not None:
            self._known(known, verified.identity)
            return
        self._documents.keep(order_id, arrival.envelope)
        crash_point("agent.after-document-kept")
        order = _order_of(verified, arrival.address.kid, self._journal)
        with self._journal.act():
            self._ledger.orders.add(order, verified.ticket.passes)
            self._ledger.orders.add_words(order_id, self._words.of(verified.ticket))
            self._controls.before_arrival(order)
            self._journal.change(order, by=MACHINE, detail="received")
            cancelled = self._journal.order(order_id).state is OrderState.CANCELLED
            self._recollection.arrived(order_id)
            if cancelled:
                self._journal.tell(order_id, Standing)
            else:
                self._journal.tell(order_id, Received, identity=order.identity)
            self._ledger.afterwards(self._changed)
            crash_point("agent.before-received-commit")
        crash_point("agent.after-received-commit")
        _log.info("order received", order_id=str(order_id), registry=order.registry, job_id=str(order.job_id))

    def _known(self, order: Order, identity: str) -> None:
        if order.identity == identity:
            return
        with self._journal.act():
            self._ledger.quarantine.add(
                order.order_id, order.registry, "other-content", identity, self._journal.clock(), told=False
            )
        _log.error(
            "same order id, other content: quarantined",
            order_id=str(order.order_id),
            alarm=True,
            kept=order.identity,
            came=identity,
        )

    def _refuse(self, arrival: _Arrival, refusal: Refusal) -> None:
        order_id, code = arrival.address.order_id, str(refusal.code)
        registry = arrival.address.registry
        # Whoever can send rubbish under a good order's id must not be able to have that order called refused.
        is_new = self._ledger.orders.get(order_id) is None
        with self._journal.act():
            self._ledger.quarantine.add(order_id, registry, code, arrival.digest, self._journal.clock(), told=is_new)
            if is_new:
                self._tell_refused(order_id, registry, code, str(refusal))
        _log.error("order not trusted", order_id=str(order_id), registry=registry, code=code, alarm=True, is_new=is_new)

    def _tell_refused(self, order_id: UUID, registry: str, code: str, message: str) -> None:
        self._journal.tell_registry(
            Refused,
            registry,
            order_id=order_id,
            job_id=UNKNOWN_JOB,
            state=OrderState.REFUSED,
            attempt=0,
            actor=MACHINE,
            code=code,
            message=message[:500],
        )

    def _take_control(self, delivery: Delivery) -> None:
        registry = self._trust.registries.get(str(delivery.headers.get("registry")))
        if registry is None:
            raise BadMessage("a control of an unknown registry")
        payload = open_signed(
            delivery.body, SIGNED_CONTROL_TYPE, keys=registry.ticket_keys, use="ticket", at=self._journal.clock()
        )
        control = read_control(payload)
        self._clock_watch.hears(control.at)
        if (control.registry, control.hall) != (registry.registry, self._hall):
            raise BadMessage("a control for another hall, or of another registry")
        crash_point("agent.before-control")
        if isinstance(control, Replay):
            self._controls.replay(control)
        elif isinstance(control, Restore):
            self._reconciliation.restore(control)
        elif isinstance(control, Halt):
            self._reconciliation.halt(control)
        elif isinstance(control, Anchor):
            take_anchor(self._journal, control)
        elif isinstance(control, WithdrawGrant):
            take_withdrawal(self._journal, self._trust, control)
        else:
            self._take_about_order(control)
        _log.info("control taken", kind=control.kind, control_id=str(control.control_id))

    def _take_about_order(self, control: OrderControl) -> None:
        order = self._ledger.orders.get(control.order_id)
        if order is not None and order.registry != control.registry:
            raise BadMessage("a control about another registry's order")
        self._controls.take(control)


def _order_of(verified: "VerifiedOrder", kid: str, journal: Journal) -> Order:
    ticket = verified.ticket
    return Order(
        order_id=ticket.order_id,
        job_id=ticket.job_id,
        registry=ticket.registry,
        kind=ticket.kind,
        number=ticket.number,
        number_version=ticket.number_version,
        template=ticket.template,
        seal=ticket.seal,
        window=ticket.window,
        case=ticket.case,
        deadline=ticket.deadline,
        not_before=ticket.not_before,
        not_after=ticket.not_after,
        identity=verified.identity,
        document_sha256=ticket.document_sha256,
        kid=kid,
        holder_masked=masked(ticket.holder),
        received_at=journal.clock(),
        state=OrderState.WAITING,
        reasons=(),
        attempt=1,
        serial=None,
        held=False,
        cancelling=None,
        replaces=ticket.replaces,
        check_sheet=ticket.passes[-1].check,
    )
