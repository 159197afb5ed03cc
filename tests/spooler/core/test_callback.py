"""The registration system is told in order, signed, and as often as it takes."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from threading import Thread
from time import monotonic, sleep

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from spooler.callback import CallbackSender, Target
from spooler.callback_address import Allowed
from spooler.store.values import Topic
from tests.sealing import NOW
from tests.spooler.core.conftest import Clock, Home
from tests.spooler.core.hall import FakeHall
from tests.spooler.core.receiver import Receiver

HERE = Allowed((ip_network("127.0.0.1/32"),), plain_http=True)
SECRET, OLD_SECRET = "whsec_bmV3LXNlY3JldC1uZXctc2VjcmV0", "whsec_b2xkLXNlY3JldC1vbGQtc2VjcmV0"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.close()


@pytest.fixture
def sender(home: Home, receiver: Receiver) -> Iterator[CallbackSender]:
    found = _sender(home, receiver.port)
    yield found
    found.stop()


def _sender(home: Home, port: int, limit_seconds: float = 10.0) -> CallbackSender:
    target = Target("records", f"http://127.0.0.1:{port}/callbacks", (SECRET, OLD_SECRET), HERE)
    return CallbackSender(store=home.store, target=target, clock=home.clock, limit_seconds=limit_seconds)


def test_events_come_in_order_and_once(home: Home, hall: FakeHall, sender: CallbackSender, receiver: Receiver) -> None:
    ticket = home.sent(hall)
    for report in (hall.received(ticket), hall.released(ticket), hall.printed(ticket), hall.issued(ticket)):
        home.collector.handle(report)

    _tell_all(sender)

    assert receiver.types == [f"job.{state}" for state in home.history(ticket)]
    assert [json.loads(body)["data"]["sequence"] for _, body in receiver.heard] == list(range(1, 8))


def test_an_event_is_thin_and_has_the_agreed_shape(home: Home, sender: CallbackSender, receiver: Receiver) -> None:
    job = home.accept()

    _tell_all(sender)

    (_, body), *_ = receiver.heard
    assert json.loads(body) == {
        "type": "job.accepted",
        "timestamp": "2024-05-20T02:00:00Z",
        "data": {
            "job_id": job.job_id,
            "request_id": job.request_id,
            "state": "accepted",
            "reasons": [],
            "sequence": 1,
            "attempt": 1,
            "serial": None,
        },
    }


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
@pytest.mark.fault_row("F37")
def test_a_receiver_with_either_secret_can_check(
    home: Home, clock: Clock, sender: CallbackSender, receiver: Receiver, secret: str
) -> None:
    """F37: while a secret is being exchanged, both sign."""
    home.accept()
    clock.time = datetime.now(UTC)

    _tell_all(sender)

    headers, body = receiver.heard[0]
    assert Webhook(secret).verify(body, headers)["type"] == "job.accepted"


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 410, 429, 500, 503])
@pytest.mark.fault_row("F36")
def test_only_2xx_counts_and_no_redirect_is_followed(
    home: Home, sender: CallbackSender, receiver: Receiver, status: int
) -> None:
    home.accept()
    receiver.answers = [status]

    sender.tell_due()

    assert len(receiver.heard) == 1
    assert home.store.callbacks.pending("records")[0].last_error == f"http-{status}"


def test_a_failed_event_holds_back_the_later_ones_of_its_job_only(
    home: Home, clock: Clock, sender: CallbackSender, receiver: Receiver
) -> None:
    first, second = home.accept(1), home.accept(2)
    home.pipeline.work_off()
    receiver.answers = [500]

    _tell_all(sender)
    told = [json.loads(body)["data"] for _, body in receiver.heard]
    assert [data["sequence"] for data in told if data["job_id"] == first.job_id] == [1]
    assert [data["sequence"] for data in told if data["job_id"] == second.job_id] == [1, 2]

    clock.advance(seconds=5)
    _tell_all(sender)
    told = [json.loads(body)["data"] for _, body in receiver.heard]
    assert [data["sequence"] for data in told if data["job_id"] == first.job_id] == [1, 1, 2]


def test_the_same_event_has_the_same_id_at_each_try(
    home: Home, clock: Clock, sender: CallbackSender, receiver: Receiver
) -> None:
    home.accept()
    receiver.answers = [500, 204]
    sender.tell_due()
    clock.advance(minutes=1)
    sender.tell_due()

    (before, _), (after, _) = receiver.heard
    assert before["webhook-id"] == after["webhook-id"]
    assert before["webhook-timestamp"] != after["webhook-timestamp"]


@pytest.mark.fault_row("F36")
def test_a_receiver_that_hangs_is_given_up_for_now(home: Home, receiver: Receiver) -> None:
    home.accept()
    receiver.hangs = True
    sender = _sender(home, receiver.port, limit_seconds=0.3)
    began = monotonic()

    sender.tell_due()

    assert monotonic() - began < 5
    assert home.store.callbacks.pending("records")[0].last_error == "ReadTimeout"


@pytest.mark.fault_row("F36")
def test_a_receiver_that_is_away_is_tried_again(home: Home, clock: Clock) -> None:
    home.accept()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    sender = _sender(home, port)

    sender.tell_due()
    assert sender.tell_due() == 0

    clock.advance(seconds=3)
    assert sender.tell_due() == 1


@pytest.mark.fault_row("F36")
def test_after_three_days_an_event_is_parked_and_can_be_replayed(
    home: Home, clock: Clock, sender: CallbackSender, receiver: Receiver
) -> None:
    """F36: parked holds back what follows; replay sends all of it, in order."""
    job = home.accept()
    home.pipeline.work_off()
    receiver.answers = [500] * 1000
    tries = _try_until_parked(home, sender, clock)
    assert 15 <= tries <= 40
    assert timedelta(days=3) <= clock() - NOW < timedelta(days=3, hours=7)
    assert [delivery.event.type for delivery in home.store.callbacks.parked("records")] == ["job.accepted"]
    assert set(receiver.types) == {"job.accepted"}

    receiver.answers = []
    receiver.heard.clear()
    assert home.store.callbacks.replay("records", job.job_id) == 1
    _tell_all(sender)

    assert receiver.types == ["job.accepted", "job.sealed"]


def test_an_event_is_told_at_once_when_it_happens(home: Home, sender: CallbackSender, receiver: Receiver) -> None:
    """The thread is woken; it does not poll: a rest of its own would be longer than is waited here."""
    home.store.transactions.listen(Topic.CALLBACKS, sender.wake)
    sender.start()
    sleep(0.1)

    home.accept()

    assert _until(lambda: receiver.heard != [])


def test_a_restart_goes_on_where_the_telling_stopped(home: Home, sender: CallbackSender, receiver: Receiver) -> None:
    home.accept()
    home.pipeline.work_off()
    sender.tell_due()
    home.store.close()

    home.open()
    again = _sender(home, receiver.port)
    _tell_all(again)
    again.stop()

    assert receiver.types == ["job.accepted", "job.sealed"]


def _tell_all(sender: CallbackSender) -> None:
    while sender.tell_due():
        pass


def _try_until_parked(home: Home, sender: CallbackSender, clock: Clock) -> int:
    """Go from one due time to the next; return how often it was tried."""
    tries = sender.tell_due()
    while (due_at := home.store.callbacks.next_due_at("records")) is not None:
        clock.time = max(clock.time, due_at)
        tries += sender.tell_due()
    return tries


def _until(condition: Callable[[], bool]) -> bool:
    give_up = monotonic() + 10
    while not condition() and monotonic() < give_up:
        sleep(0.01)
    return condition()


@pytest.mark.fault_row("F36")
@pytest.mark.parametrize(
    ("answer", "is_taken"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (b"HTTP/1.1 200", False),
        (b"", False),
        (b"no http at all\r\n\r\n", False),
    ],
    ids=["2xx, then it closes", "2xx without a body", "half a line", "nothing", "rubbish"],
)
def test_what_was_answered_counts_not_how_the_line_ended(
    home: Home, clock: Clock, answer: bytes, is_taken: bool
) -> None:
    """A 2xx is an answer although the receiver hangs up over it; less than one is none, and is tried again."""
    home.accept()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=_answers_once, args=(listener, answer), daemon=True).start()
        sender = _sender(home, listener.getsockname()[1], limit_seconds=2)
        sender.tell_due()
        sender.stop()

    assert home.store.callbacks.counts() == ({} if is_taken else {("records", "pending"): 1})
    clock.advance(hours=1)
    assert len(home.store.callbacks.due("records", clock())) == (0 if is_taken else 1)


@pytest.mark.fault_row("F37")
def test_a_secret_that_changes_between_two_tries_is_no_reason_to_miss_an_event(
    home: Home, clock: Clock, receiver: Receiver
) -> None:
    """Told under the old secret and not taken; then both sign the same event, so that a receiver with either takes it; then the new one."""
    clock.time = datetime.now(UTC)
    home.accept()
    receiver.answers = [500, 500, 204]
    for secrets in ((OLD_SECRET,), (SECRET, OLD_SECRET), (SECRET,)):
        target = Target("records", f"http://127.0.0.1:{receiver.port}/callbacks", secrets, HERE)
        sender = CallbackSender(store=home.store, target=target, clock=home.clock)
        sender.tell_due()
        sender.stop()
        clock.advance(seconds=10)

    assert len({headers["webhook-id"] for headers, _ in receiver.heard}) == 1
    assert [_opens_with(heard) for heard in receiver.heard] == [[OLD_SECRET], [SECRET, OLD_SECRET], [SECRET]]


def _opens_with(heard: tuple[dict[str, str], bytes]) -> list[str]:
    headers, body = heard
    found = []
    for secret in (SECRET, OLD_SECRET):
        with suppress(WebhookVerificationError):
            Webhook(secret).verify(body, headers)
            found.append(secret)
    return found


def _answers_once(listener: socket.socket, answer: bytes) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(5)
        while b'"}' not in connection.recv(65536)[-8:]:
            continue
        connection.sendall(answer)
