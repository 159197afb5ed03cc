"""A hall that does not trust its journal: it prints nothing, believes home and permits, and two persons lead it out."""

from datetime import datetime
from uuid import UUID, uuid4

import pytest

from agents.app import open_ledger
from agents.errors import DoesNotFit, NotAllowed
from agents.ledger import Ledger
from agents.ledger.binding import WHY
from agents.ledger.past import Stranger
from agents.permit import Permit, PermitDirectory
from agents.stock import Movement
from agents.strangers import note_strangers
from spooler.seal.ticket import SealedOrder
from spooler.wire.messages import Cancel, Halt, KnownOrder, Restore, Stock
from spooler.wire.signed import sign
from tests.agents.counter.hall import CLERK, HALL, HOME, SECOND, Counter, delivery
from tests.sealing import OTHER_HOME

LEAVE = {"reason": "all looked at"}


@pytest.fixture
def lost(counter: Counter, make_counter) -> Counter:
    """The hall after its journal was lost: a new ledger, the old permits; it has asked."""
    counter.ledger.close()
    (counter.directory / "ledger.sqlite").unlink()
    found = make_counter(is_new=False, permits_are_new=False)
    found.fill()
    found.hall.reconciliation.begin()
    return found


def tells(counter: Counter, *orders: KnownOrder, is_first: bool = False, part: int = 1, parts: int = 1) -> None:
    """Every registry answers what it was asked last; the home registry with these orders."""
    for asked in counter.ledger.past.asked():
        control = Restore(
            control_id=uuid4(),
            registry=asked.registry,
            hall=HALL,
            at=counter.clock(),
            ask=asked.ask,
            part=part,
            parts=parts,
            is_first=is_first,
            orders=orders if asked.registry == HOME else (),
        )
        arrives(counter, control, asked.registry)


def arrives(counter: Counter, control: Restore | Halt, registry: str = HOME) -> None:
    body = sign(control.to_bytes(), "application/vnd.certspool.control.v1+json", counter.office.ticket_key(registry))
    counter.hall.inbox.handle(delivery("control", body, {"v": 1, "registry": registry, "hall": HALL}))


def known(order: SealedOrder, state: str, **more: object) -> KnownOrder:
    ticket = order.ticket
    facts = {"attempt": 1, "opened_at": ticket.issued_at, "not_after": ticket.not_after, **more}
    return KnownOrder(order_id=ticket.order_id, state=state, **facts)  # type: ignore[arg-type]


def leaves(counter: Counter, **more: object) -> None:
    count_all(counter)
    counter.hall.reconciliation.leave(CLERK, **{**LEAVE, **more})  # type: ignore[arg-type]
    counter.hall.reconciliation.leave(SECOND)


def count_all(counter: Counter) -> None:
    for one in counter.hall.reconciliation.view(CLERK).uncounted:
        counter.stock.move(CLERK, Movement.COUNT, stock=one.stock, first=one.first, last=one.last)


def states(counter: Counter, order_id: UUID) -> list[str]:
    return [row.state for row in counter.order(order_id).passes]


def test_a_hall_that_lost_its_journal_asks_every_registry_once(lost):
    asked = lost.reports("reconcile")

    assert {r.registry for r in asked} == {HOME, OTHER_HOME}
    assert {(r.phase, r.why) for r in asked} == {("asked", "lost")}
    lost.hall.reconciliation.begin()
    assert len(lost.reports("reconcile")) == 2


def test_what_home_saw_printing_comes_back_unknown(lost):
    """A person closes it; the machine prints it never again by itself."""
    order = lost.booklet()

    tells(lost, known(order, "printing", begun=(1,), printer="booklet-1"))
    order_id = lost.arrives(order)

    assert states(lost, order_id) == ["unknown", "ready", "done"]
    assert lost.order(order_id).state == "printing"
    assert lost.order(order_id).next == ("resolve",)
    assert lost.has_to_print("booklet-1") is None
    assert [r.kind for r in lost.reports() if getattr(r, "order_id", None) == order_id] == ["pass", "ask", "received"]


def test_what_home_did_not_see_begin_comes_back_as_it_was(lost):
    waiting, printed = lost.booklet(), lost.proof()

    tells(lost, known(waiting, "waiting"), known(printed, "printed", serial="23000000105"))
    orders = [lost.arrives(waiting), lost.arrives(printed)]

    assert [lost.order(o).state for o in orders] == ["waiting", "printed"]
    assert lost.order(orders[1]).serial == "23000000105"
    assert lost.stock.blank(CLERK, Stock.PROOF, "23000000105").status == "used"


def test_the_answer_may_come_after_the_order(lost):
    order = lost.proof()
    order_id = lost.arrives(order)

    tells(lost, known(order, "printing", begun=(1,)))

    assert states(lost, order_id) == ["unknown"]


