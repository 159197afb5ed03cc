"""A whole hall but for sockets and CUPS: real ledger, real keys, real orders; its printers are played step by step."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from agents.accounts import Account, Role
from agents.calibration.kept import KeptCalibrations, as_drawn, take_in
from agents.clock_watch import ClockWatch
from agents.device import DeviceState, Standing
from agents.hall import Hall, Keys
from agents.ledger import Acceptance, Ledger
from agents.settings import BrokerSection, HallSection, HallSettings, PrinterSection
from agents.stock import Movement
from agents.templates import Templates
from agents.tries import ReleasedPass, Try
from agents.views import Answered, OrderView
from spooler.seal.ticket import SealedOrder
from spooler.wire import messages
from spooler.wire.envelope import Address, wrap
from spooler.wire.keys import SigningKey, WrapKey
from spooler.wire.letters import Delivery
from spooler.wire.messages import CONTROL_TYPE, REPORT_TYPE, Actor, Pass, Stock, read_report
from spooler.wire.signed import open_signed, sign
from tests.sealing import HALL, HOME, NOW, PROOF_SHEET, Office, a_pdf

CLERK = Account("clerk-1", frozenset({Role.CLERK}))
SECOND = Account("chief-1", frozenset({Role.APPROVE}))
BOTH = Account("chief-2", frozenset({Role.CLERK, Role.APPROVE}))

PRINTERS = (
    PrinterSection(name="booklet-1", stock=Stock.CERTIFICATE, device="file:/booklet-1"),
    PrinterSection(name="proof-1", stock=Stock.PROOF, device="file:/proof-1"),
    PrinterSection(name="plain-1", stock=Stock.PLAIN, device="file:/plain-1"),
)


@dataclass
class Clock:
    """A clock that goes when a test says so."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **more: float) -> None:
        self.now += timedelta(**more)


