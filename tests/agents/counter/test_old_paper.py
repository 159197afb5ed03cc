"""换发 and 更正: the old paper is taken back before the new one is handed over, and who did it is written down."""

import pytest

from agents.errors import DoesNotFit, Invalid, NotAllowed
from agents.people import Identity, Recipient
from spooler.wire.messages import Hold, Replaces, Resume
from tests.agents.counter.hall import CLERK, SECOND

NUMBER = "黑（2019）望奎县不动产权第0000123号"
OLD = Replaces(issuance="renewal", number=NUMBER, version=1, serial="D23000000077", take_back=True)


def issue(counter, order_id):
    identity = Identity(method="id-card", result="match")
    return counter.acts.issue(CLERK, order_id, recipient=Recipient("holder"), identity=identity).order


def take_back(counter, order_id, serial=None, by=CLERK):
    attempt = counter.order(order_id).attempt
    return counter.acts.old_returned(by, order_id, attempt=attempt, serial=serial).order


@pytest.fixture
def printed(counter):
    """A renewal that is printed and confirmed."""
    order_id = counter.has_printed_proof(replaces=OLD)
    counter.confirms(order_id)
    return order_id


def test_nothing_is_handed_over_before_the_old_paper_is_back(counter, printed):
    view = counter.order(printed)
    assert view.next == ("old_returned", "spoil", "return")
    assert view.replaces is not None and (view.replaces.number, view.replaces.returned) == (NUMBER, False)

    with pytest.raises(DoesNotFit) as refused:
        issue(counter, printed)

    assert (refused.value.code, refused.value.fits) == ("old-not-returned", ("old_returned", "spoil", "return"))
    assert NUMBER in str(refused.value)
    assert take_back(counter, printed).next == ("issue", "spoil", "return")
    assert issue(counter, printed).state == "issued"


def test_who_took_it_back_is_written_down_and_told(counter, printed):
    take_back(counter, printed, "D23000000077")

    last = counter.ledger.orders.events(printed)[-1]
    assert (last["actor_id"], last["detail"]) == ("clerk-1", "old-returned D23000000077")
    told = counter.reports("standing")[-1]
    assert (told.act, told.old_serial, told.state, told.actor.id) == (
        "old-returned",
        "D23000000077",
        "printed",
        "clerk-1",
    )


def test_another_paper_than_the_one_that_home_named_is_not_taken_for_it(counter, printed):
    with pytest.raises(Invalid) as refused:
        take_back(counter, printed, "D23000000078")

    assert (refused.value.field, refused.value.code) == ("serial", "mismatch")
    assert counter.order(printed).replaces.returned is False


def test_it_may_be_brought_before_anything_is_printed(counter):
    order_id = counter.arrives(counter.proof(replaces=OLD))
    assert counter.order(order_id).next == ("old_returned", "release", "return")

    assert take_back(counter, order_id).next == ("release", "return")
    with pytest.raises(DoesNotFit):
        take_back(counter, order_id)


def test_it_stays_taken_back_when_the_new_one_is_spoiled(counter, printed):
    take_back(counter, printed)
    counter.acts.spoil(CLERK, printed, attempt=1, blanks=["23000000101"], reason="torn")
    counter.accepts(printed)

    counter.releases(printed)
    counter.prints("proof-1")
    counter.confirms(printed)

    assert issue(counter, printed).state == "issued"


def test_it_is_remembered_by_an_agent_that_was_restarted(counter, printed):
    take_back(counter, printed)
    counter.restart()

    assert counter.order(printed).replaces.returned is True
    assert issue(counter, printed).state == "issued"


def test_only_a_clerk_takes_it_back(counter, printed):
    with pytest.raises(NotAllowed):
        take_back(counter, printed, by=SECOND)


def test_while_home_holds_the_order_nothing_is_done_with_it(counter, printed):
    counter.control(Hold, printed, reason="")
    assert counter.order(printed).next == ("spoil", "return")
    with pytest.raises(DoesNotFit) as refused:
        issue(counter, printed)
    assert refused.value.code == "does-not-fit"

    counter.clock.forward(seconds=1)
    counter.control(Resume, printed, reason="")

    assert "old_returned" in counter.order(printed).next


@pytest.mark.parametrize(
    "replaces",
    [
        None,
        OLD.model_copy(update={"take_back": False}),
        OLD.model_copy(update={"issuance": "replacement", "take_back": False}),
    ],
    ids=["first", "said in the request", "lost"],
)
def test_where_nothing_has_to_come_back_nobody_is_asked(counter, replaces):
    order_id = counter.has_printed_proof(replaces=replaces)
    counter.confirms(order_id)

    assert counter.order(order_id).next == ("issue", "spoil", "return")
    with pytest.raises(DoesNotFit):
        take_back(counter, order_id)
    assert issue(counter, order_id).state == "issued"