def test_paper_that_only_the_permits_know_is_unknown_too(lost, tmp_path):
    """The hall printed while home heard nothing, then lost its journal: the permit directory remembers."""
    order = lost.proof()
    with lost.ledger.transaction():
        lost.ledger.past.add_stranger(Stranger(uuid4(), order.ticket.order_id, 1, 1))

    tells(lost, known(order, "sent"))
    order_id = lost.arrives(order)

    assert states(lost, order_id) == ["unknown"]
    assert lost.order(order_id).state == "printing"


def test_a_permit_that_nobody_claimed_is_won_back_and_no_paper(tmp_path):
    permits = PermitDirectory.open(tmp_path / "permits", backend_user=None, in_memory=True)
    ledger = Ledger(tmp_path / "ledger.sqlite")
    claimed, unclaimed, order_id = uuid4(), uuid4(), uuid4()
    for try_id in (claimed, unclaimed):
        permits.issue(Permit(try_id, 7, "q", "file:/q", 1, order=order_id, attempt=1, number=2))
    (permits.path / "spent" / str(claimed)).write_text('{"by": "once"}')

    found = note_strangers(ledger, permits)

    assert found == [Stranger(claimed, order_id, 1, 2)]
    assert not permits.path.joinpath("done", str(unclaimed)).exists() and permits.revoke(unclaimed)
    assert note_strangers(ledger, permits) == []


def test_an_older_journal_is_brought_to_where_home_is(make_counter):
    """Restored from a copy: what has ended since then is not printed, what went on goes on there."""
    counter = make_counter()
    orders = [counter.proof() for _ in range(3)]
    ids = [counter.arrives(order) for order in orders]
    arrives(counter, Halt(control_id=uuid4(), registry=HOME, hall=HALL, at=counter.clock(), reason="rolled-back"))
    (asked,) = [r for r in counter.reports("reconcile") if r.registry == HOME]
    assert set(asked.orders) == set(ids)

    tells(
        counter,
        known(orders[0], "issued", serial="23000000101"),
        known(orders[1], "cancelled"),
        known(orders[2], "printing", attempt=2, begun=(1,)),
    )

    assert [counter.order(i).state for i in ids] == ["issued", "cancelled", "printing"]
    assert (counter.order(ids[2]).attempt, states(counter, ids[2])) == (2, ["unknown"])


def test_a_try_under_way_is_judged_by_its_permit_first(make_counter):
    counter = make_counter()
    order = counter.proof()
    order_id = counter.arrives(order)
    counter.releases(order_id)
    begun = counter.begins("proof-1")
    arrives(counter, Halt(control_id=uuid4(), registry=HOME, hall=HALL, at=counter.clock(), reason="rolled-back"))

    tells(counter, known(order, "printing", begun=(1,)))

    assert states(counter, order_id) == ["releasing"] and begun.id in counter.recalled
    counter.book.again(begun.id, "revoked", {})
    assert states(counter, order_id) == ["unknown"]


def test_a_halted_hall_begins_no_pass_and_goes_on_in_a_new_epoch(counter):
    order_id = counter.arrives(counter.proof())
    counter.releases(order_id)
    before = counter.hall.binding
    aside: list[float] = []
    counter.hall.wakes.step_aside = aside.append
    halt = Halt(control_id=uuid4(), registry=HOME, hall=HALL, at=counter.clock(), reason="two-agents")

    for _ in range(2):
        arrives(counter, halt)

    assert counter.has_to_print("proof-1") is None
    now = counter.hall.binding
    assert (now.reconcile, now.instance) == (WHY["two-agents"], before.instance)
    assert now.epoch != before.epoch
    assert len(aside) == 1
    assert counter.ledger.bind(hall=HALL, machine="m", permits="p", permits_are_new=False).epoch == now.epoch


def test_nothing_is_called_ended_while_the_hall_is_in_doubt(lost):
    """A cancel waits: the hall cannot say that nothing was printed."""
    order = lost.proof()
    lost.control(Cancel, order.ticket.order_id, reason="")
    assert [r.outcome for r in lost.reports("answer")] == ["pending"]

    tells(lost, known(order, "sent"))
    order_id = lost.arrives(order)
    lost.hall.pipeline.look()
    assert lost.order(order_id).state == "waiting"
    with pytest.raises(DoesNotFit) as refused:
        lost.acts.return_to_home(CLERK, order_id, attempt=1, reason="wrong name")
    assert refused.value.code == "reconcile"

    leaves(lost)
    assert lost.order(order_id).state == "cancelled"
    assert [r.outcome for r in lost.reports("answer")] == ["pending", "cancelled"]


def test_an_order_that_comes_again_after_its_time_is_no_forgery(lost):
    """It is judged as of when it was first sent; that it has expired is another matter."""
    order = lost.proof()
    lost.clock.forward(days=9)

    tells(lost, known(order, "printing", begun=(1,)))
    order_id = lost.arrives(order)

    assert lost.order(order_id).state == "printing"


