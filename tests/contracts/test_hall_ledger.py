"""The hall's ledger in memory, on which the simulation runs, answers as the real one does: the same acts, the same rows."""

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest

from agents.ledger import Approval, Attempt, ControlRow, Ledger, Order, Range
from agents.order import BEFORE_THE_FIRST, OrderState, PassState
from spooler.wire.messages import Actor, Case, Check, Seal, Stock
from tests.simulation.ledger import MemoryLedger
from tests.simulation.orders import shapes

AT = datetime(2026, 3, 2, tzinfo=UTC)
BY = Actor(id="a", role="clerk")
PRINTERS = ("booklet-1", "plain-1")
STATES = [s for s in PassState if s is not PassState.INTENT]


def an_id(number: int) -> UUID:
    return UUID(int=number, version=4)


def an_order(number: int, chance: Random, check: Check | None = None) -> Order:
    return Order(
        order_id=an_id(number),
        job_id=an_id(number + 1000),
        registry="231221",
        kind="certificate",
        number="n",
        number_version=1,
        template="certificate/1",
        seal=Seal.PRINTED,
        window=None,
        case=Case(number="1", ordinal=1, of=1),
        deadline=AT + timedelta(minutes=chance.randrange(5)),
        not_before=AT,
        not_after=AT + timedelta(minutes=chance.randrange(60)),
        identity=f"{number:064x}",
        document_sha256="0" * 64,
        kid="k",
        holder_masked="王*",
        received_at=AT + timedelta(seconds=number),
        state=OrderState.WAITING,
        reasons=(),
        attempt=1,
        serial=None,
        held=False,
        cancelling=None,
        check_sheet=check,
    )


