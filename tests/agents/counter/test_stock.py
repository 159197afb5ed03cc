"""Blanks by serial: each in one place, nothing vanishes, all or nothing."""

from itertools import pairwise
from time import process_time

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from agents.board import Board
from agents.errors import DoesNotFit, Invalid, NotAllowed, NotFound
from agents.ledger import Ledger
from agents.serials import Serial
from agents.stock import Movement, StockRoom
from spooler.wire.messages import Stock
from tests.agents.counter.hall import CLERK, PRINTERS, SECOND, Clock
from tests.sealing import NOW

C = Stock.CERTIFICATE


def a_range(first: int, last: int, prefix: str = "D") -> dict[str, str]:
    return {"first": str(Serial(prefix, first)), "last": str(Serial(prefix, last))}


def move(counter, movement: Movement, first: int, last: int, **more):
    return counter.stock.move(CLERK, movement, stock=C, **a_range(first, last), **more)


def status(counter, number: int) -> str:
    return counter.stock.blank(CLERK, C, str(Serial("D", number))).status


def test_a_range_moves_all_or_nothing(counter):
    """One blank that does not fit hinders the whole range, and is named."""
    move(counter, Movement.RECEIVE, 1, 50)
    move(counter, Movement.VOID, 20, 20, reason="wet")

    with pytest.raises(DoesNotFit) as refused:
        move(counter, Movement.LOAD, 1, 50, printer="booklet-1")

    assert refused.value.code == "blank-void"
    assert "D00000000020" in str(refused.value)
    assert status(counter, 1) == "in-stock"


def test_a_blank_is_received_once(counter):
    move(counter, Movement.RECEIVE, 1, 50)

    with pytest.raises(DoesNotFit):
        move(counter, Movement.RECEIVE, 50, 60)

    assert status(counter, 60) == "not-received"


def test_each_stock_has_numbers_of_its_own(counter):
    move(counter, Movement.RECEIVE, 1, 5)

    counter.stock.move(CLERK, Movement.RECEIVE, stock=Stock.PROOF, **a_range(1, 5))
    counter.stock.move(CLERK, Movement.RECEIVE, stock=C, **a_range(1, 5, prefix=""))

    assert counter.stock.view(CLERK).balanced


def test_the_whole_life_of_a_blank(counter):
    order_id = counter.has_printed_booklet()
    counter.confirms(order_id)

    blank = counter.stock.blank(CLERK, C, "D23000000101")

    assert [m.movement for m in blank.movements] == ["receive", "load", "reserve", "use"]
    assert blank.movements[-1].order_id == order_id
    assert [m.actor.id for m in blank.movements] == ["clerk-1"] * 4


def test_packs_are_fed_in_the_order_in_which_they_were_loaded(counter):
    """Not in the order of their numbers."""
    move(counter, Movement.UNLOAD, 23000000101, 23000000110)
    move(counter, Movement.LOAD, 23000000106, 23000000110, printer="booklet-1")
    move(counter, Movement.LOAD, 23000000101, 23000000105, printer="booklet-1")

    order_id = counter.arrives(counter.booklet())

    assert counter.releases(order_id).proposed_serial == "D23000000106"


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"first": "D1"}, Invalid),
        ({"first": "E00000000001"}, Invalid),
        ({"first": "D00000000009", "last": "D00000000001"}, Invalid),
        ({"last": "D99999999999"}, Invalid),
        ({"stock": Stock.PLAIN}, Invalid),
        ({"printer": "booklet-1"}, Invalid),
        ({"movement": Movement.LOAD}, Invalid),
        ({"movement": Movement.LOAD, "printer": "proof-1"}, DoesNotFit),
        ({"movement": Movement.LOAD, "printer": "nowhere"}, NotFound),
        ({"movement": Movement.VOID}, Invalid),
        ({"by": SECOND}, NotAllowed),
    ],
)
@pytest.mark.fault_row("F34")
def test_what_cannot_be_is_refused(counter, more, error):
    call = {"by": CLERK, "movement": Movement.RECEIVE, "stock": C, **a_range(1, 9), **more}

    with pytest.raises(error):
        counter.stock.move(call.pop("by"), call.pop("movement"), **call)