@dataclass
class Counter:
    """A hall with its clerk, its printers' people, and the wire's other end."""

    office: Office
    directory: Path
    clock: Clock = field(default_factory=Clock)
    release: str = "person"
    printers: Sequence[PrinterSection] = PRINTERS
    machine: str = "m"
    is_new: bool = True
    permits_are_new: bool = True
    asks_first: bool = False
    is_calibrated: bool = True
    templates: Path | None = None
    clock_watch: ClockWatch | None = None
    recalled: list[UUID] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.is_measured()
        self.start()
        if self.is_new:
            self.fill()

    def start(self) -> None:
        """Open the ledger, as at the agent's start."""
        settings = HallSettings(
            hall=HallSection(
                id=HALL,
                data_directory=self.directory,
                trust_directory=self.office.directory / "trust",
                release=self.release,
                templates_directory=self.templates,
            ),
            broker=BrokerSection(user="hall", password_credential="broker"),
            printers=tuple(self.printers),
        )
        self.ledger = Ledger(self.directory / "ledger.sqlite")
        take_in(self.ledger, KeptCalibrations(settings.hall.calibrations))
        keys = self.office.directory / "halls" / HALL / "credentials"
        self.hall = Hall(
            settings,
            ledger=self.ledger,
            binding=self.ledger.bind(
                hall=HALL,
                machine=self.machine,
                permits="p",
                permits_are_new=self.permits_are_new,
                asks_first=self.asks_first,
                at=self.clock(),
            ),
            keys=Keys(
                SigningKey.from_pem((keys / "report.pem").read_bytes()),
                (WrapKey.from_pem((keys / "wrap.pem").read_bytes()),),
            ),
            trust=self.office.trust,
            clock=self.clock,
            clock_watch=self.clock_watch,
        )
        self.hall.wakes.recall = self.recalled.append
        self.acts, self.stock, self.book = self.hall.acts, self.hall.stock, self.hall.book

    def is_measured(self) -> None:
        """Its printers err nowhere, and that is written down before the agent first starts."""
        if self.is_calibrated and not (self.directory / "calibrations.jsonl").exists():
            calibrate(self.directory / "calibrations.jsonl", self.printers)

    def restart(self) -> None:
        self.ledger.close()
        self.start()

    def fill(self) -> None:
        """Ten blanks in each printer that takes numbered stock."""
        for printer, stock, prefix in (("booklet-1", Stock.CERTIFICATE, "D"), ("proof-1", Stock.PROOF, "")):
            if printer in {p.name for p in self.printers}:
                first, last = f"{prefix}23000000101", f"{prefix}23000000110"
                self.stock.move(CLERK, Movement.RECEIVE, stock=stock, first=first, last=last)
                self.stock.move(CLERK, Movement.LOAD, stock=stock, first=first, last=last, printer=printer)

    # the wire's other end

    def arrives(self, order: SealedOrder) -> UUID:
        """Wrap and deliver an order; return its id."""
        self.hall.inbox.handle(self.wrapped(order))
        return order.ticket.order_id

    def wrapped(self, order: SealedOrder, **changes: Any) -> Delivery:
        (key,) = self.office.trust.halls[HALL].wrap_keys
        ticket = order.ticket
        address = Address(ticket.registry, HALL, ticket.order_id, key.kid)
        headers = {
            "v": 1,
            "registry": ticket.registry,
            "hall": HALL,
            "order_id": str(ticket.order_id),
            "kid": key.kid,
        }
        body = changes.pop("body", None) or wrap(order.contents, address, key)
        return delivery("order", body, {**headers, **changes})

    def control(self, kind: type[messages.ControlBase], order_id: UUID, **fields: Any) -> UUID:
        """Deliver a control of the home registry; return its id."""
        control_id = fields.pop("control_id", None) or uuid4()
        control = kind(control_id=control_id, registry=HOME, hall=HALL, order_id=order_id, at=self.clock(), **fields)
        body = sign(control.to_bytes(), CONTROL_TYPE, self.office.ticket_key())
        headers = {"v": 1, "registry": HOME, "hall": HALL, "order_id": str(order_id)}
        self.hall.inbox.handle(delivery("control", body, headers))
        return control_id

    def reports(self, kind: str | None = None) -> list[Any]:
        """Everything that home was told so far, opened with the hall's key; the chain is checked."""
        keys = self.office.trust.halls[HALL].report_keys
        found, previous = [], {}
        for letter in self.hall.reporter.pending(10_000):
            payload = open_signed(letter.body, REPORT_TYPE, keys=keys, use="report", at=self.clock())
            report = read_report(payload)
            before = previous.get((report.registry, report.epoch), (0, messages.START_OF_CHAIN))
            assert (report.sequence, report.previous) == (before[0] + 1, before[1])
            previous[report.registry, report.epoch] = (report.sequence, sha256(payload).hexdigest())
            found.append(report)
        return [r for r in found if kind in (None, r.kind)]

    # the printers

    def begins(self, printer: str) -> Try:
        """The printer's worker takes its next pass up to the point of no return."""
        released = self.book.next_pass(printer)
        assert released is not None, f"{printer} has nothing to print"
        begun = self.book.intent(released)
        assert begun is not None
        self.book.created(begun.id, 7)
        self.book.spooled(begun.id)
        assert self.book.releasing(begun.id)
        return begun

    def prints(self, printer: str) -> Try:
        begun = self.begins(printer)
        self.book.done(begun.id, {"why": "test"})
        return begun

    def goes_unknown(self, printer: str) -> Try:
        begun = self.begins(printer)
        self.book.unknown(begun.id, {"why": "test"})
        return begun

    def has_to_print(self, printer: str) -> ReleasedPass | None:
        return self.book.next_pass(printer)

    def stands(self, printer: str, state: DeviceState, *reasons: str) -> None:
        self.hall.board.told(printer, Standing(state, reasons))

    # the clerk

    def order(self, order_id: UUID, by: Account = CLERK) -> OrderView:
        return self.acts.order(by, order_id)

    def releases(self, order_id: UUID, **more: Any) -> OrderView:
        return self.acts.release(CLERK, order_id, attempt=self.order(order_id).attempt, **more).order

    def turns(self, order_id: UUID, number: int) -> OrderView:
        view = self.order(order_id)
        row = view.passes[number - 1]
        return self.acts.release_pass(CLERK, order_id, number, attempt=view.attempt, try_id=row.try_id).order

    def confirms(self, order_id: UUID, *serials: str) -> Answered:
        view = self.order(order_id)
        return self.acts.confirm(
            CLERK, order_id, attempt=view.attempt, serials=list(serials or (view.proposed_serial or "",))
        )

    def accepts(self, order_id: UUID, by: Account = SECOND) -> OrderView:
        """The second person agrees to what is asked about this order."""
        (approval,) = self.order(order_id).approvals
        return self.acts.answer(by, approval.id, accept=True).order

    def has_printed_booklet(self, **changes: Any) -> UUID:
        """A booklet whose passes are all done and not confirmed."""
        order_id = self.arrives(self.booklet(**changes))
        self.releases(order_id)
        self.prints("booklet-1")
        self.turns(order_id, 2)
        self.prints("booklet-1")
        return order_id

    def has_printed_proof(self, **changes: Any) -> UUID:
        order_id = self.arrives(self.proof(**changes))
        self.releases(order_id)
        self.prints("proof-1")
        return order_id

    # orders

    def booklet(self, **changes: Any) -> SealedOrder:
        return self.office.order(**self._timely(changes))

    def proof(self, *, lists: int = 0, **changes: Any) -> SealedOrder:
        """A proof, with so many pages of a collateral list on plain paper."""
        width, height = PROOF_SHEET
        passes = [Pass(number=1, name="P", pages=(0,), stock=Stock.PROOF, width_mm=width, height_mm=height)]
        passes += [
            Pass(number=2 + n, name=f"L{n + 1}", pages=(1 + n,), stock=Stock.PLAIN, width_mm=210, height_mm=297)
            for n in range(lists)
        ]
        changes = self._timely({"kind": "proof", "template": "proof/1", **changes})
        pdf = a_pdf([PROOF_SHEET, *[(210.0, 297.0)] * lists])
        return self.office.order(pdf=pdf, passes=tuple(passes), **changes)

    def _timely(self, changes: dict[str, Any]) -> dict[str, Any]:
        now = self.clock()
        timely = {
            "issued_at": now,
            "not_before": now,
            "not_after": now + timedelta(days=3),
            "deadline": now + timedelta(hours=1),
        }
        return {**timely, **changes}


def calibrate(path: Path, printers: Sequence[PrinterSection]) -> None:
    """Write down that these printers err nowhere."""
    kept, by = KeptCalibrations(path), Actor(id="clerk-1", role="clerk")
    for printer in printers:
        for side in Templates().sides(printer.stock):
            one = as_drawn(printer.name, printer.stock, printer.device, side, by=by, clock=lambda: NOW)
            kept.add(one, Acceptance(one.version, None, by, NOW))


def delivery(kind: str, body: bytes, headers: dict[str, Any]) -> Delivery:
    return Delivery(
        id=str(uuid4()),
        type=kind,
        body=body,
        headers=headers,
        queue=f"hall.{HALL}",
        routing_key=f"{HOME}.{HALL}",
        redelivered=False,
        receipt=(None, 0),
    )