class Pair:
    """Both ledgers, treated alike; `chance` decides what is done."""

    def __init__(self, path, seed: int) -> None:
        self.both = (Ledger(path), MemoryLedger())
        self.chance = Random(seed)
        self.orders: list[UUID] = []
        self.tries: list[UUID] = []
        self.count = 100

    def each(self, act) -> None:
        """Do it in both, and compare what is answered."""
        answers = []
        for ledger in self.both:
            with ledger.transaction():
                answers.append(act(ledger))
        assert answers[0] == answers[1]

    def next_id(self) -> UUID:
        self.count += 1
        return an_id(self.count)

    # acts

    def add_order(self) -> None:
        check = self.chance.choice((None, Check.OFFERED, Check.REQUIRED))
        order = an_order(len(self.orders) + 1, self.chance, check)
        self.orders.append(order.order_id)
        passes = shapes(spreads=1 + self.chance.randrange(3), lists=self.chance.randrange(2), check=check)
        self.each(lambda ledger: ledger.orders.add(order, passes))

    def change_order(self) -> None:
        order_id = self.chance.choice(self.orders)
        columns = self.chance.choice(
            (
                {"state": self.chance.choice(list(OrderState))},
                {"held": self.chance.choice((0, 1, "0", "1"))},
                {"reasons": self.chance.choice(("", "held", "held waiting-stock"))},
                {"cancelling": self.chance.choice((None, str(an_id(7))))},
                {"not_after": (AT + timedelta(hours=self.chance.randrange(9))).isoformat()},
                {"serial": "D23000000101"},
                {"checked": True},
            )
        )
        self.each(lambda ledger: ledger.orders.set(order_id, **columns))

    def change_pass(self) -> None:
        order_id = self.chance.choice(self.orders)
        number, printer = 1 + self.chance.randrange(3), self.chance.choice(PRINTERS)
        state, released = self.chance.choice(STATES), self.chance.choice((None, self.chance.randrange(1, 99)))

        def act(ledger) -> None:
            (row,) = [p for p in ledger.orders.passes(order_id, 1) if p.number == number]
            ledger.orders.set_pass(row, state=state, printer=printer, released=released)

        self.each(act)

    def release(self) -> None:
        """As it is most of the time: an order that prints, a pass in a printer's queue."""
        order_id, place = self.chance.choice(self.orders), self.chance.randrange(1, 99)

        def act(ledger) -> None:
            ledger.orders.set(order_id, state=OrderState.PRINTING)
            row = ledger.orders.passes(order_id, 1)[0]
            ledger.orders.set_pass(row, state=PassState.READY, printer="booklet-1", released=place)

        self.each(act)

    def release_sheet(self) -> None:
        """A check sheet in a printer's queue: it goes while the order waits, and no longer once that prints."""
        order_id, place = self.chance.choice(self.orders), self.chance.randrange(1, 99)
        state = self.chance.choice((OrderState.WAITING, OrderState.PRINTING))

        def act(ledger) -> None:
            ledger.orders.set(order_id, state=state)
            for row in ledger.orders.passes(order_id, BEFORE_THE_FIRST):
                ledger.orders.set_pass(row, state=PassState.READY, printer="plain-1", released=place)

        self.each(act)

    def open_attempt(self) -> None:
        order_id = self.chance.choice(self.orders)
        if self.both[1].orders.attempt(order_id, 1) is None:
            attempt = Attempt(order_id, 1, "booklet-1", Stock.CERTIFICATE, "D23000000101")
            self.each(lambda ledger: ledger.orders.add_attempt(attempt))
        elif self.chance.random() < 0.5:
            self.each(lambda ledger: ledger.orders.drop_attempt(order_id, 1))
        else:
            self.each(lambda ledger: ledger.orders.propose(order_id, 1, None))

    def begin_try(self) -> None:
        order_id, try_id = self.chance.choice(self.orders), self.next_id()
        self.tries.append(try_id)
        at = AT + timedelta(seconds=self.count)
        self.each(lambda ledger: ledger.tries.begin(try_id, ledger.orders.passes(order_id, 1)[0], "booklet-1", at))

    def go_on_with_try(self) -> None:
        if self.tries:
            try_id, is_end = self.chance.choice(self.tries), self.chance.random() < 0.4
            if is_end:
                self.each(lambda ledger: ledger.tries.end(try_id, "again", AT, {"why": "revoked"}))
            else:
                self.each(lambda ledger: ledger.tries.set(try_id, state=PassState.CREATED, cups_job=7))

    def move_blanks(self) -> None:
        first = 101 + self.chance.randrange(20)
        status = self.chance.choice(("loaded", "reserved", "used", "void"))
        in_printer = status in ("loaded", "reserved")
        blanks = Range(
            stock=Stock.CERTIFICATE,
            prefix="D",
            first=first,
            last=first + self.chance.randrange(6),
            status=status,
            printer="booklet-1" if in_printer else None,
            loading=1 if in_printer else None,
            order_id=an_id(1) if status == "reserved" else None,
        )
        movement = {"void": "void", "used": "use"}.get(status, "load")
        where = {"stock": blanks.stock, "prefix": "D", "first": blanks.first, "last": blanks.first}

        def act(ledger) -> int:
            ledger.blanks.put(blanks)
            return ledger.blanks.note(movement, **where, actor=BY, at=AT, order_id=an_id(1))

        self.each(act)

    def ask(self) -> None:
        order_id = self.chance.choice(self.orders)
        if self.both[1].approvals.open_for(order_id) is None:
            details = {"blanks": [], "outcome": "spoiled"}
            asked = Approval(self.next_id(), order_id, 1, "spoil", details, "r", BY, AT, None, None, None)
            self.each(lambda ledger: ledger.approvals.add(asked))

    def answer(self) -> None:
        for approval in self.both[1].approvals.all(answered=False):
            accepted = self.chance.random() < 0.5
            self.each(
                lambda ledger, a=approval, ok=accepted: ledger.approvals.answer(
                    a.id, accepted=ok, by=BY, at=AT, reason=""
                )
            )

    def take_control(self) -> None:
        control = ControlRow(
            an_id(500 + self.chance.randrange(5)), self.chance.choice(self.orders), "231221", "hold", "{}", None
        )
        if self.both[1].controls.get(control.control_id) is None or self.chance.random() < 0.5:
            self.each(lambda ledger: ledger.controls.add(control, AT))
        else:
            self.each(lambda ledger: ledger.controls.answered(control.control_id, "held", AT))

    def tell(self) -> None:
        letter_id = self.next_id()

        def act(ledger) -> None:
            sequence, _ = ledger.outbox.end_of_chain("231221")
            ledger.outbox.add(
                letter_id,
                registry="231221",
                kind="standing",
                epoch=an_id(1),
                sequence=sequence + 1,
                digest=f"{letter_id.int:064x}",
                order_id=None,
                body=b"b",
                at=AT,
            )

        self.each(act)

    def send(self) -> None:
        pending = [row["id"] for row in self.both[1].outbox.pending(9, AT)]
        if pending and self.chance.random() < 0.7:
            self.each(lambda ledger: ledger.outbox.sent(pending[0], AT))
        elif pending:
            later = AT + timedelta(seconds=1)
            self.each(lambda ledger: ledger.outbox.failed(pending[0], "not-now", lambda failures: later))

    def fail(self) -> None:
        """What a transaction wrote before it failed is gone."""
        order_id = self.chance.choice(self.orders)
        for ledger in self.both:
            with pytest.raises(ZeroDivisionError), ledger.transaction():
                ledger.orders.set(order_id, state=OrderState.ISSUED, serial="D23000000199")
                ledger.orders.note(order_id, at=AT, state=OrderState.ISSUED, reasons=(), attempt=1, actor=BY)
                _ = 1 // 0