def test_a_reserved_blank_is_not_moved_by_hand(counter):
    counter.releases(counter.arrives(counter.booklet()))

    with pytest.raises(DoesNotFit) as refused:
        move(counter, Movement.UNLOAD, 23000000101, 23000000110)

    assert refused.value.code == "blank-reserved"


def test_ten_thousand_blanks_move_at_once(counter):
    """Work grows with ranges, not with blanks."""
    began = process_time()
    move(counter, Movement.RECEIVE, 1, 10_000)
    move(counter, Movement.LOAD, 1, 10_000, printer="booklet-1")

    assert process_time() - began < 1
    (booklet, *_) = counter.acts.printers(CLERK)
    assert booklet.blanks == 10_010


class _Blanks(RuleBasedStateMachine):
    """Random movements beside a model that keeps every single blank."""

    def __init__(self, room, view) -> None:
        super().__init__()
        self.room, self.view = room, view
        self.model: dict[int, str] = {}

    @rule(movement=st.sampled_from(list(Movement)), first=st.integers(1, 40), size=st.integers(0, 15))
    def moves(self, movement, first, size):
        numbers = range(first, first + size + 1)
        printer = "booklet-1" if movement is Movement.LOAD else None
        fits = all(self.model.get(n, "") in FROM[movement] for n in numbers)
        try:
            self.room.move(CLERK, movement, stock=C, printer=printer, reason="because", **a_range(first, first + size))
        except DoesNotFit:
            assert not fits
        else:
            assert fits
            self.model.update((n, TO.get(movement, self.model.get(n, ""))) for n in numbers)

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def each_blank_is_where_the_model_has_it(self, data):
        number = data.draw(st.sampled_from(sorted(self.model)))
        assert self.room.blank(CLERK, C, str(Serial("D", number))).status == self.model[number]

    @invariant()
    def nothing_vanishes(self):
        ranges = [r for r in self.view().ranges if r.stock is C]
        assert self.view().balanced
        assert sum(r.count for r in ranges) == len(self.model)
        ends = [(r.first, r.last) for r in ranges]
        assert all(a[1] < b[0] for a, b in pairwise(ends))
        # Neighbours that are alike are one range.
        assert len(ranges) <= 1 + sum(self.model[n] != self.model.get(n + 1, "") for n in self.model)


FROM = {
    Movement.RECEIVE: {"", "transferred", "returned"},
    Movement.LOAD: {"in-stock"},
    Movement.UNLOAD: {"loaded"},
    Movement.VOID: {"in-stock", "loaded"},
    Movement.LOST: {"in-stock", "loaded", "void"},
    Movement.TRANSFER: {"in-stock"},
    Movement.RETURN: {"in-stock", "void"},
    Movement.DESTROY: {"void"},
    Movement.COUNT: {"in-stock", "loaded", "void"},
    Movement.HANDOVER: {"in-stock", "loaded", "void"},
}
TO = {
    Movement.RECEIVE: "in-stock",
    Movement.LOAD: "loaded",
    Movement.UNLOAD: "in-stock",
    Movement.VOID: "void",
    Movement.LOST: "lost",
    Movement.TRANSFER: "transferred",
    Movement.RETURN: "returned",
    Movement.DESTROY: "destroyed",
}


def test_whatever_moves_nothing_vanishes(tmp_path_factory):
    """used + void + on hand and gone = received, and each number stands in one place (I6)."""

    def fresh() -> _Blanks:
        ledger = Ledger(tmp_path_factory.mktemp("stock") / "ledger.sqlite")
        board = Board([p for p in PRINTERS if p.stock is C], ledger)
        room = StockRoom(ledger=ledger, board=board, clock=Clock(NOW), changed=lambda: None)
        return _Blanks(room, lambda: room.view(CLERK))

    run_state_machine_as_test(
        fresh,
        settings=settings(
            max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
