"""Numbers that this hall never received are nobody's to use, void or lose here: refused with a code, and nothing is written."""

import pytest

from agents.errors import DoesNotFit
from agents.stock import Movement
from spooler.wire.messages import Stock
from tests.agents.counter.hall import CLERK, Counter

OURS_FIRST, OURS_LAST = "D23000000101", "D23000000110"
FOREIGN_FIRST, FOREIGN_LAST = "D23000000500", "D23000000509"
HANDLED = [one for one in Movement if one is not Movement.RECEIVE]


def moves(counter: Counter, movement: Movement, first: str, last: str) -> None:
    printer = "booklet-1" if movement is Movement.LOAD else None
    counter.stock.move(
        CLERK, movement, stock=Stock.CERTIFICATE, first=first, last=last, printer=printer, reason="as I like"
    )


@pytest.mark.parametrize("movement", HANDLED)
@pytest.mark.attack_row("S32")
def test_a_range_of_another_hall_is_not_moved(counter: Counter, movement: Movement):
    before = counter.stock.movements(CLERK)

    with pytest.raises(DoesNotFit) as refused:
        moves(counter, movement, FOREIGN_FIRST, FOREIGN_LAST)

    assert refused.value.code == "blank-not-received"
    assert f"{FOREIGN_FIRST}…{FOREIGN_LAST}" in str(refused.value)
    assert counter.stock.movements(CLERK) == before
    assert counter.stock.view(CLERK).balanced


@pytest.mark.parametrize("movement", [Movement.VOID, Movement.LOST, Movement.COUNT])
@pytest.mark.parametrize(("first", "last"), [(OURS_FIRST, "D23000000111"), ("D23000000100", OURS_LAST)])
@pytest.mark.attack_row("S32")
def test_a_range_that_is_ours_in_part_is_refused_whole(counter: Counter, movement: Movement, first: str, last: str):
    with pytest.raises(DoesNotFit) as refused:
        moves(counter, movement, first, last)

    assert refused.value.code == "blank-not-received"
    assert counter.stock.blank(CLERK, Stock.CERTIFICATE, OURS_FIRST).status == "loaded"


@pytest.mark.attack_row("S32")
def test_the_same_digits_of_the_other_stock_are_foreign_too(counter: Counter):
    with pytest.raises(DoesNotFit) as refused:
        moves(counter, Movement.VOID, "23000000101", "23000000101")

    assert refused.value.code == "blank-not-received"


@pytest.mark.parametrize("act", ["confirm", "spoil", "return", "resolve"])
@pytest.mark.attack_row("S32")
def test_no_act_at_the_counter_takes_a_foreign_blank(counter: Counter, act: str):
    """Neither as the one that was printed nor as one that was spoiled."""
    if act == "resolve":
        order_id = counter.arrives(counter.booklet())
        counter.releases(order_id)
        unknown = counter.goes_unknown("booklet-1")
    else:
        order_id = counter.has_printed_booklet()

    with pytest.raises(DoesNotFit) as refused:
        if act == "confirm":
            counter.confirms(order_id, FOREIGN_FIRST)
        elif act == "spoil":
            counter.acts.spoil(CLERK, order_id, attempt=1, blanks=[FOREIGN_FIRST], reason="torn")
        elif act == "return":
            counter.acts.return_to_home(CLERK, order_id, attempt=1, reason="wrong name", blanks=[FOREIGN_FIRST])
        else:
            counter.acts.resolve(
                CLERK,
                order_id,
                attempt=1,
                number=1,
                try_id=unknown.id,
                outcome="spoiled",
                blanks=[FOREIGN_FIRST],
            )

    assert refused.value.code == "blank-not-received"
    assert counter.stock.blank(CLERK, Stock.CERTIFICATE, FOREIGN_FIRST).movements == ()
    assert not counter.order(order_id).approvals