ACTS = [
    getattr(Pair, name)
    for name in (
        *(
            "add_order",
            "change_order",
            "change_pass",
            "release",
            "release",
            "release_sheet",
            "open_attempt",
            "begin_try",
            "go_on_with_try",
        ),
        *("move_blanks", "ask", "answer", "take_control", "tell", "send", "fail"),
    )
]


def seen(ledger, orders: list[UUID]) -> dict[str, object]:
    """All that the hall asks a ledger."""
    state: dict[str, object] = {
        "orders": [ledger.orders.get(order_id) for order_id in orders],
        "active": list(ledger.orders.active()),
        "waiting": list(ledger.orders.waiting(9)),
        "late": sorted(ledger.orders.late(AT + timedelta(minutes=30)), key=lambda o: o.order_id),
        "passes": [ledger.orders.passes(order_id, 1) for order_id in orders],
        "all passes": [ledger.orders.all_passes(order_id) for order_id in orders],
        "attempts": [ledger.orders.attempt(order_id, 1) for order_id in orders],
        "unknown": _sorted(ledger.orders.unknown()),
        "tries": [list(ledger.tries.of_pass(order_id, 1, 1)) for order_id in orders],
        "outcomes": ledger.tries.outcomes(),
        "blanks": list(ledger.blanks.all()),
        "counts": ledger.blanks.counts(),
        "moved": ledger.blanks.moved(Stock.CERTIFICATE),
        "life": list(ledger.blanks.life(Stock.CERTIFICATE, "D", 105)),
        "void": ledger.blanks.voided_for(an_id(1)),
        "reserved": sorted(ledger.blanks.reserved_for(an_id(1)), key=lambda r: r.first),
        "approvals": [ledger.approvals.open_for(order_id) for order_id in orders],
        "controls": [list(ledger.controls.about(order_id, "231221")) for order_id in orders],
        "chain": ledger.outbox.end_of_chain("231221"),
        "depth": ledger.outbox.depth(),
        "pending": [[row["id"] for row in ledger.outbox.pending(9, now)] for now in (AT, AT + timedelta(minutes=1))],
    }
    for printer in PRINTERS:
        state |= {
            f"queued at {printer}": list(ledger.orders.queued(printer)),
            f"under way at {printer}": _sorted(ledger.orders.under_way(printer)),
            f"served by {printer}": _sorted(ledger.orders.served(printer)),
            f"in {printer}": list(ledger.blanks.at_printer(printer)),
            f"open at {printer}": list(ledger.tries.open_at(printer)),
        }
    return state


def _sorted(rows) -> list[object]:
    return sorted(rows, key=lambda row: (row.order_id, row.attempt, row.number))


@pytest.mark.parametrize("seed", range(25))
def test_both_ledgers_answer_alike_whatever_is_done_to_them(tmp_path, seed):
    pair = Pair(tmp_path / "ledger.sqlite", seed)
    pair.add_order()
    for _ in range(60):
        pair.chance.choice(ACTS)(pair)
        real, memory = (seen(ledger, pair.orders) for ledger in pair.both)
        assert real == memory
