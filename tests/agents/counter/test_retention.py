"""What has ended and was told to home is destroyed after its time; the history, the serials and the audit log stay."""

import os
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from agents.clock_watch import ClockWatch
from agents.documents import Documents
from agents.errors import Destroyed
from spooler.wire.errors import BadEnvelope
from tests.agents.counter.hall import CLERK, Clock, Counter

DAYS = 7
HOLDER = "王金丝雀"


def an_ended_proof(counter: Counter) -> UUID:
    order_id = counter.arrives(counter.proof(holder=HOLDER))
    counter.acts.return_to_home(CLERK, order_id, attempt=1, reason="wrong", fields=[], blanks=[])
    return order_id


def home_has_all(counter: Counter) -> None:
    for letter in counter.hall.reporter.pending(10_000):
        counter.hall.reporter.sent(letter.id)


def look(counter: Counter, **later: float) -> None:
    counter.clock.forward(**later)
    counter.hall.pipeline.look()


def files(counter: Counter) -> list[Path]:
    return sorted((counter.directory / "orders").iterdir())


def ledger(counter: Counter) -> bytes:
    return b"".join(path.read_bytes() for path in counter.directory.glob("ledger.sqlite*"))


def test_after_its_time_the_hall_has_no_document_and_no_name(counter):
    order_id = an_ended_proof(counter)
    home_has_all(counter)
    assert counter.order(order_id).holder_masked == "王***"
    assert [o.order_id for o in counter.acts.orders(CLERK, q=HOLDER)] == [order_id]

    look(counter, days=DAYS, minutes=1)

    assert files(counter) == []
    view = counter.order(order_id)
    assert (view.holder_masked, view.state) == ("", "returned")
    assert counter.acts.orders(CLERK, q=HOLDER) == ()
    assert [o.order_id for o in counter.acts.orders(CLERK, q=view.number)] == [order_id]
    with pytest.raises(Destroyed):
        counter.acts.preview(CLERK, order_id)


@pytest.mark.attack_row("S40")
def test_what_it_was_found_by_stands_nowhere_in_the_ledgers_file(counter):
    """Hashes of names with a key that lies beside them: who has the disk tries every name. They are overwritten."""
    words = counter.hall._words
    order_id = an_ended_proof(counter)
    home_has_all(counter)
    traces = [words.hashed(HOLDER), words.hashed(HOLDER[:2]), "王***".encode()]
    assert all(trace in ledger(counter) for trace in traces)

    look(counter, days=DAYS, minutes=1)

    assert not any(trace in ledger(counter) for trace in traces)
    assert str(order_id).encode() in ledger(counter)


@pytest.mark.attack_row("S40")
def test_the_key_is_destroyed_before_the_file(counter):
    """Whoever still has the file cannot open it, the hall's own key in hand."""
    order_id = an_ended_proof(counter)
    home_has_all(counter)
    order = counter.ledger.orders.get(order_id)
    (path,) = files(counter)
    os.link(path, counter.directory / "copy")
    counter.hall.documents.contents(order)

    look(counter, days=DAYS, minutes=1)

    (counter.directory / "copy").rename(path)
    with pytest.raises(BadEnvelope):
        counter.hall.documents.contents(order)


def test_the_history_and_the_audit_log_stay_whole(counter):
    order_id = an_ended_proof(counter)
    home_has_all(counter)
    look(counter, days=DAYS, minutes=1)

    assert [event["detail"] for event in counter.ledger.orders.events(order_id)][-1] == "destroyed"
    assert counter.ledger.audit.verify().fault is None


def test_before_its_time_and_before_home_has_heard_nothing_is_destroyed(counter):
    early = an_ended_proof(counter)
    home_has_all(counter)
    look(counter, days=DAYS - 1)
    assert counter.order(early).holder_masked == "王***"

    untold = an_ended_proof(counter)
    look(counter, days=DAYS, minutes=1)
    assert counter.order(early).holder_masked == ""
    assert counter.order(untold).holder_masked == "王***"


def test_an_order_that_has_not_ended_is_kept(counter):
    order_id = counter.has_printed_proof(holder=HOLDER)
    home_has_all(counter)
    look(counter, days=30)

    assert counter.order(order_id).state == "printing"
    assert counter.hall.documents.document(counter.ledger.orders.get(order_id))


def test_a_hall_that_is_not_sure_of_its_journal_destroys_nothing(make_counter):
    counter = make_counter()
    order_id = an_ended_proof(counter)
    home_has_all(counter)
    counter.machine = "another"
    counter.restart()
    assert not counter.hall.may_print()

    look(counter, days=DAYS, minutes=1)

    assert counter.order(order_id).holder_masked == "王***"
    assert len(files(counter)) == 1


def test_a_clock_in_doubt_destroys_nothing(make_counter):
    """It jumped by weeks, and nobody vouches for it."""
    clock = Clock()
    counter = make_counter(clock=clock, clock_watch=ClockWatch(clock, steady=lambda: 0.0, is_vouched=lambda: False))
    order_id = an_ended_proof(counter)
    home_has_all(counter)

    look(counter, days=DAYS, minutes=1)

    assert counter.order(order_id).holder_masked == "王***"
    assert len(files(counter)) == 1


@pytest.mark.parametrize("dies_in", ["destroy", "forget_persons"])
def test_an_agent_that_dies_in_the_middle_goes_on_with_it(counter, monkeypatch, dies_in):
    order_id = an_ended_proof(counter)
    home_has_all(counter)
    owner = Documents if dies_in == "destroy" else type(counter.ledger.orders)
    real = getattr(owner, dies_in)

    def dies(*arguments: object) -> None:
        real(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(owner, dies_in, dies)
    with pytest.raises(KeyboardInterrupt):
        look(counter, days=DAYS, minutes=1)
    monkeypatch.undo()
    counter.restart()
    look(counter)

    assert files(counter) == [] and counter.order(order_id).holder_masked == ""


def test_a_file_that_no_order_owns_goes_when_it_is_as_old(counter):
    """The agent died before the order was written down, and home never sent it again."""
    kept = counter.arrives(counter.proof())
    left, torn = UUID(int=7), UUID(int=8)
    counter.hall.documents.keep(left, b"an envelope")
    (counter.directory / "orders" / f"{torn}.new").write_bytes(b"an env")

    look(counter)
    assert len(files(counter)) == 3

    old = (counter.clock() - timedelta(days=DAYS, minutes=1)).timestamp()
    for file in files(counter):
        os.utime(file, (old, old))
    look(counter, minutes=11)
    assert [file.stem for file in files(counter)] == [str(kept)]


def test_the_same_order_again_is_known_after_its_document_is_gone(counter):
    order = counter.proof(holder=HOLDER)
    order_id = counter.arrives(order)
    counter.acts.return_to_home(CLERK, order_id, attempt=1, reason="wrong", fields=[], blanks=[])
    home_has_all(counter)
    look(counter, days=DAYS, minutes=1)

    counter.arrives(order)

    assert files(counter) == [] and counter.order(order_id).state == "returned"