def test_two_persons_lead_it_out_and_only_when_all_is_known(lost):
    order = lost.proof()
    reconciliation = lost.hall.reconciliation
    with pytest.raises(DoesNotFit, match="has not answered"):
        reconciliation.leave(CLERK, **LEAVE)
    tells(lost, known(order, "waiting"))
    with pytest.raises(DoesNotFit, match="1 orders have not come back"):
        reconciliation.leave(CLERK, **LEAVE)
    order_id = lost.arrives(order)
    count_all(lost)

    reconciliation.leave(CLERK, **LEAVE)
    with pytest.raises(NotAllowed):
        reconciliation.leave(CLERK)
    assert not lost.hall.may_print()
    reconciliation.leave(SECOND)

    assert lost.hall.may_print()
    assert [r.phase for r in lost.reports("reconcile")][-2:] == ["left", "left"]
    assert lost.releases(order_id).state == "printing"
    lost.restart()
    assert lost.hall.may_print()


def test_blanks_that_nobody_counted_keep_it_from_printing(make_counter):
    counter = make_counter()
    counter.clock.forward(hours=1)
    arrives(counter, Halt(control_id=uuid4(), registry=HOME, hall=HALL, at=counter.clock(), reason="rolled-back"))
    tells(counter)

    with pytest.raises(DoesNotFit, match="blanks to be counted: D23000000101…D23000000110"):
        counter.hall.reconciliation.leave(CLERK, **LEAVE)

    counter.stock.move(CLERK, Movement.COUNT, stock=Stock.CERTIFICATE, first="D23000000101", last="D23000000110")
    counter.stock.move(CLERK, Movement.COUNT, stock=Stock.PROOF, first="23000000101", last="23000000104")
    assert [r.first for r in counter.hall.reconciliation.view(CLERK).uncounted] == ["23000000101"]
    leaves(counter)
    assert counter.hall.may_print()


def test_a_registry_that_answers_no_more_may_be_left_out_by_name(lost):
    (one,) = [asked for asked in lost.ledger.past.asked() if asked.registry == HOME]
    arrives(
        lost,
        Restore(
            control_id=uuid4(), registry=HOME, hall=HALL, at=lost.clock(), ask=one.ask, part=1, parts=1, is_first=False
        ),
    )

    leaves(lost, without=[OTHER_HOME])

    assert lost.hall.may_print()


def test_an_answer_in_parts_counts_when_all_are_there(lost):
    tells(lost, part=2, parts=2)
    assert not any(a.answered for a in lost.hall.reconciliation.view(CLERK).registries)

    tells(lost, part=1, parts=2)

    assert all(a.answered for a in lost.hall.reconciliation.view(CLERK).registries)


def test_an_answer_to_an_older_question_is_passed_over(lost):
    order = lost.proof()
    order_id = lost.arrives(order)
    old = Restore(
        control_id=uuid4(),
        registry=HOME,
        hall=HALL,
        at=lost.clock(),
        ask=uuid4(),
        part=1,
        parts=1,
        is_first=False,
        orders=(known(order, "issued"),),
    )

    arrives(lost, old)

    assert lost.order(order_id).state == "waiting"


def test_a_new_hall_prints_as_soon_as_every_registry_says_that_it_is_new(office, tmp_path):
    new = Counter(office, tmp_path / "new", asks_first=True)
    new.hall.reconciliation.begin()
    order_id = new.arrives(new.proof())
    assert not new.hall.may_print()

    tells(new, is_first=True)

    assert new.hall.may_print()
    assert new.releases(order_id).state == "printing"


def test_a_hall_that_only_thinks_it_is_new_is_not(office, tmp_path):
    """Machine and permits were replaced: home remembers."""
    replaced = Counter(office, tmp_path / "new", asks_first=True)
    replaced.hall.reconciliation.begin()

    tells(replaced, is_first=False)

    assert not replaced.hall.may_print()


@pytest.mark.fault_row("F30")
def test_a_damaged_ledger_is_kept_beside_a_fresh_one(tmp_path):
    """F30: a flipped page is found at the start; nothing is printed from it, and nothing of it is thrown away."""
    path = tmp_path / "ledger.sqlite"
    ledger, is_damaged = open_ledger(path)
    assert not is_damaged
    ledger.bind(hall=HALL, machine="m", permits="p", permits_are_new=True)
    ledger.close()
    content = path.read_bytes()
    damaged = content[:4096] + b"\xff" * 4096 + content[8192:]
    path.write_bytes(damaged)

    fresh, is_damaged = open_ledger(path)

    binding = fresh.bind(hall=HALL, machine="m", permits="p", permits_are_new=True, is_damaged=is_damaged)
    assert binding.reconcile == WHY["damaged"]
    (kept,) = tmp_path.glob("ledger.sqlite.damaged-*")
    assert kept.read_bytes() == damaged


def test_a_journal_older_than_the_permits_starts_a_new_epoch(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    here = {"hall": HALL, "machine": "m", "permits": "p"}
    first = ledger.bind(**here, permits_are_new=True)

    second = ledger.bind(**here, permits_are_new=False, has_strangers=True)

    assert (second.epoch != first.epoch, second.reconcile) == (True, WHY["rolled-back"])
    assert isinstance(ledger.past.since(), datetime)
