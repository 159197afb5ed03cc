"""The hall's word: believed by its signature only, taken once and in order, and true to what the job then is."""

import json
from uuid import UUID, uuid4

import pytest

from spooler.documents import Private
from spooler.job import JobState, Reason
from spooler.store.values import Refusal, Replaced, Update
from spooler.wire import signed
from spooler.wire.errors import NotTrusted
from spooler.wire.keys import SigningKey
from spooler.wire.letters import Delivery
from spooler.wire.messages import (
    REPORT_TYPE,
    Actor,
    ApprovalReport,
    Ask,
    BlankCount,
    Case,
    Heartbeat,
    PassReport,
    PrinterStanding,
    Received,
    Refused,
    Returned,
    Standing,
    StockMoved,
)
from tests.sealing import HALL, HOLDER, HOME, NOW, OTHER_HALL, Office
from tests.spooler.core.conftest import Clock, Home
from tests.spooler.core.hall import SERIAL, FakeHall, delivery_of
from tests.spooler.store.builders import a_new_job


def test_a_job_goes_its_whole_way(home: Home, hall: FakeHall) -> None:
    """The main job: each report moves it, and each move is told in order."""
    ticket = home.sent(hall)

    for report in (hall.received(ticket), hall.released(ticket), hall.printed(ticket), hall.issued(ticket)):
        home.collector.handle(report)

    job = home.job(ticket)
    assert (job.state, job.serial, job.reasons) == (JobState.ISSUED, SERIAL, ())
    assert home.history(ticket) == ["accepted", "sealed", "sent", "received", "printing", "printed", "issued"]
    assert home.callbacks(ticket) == [f"job.{state}" for state in home.history(ticket)]
    handover = home.store.jobs.handover(job.job_id)
    assert handover is not None and handover.recipient_role == "holder"


def test_received_before_the_confirm_was_noted_is_no_fault(home: Home, hall: FakeHall) -> None:
    """F2, F3: the hall may answer before the broker's confirm reaches us; the second sending is harmless."""
    home.accept()
    home.pipeline.work_off()
    (order,) = home.orders()
    ticket, _ = hall.open(order)

    home.collector.handle(hall.received(ticket))
    home.send()

    assert home.job(ticket).state is JobState.RECEIVED
    assert home.alarms == []


@pytest.mark.fault_row("F31")
@pytest.mark.attack_row("S27")
def test_the_same_report_twenty_times_is_one(home: Home, hall: FakeHall) -> None:
    """F10, F31: duplicates are absorbed, and acked each time."""
    ticket = home.sent(hall)
    report = hall.received(ticket)

    for _ in range(20):
        home.collector.handle(report)

    assert home.history(ticket).count("received") == 1
    assert home.alarms == []


@pytest.mark.fault_row("F31")
def test_reports_out_of_order_wait_for_the_one_that_is_missing(home: Home, hall: FakeHall) -> None:
    ticket = home.sent(hall)
    received, released, printed = hall.received(ticket), hall.released(ticket), hall.printed(ticket)

    home.collector.handle(printed)
    home.collector.handle(released)
    assert home.job(ticket).state is JobState.SENT

    home.collector.handle(received)
    assert home.history(ticket)[-3:] == ["received", "printing", "printed"]


def test_what_was_parked_survives_a_restart(home: Home, hall: FakeHall) -> None:
    ticket = home.sent(hall)
    received, released = hall.received(ticket), hall.released(ticket)
    home.collector.handle(released)
    home.store.close()

    home.open()
    home.collector.handle(received)

    assert home.job(ticket).state is JobState.PRINTING


@pytest.mark.attack_row("S27")
def test_a_report_with_another_key_is_not_believed(home: Home, hall: FakeHall) -> None:
    """S27: forged."""
    ticket = home.sent(hall)
    hall.key = SigningKey.generate()

    with pytest.raises(NotTrusted):
        home.collector.handle(hall.received(ticket))

    assert home.job(ticket).state is JobState.SENT
    assert [alarm.code for alarm in home.alarms] == ["report-not-trusted"]


@pytest.mark.attack_row("S27")
def test_a_hall_cannot_speak_for_another(home: Home, office: Office, hall: FakeHall) -> None:
    """S22: signed by a hall that we know, sent under another one's key."""
    ticket = home.sent(hall)
    other = FakeHall(office, OTHER_HALL)
    other.hall = HALL

    with pytest.raises(NotTrusted):
        home.collector.handle(other.received(ticket))

    assert home.job(ticket).state is JobState.SENT


def test_a_hall_cannot_report_about_an_order_that_it_never_got(home: Home, office: Office, hall: FakeHall) -> None:
    ticket = home.sent(hall)

    home.collector.handle(FakeHall(office, OTHER_HALL).received(ticket))

    assert home.job(ticket).state is JobState.SENT
    assert [alarm.code for alarm in home.alarms] == ["unknown-order"]


def test_a_report_changed_on_its_way_is_not_believed(home: Home, hall: FakeHall) -> None:
    ticket = home.sent(hall)
    report = hall.received(ticket)
    body = bytearray(report.body)
    body[len(body) // 2] ^= 1

    with pytest.raises(NotTrusted):
        home.collector.handle(delivery_of(bytes(body)))


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b"[" * 100_000, b'{"payload": 1}'])
@pytest.mark.attack_row("S27")
def test_what_is_no_report_is_refused(home: Home, body: bytes) -> None:
    with pytest.raises(NotTrusted):
        home.collector.handle(delivery_of(body))


@pytest.mark.attack_row("S27")
def test_another_report_in_a_place_that_is_taken_is_refused(home: Home, hall: FakeHall) -> None:
    """F11: the same sequence with other bytes never replaces what was believed."""
    ticket = home.sent(hall)
    twin = FakeHall.__new__(FakeHall)
    twin.__dict__.update(hall.__dict__)
    home.collector.handle(hall.received(ticket))

    with pytest.raises(NotTrusted):
        home.collector.handle(twin.stands(ticket, "cancelled"))

    assert home.job(ticket).state is JobState.RECEIVED
    assert [alarm.code for alarm in home.alarms] == ["report-conflict", "report-not-trusted"]


def test_a_second_epoch_is_taken_and_alarmed(home: Home, hall: FakeHall) -> None:
    """A hall that lost or restored its journal begins anew: it is heard, and somebody looks."""
    ticket = home.sent(hall)
    home.collector.handle(hall.received(ticket))

    hall.start_again(epoch=uuid4())
    home.collector.handle(hall.released(ticket))

    assert home.job(ticket).state is JobState.PRINTING
    assert [alarm.code for alarm in home.alarms] == ["new-epoch"]


def test_an_agent_that_was_replaced_and_speaks_again_is_alarmed(home: Home, hall: FakeHall) -> None:
    """Two agents at one hall: the sign is an earlier instance after a later one."""
    ticket = home.sent(hall)
    first = hall.instance
    home.collector.handle(hall.received(ticket))
    hall.start_again()
    home.collector.handle(hall.stands(ticket, "waiting"))
    assert home.alarms == []

    hall.start_again(instance=first)
    home.collector.handle(hall.stands(ticket, "waiting"))

    assert [alarm.code for alarm in home.alarms] == ["two-agents"]


@pytest.mark.attack_row("S27")
def test_an_illegal_move_is_alarmed_and_stops_nothing(home: Home, hall: FakeHall) -> None:
    """S27: issued and then printing again cannot be; the reports behind it are still heard."""
    ticket = home.sent(hall)
    for report in (hall.received(ticket), hall.released(ticket), hall.printed(ticket), hall.issued(ticket)):
        home.collector.handle(report)

    home.collector.handle(hall.released(ticket))
    home.collector.handle(_heartbeat(hall))

    assert home.job(ticket).state is JobState.ISSUED
    assert [alarm.code for alarm in home.alarms] == ["illegal-move"]
    assert home.store.halls.all()[0].heartbeat_at == NOW


def test_a_spoiled_attempt_takes_the_job_back_to_received(home: Home, hall: FakeHall) -> None:
    ticket = home.sent(hall)
    home.collector.handle(hall.received(ticket))
    home.collector.handle(hall.released(ticket))

    home.collector.handle(hall.stands(ticket, "waiting", "waiting-release", attempt=2))

    job = home.job(ticket)
    assert (job.state, job.attempt, job.reasons) == (JobState.RECEIVED, 2, (Reason.WAITING_RELEASE,))


def test_an_order_that_the_hall_refuses_ends_the_job(home: Home, hall: FakeHall) -> None:
    ticket = home.sent(hall)

    home.collector.handle(hall.about(ticket, Refused, "refused", code="document-hash", message="not the document"))

    job = home.job(ticket)
    assert job.state is JobState.REFUSED
    assert job.refusal == Refusal("hall-refused", "document-hash: not the document")


def test_a_hall_that_could_not_open_an_order_knows_its_id_only(home: Home, hall: FakeHall) -> None:
    """Whose job it was is ours to know: the order's id is enough."""
    ticket = home.sent(hall)
    nobody = UUID(int=0)

    home.collector.handle(
        hall.about(ticket, Refused, "refused", job_id=nobody, code="envelope", message="does not open")
    )

    assert home.job(ticket).state is JobState.REFUSED


def test_returned_content_ends_the_job_and_frees_the_number(home: Home, hall: FakeHall) -> None:
    ticket = home.sent(hall)
    home.collector.handle(hall.received(ticket))

    home.collector.handle(hall.about(ticket, Returned, "returned", reason="姓名有误", fields=("holder",)))

    job = home.job(ticket)
    assert job.refusal == Refusal("returned-by-hall", "姓名有误 (holder)")
    assert home.accept(1, request_id="corrected").state is JobState.ACCEPTED


def test_an_expired_order_ends_the_order_not_the_job(home: Home, hall: FakeHall) -> None:
    ticket = home.sent(hall)
    home.collector.handle(hall.received(ticket))

    home.collector.handle(hall.stands(ticket, "expired"))

    job = home.job(ticket)
    assert (job.state, job.reasons) == (JobState.RECEIVED, (Reason.ORDER_EXPIRED,))
    assert [order.state for order in job.orders] == ["expired"]


def test_the_halls_reasons_replace_each_other_and_leave_ours(home: Home, hall: FakeHall) -> None:
    ticket = home.sent(hall)
    home.collector.handle(hall.stands(ticket, "waiting", "printer-jam", "waiting-stock", "a-word-of-tomorrow"))
    assert home.job(ticket).reasons == (Reason.PRINTER_JAM, Reason.WAITING_STOCK)

    home.collector.handle(hall.stands(ticket, "waiting", "waiting-release"))

    assert home.job(ticket).reasons == (Reason.WAITING_RELEASE,)
    assert home.callbacks(ticket)[-2:] == ["job.received", "job.reasons"]


def test_a_pass_is_in_the_history_with_printer_and_outcome(home: Home, hall: FakeHall) -> None:
    ticket = home.sent(hall)
    home.collector.handle(hall.received(ticket))
    home.collector.handle(hall.released(ticket))
    home.collector.handle(
        hall.about(ticket, PassReport, "printing", number=1, outcome="done", printer="proof-1", reasons=())
    )

    event = home.store.jobs.events(str(ticket.job_id))[-1]

    assert (event.pass_number, event.printer, event.detail, event.side) == (1, "proof-1", "done", "hall")


def test_an_unknown_outcome_is_a_reason_until_it_is_answered(home: Home, hall: FakeHall) -> None:
    ticket = home.sent(hall)
    home.collector.handle(hall.received(ticket))
    home.collector.handle(hall.released(ticket))
    about = {"number": 1, "try_id": uuid4()}
    home.collector.handle(hall.about(ticket, Ask, "printing", reasons=("outcome-unknown",), **about))
    assert home.job(ticket).reasons == (Reason.OUTCOME_UNKNOWN,)

    home.collector.handle(hall.about(ticket, Ask, "printing", answer="printed", **about))

    assert home.job(ticket).reasons == ()


def test_an_act_that_waits_for_a_second_person_is_listed_until_it_does_not(home: Home, hall: FakeHall) -> None:
    ticket = home.sent(hall)
    home.collector.handle(hall.received(ticket))
    home.collector.handle(hall.released(ticket))
    act = {"approval_id": uuid4(), "act": "spoil"}
    home.collector.handle(hall.about(ticket, ApprovalReport, "printing", reasons=("waiting-approval",), **act))
    (waiting,) = home.store.approvals.open()
    assert (waiting.approval_id, waiting.act, waiting.state) == (str(act["approval_id"]), "spoil", "open")

    home.collector.handle(hall.about(ticket, ApprovalReport, "printing", accepted=True, **act))

    assert home.store.approvals.open() == ()


def test_a_replaced_document_is_superseded_by_its_successor(home: Home, hall: FakeHall) -> None:
    old = home.sent(hall, 1)
    for report in (hall.received(old), hall.released(old), hall.printed(old), hall.issued(old)):
        home.collector.handle(report)
    new = home.sent(hall, 2, replaces=Replaced(a_new_job(1).number_key, 1))
    for report in (hall.received(new), hall.released(new), hall.printed(new), hall.issued(new)):
        home.collector.handle(report)

    assert home.job(old).state is JobState.SUPERSEDED
    assert home.job(new).state is JobState.ISSUED


def test_an_old_paper_that_was_withdrawn_meanwhile_stays_so(home: Home, hall: FakeHall) -> None:
    """注销 says more than being replaced."""
    old = home.sent(hall, 1)
    for report in (hall.received(old), hall.released(old), hall.printed(old), hall.issued(old)):
        home.collector.handle(report)
    new = home.sent(hall, 2, replaces=Replaced(a_new_job(1).number_key, 1))
    with home.store.changing() as change:
        change.move(str(old.job_id), Update(state=JobState.WITHDRAWN))

    for report in (hall.received(new), hall.released(new), hall.printed(new), hall.issued(new)):
        home.collector.handle(report)

    assert (home.job(old).state, home.job(new).state) == (JobState.WITHDRAWN, JobState.ISSUED)
    assert home.alarms == []


def test_the_second_of_two_co_owners_papers_finds_the_old_one_superseded(home: Home, hall: FakeHall) -> None:
    old = home.sent(hall, 1)
    for report in (hall.received(old), hall.released(old), hall.printed(old), hall.issued(old)):
        home.collector.handle(report)
    shared = {"replaces": Replaced(a_new_job(1).number_key, 1)}
    both = [home.sent(hall, 2 + n, **shared, case=Case(number="one", ordinal=1 + n, of=2)) for n in range(2)]

    for new in both:
        for report in (hall.received(new), hall.released(new), hall.printed(new), hall.issued(new)):
            home.collector.handle(report)

    assert home.job(old).state is JobState.SUPERSEDED
    assert home.history(old).count("superseded") == 1
    assert [home.job(new).state for new in both] == [JobState.ISSUED, JobState.ISSUED]
    assert home.alarms == []


def test_who_took_the_old_paper_back_stands_in_the_history(home: Home, hall: FakeHall) -> None:
    """换发, 更正: by the hall's word, with the clerk and the serial that was read."""
    old = Replaced(a_new_job(1).number_key, 1)
    ticket = home.sent(hall, 2, replaces=old, takes_back_old=True, private_sha256=_private(home, old_returned=None))
    assert ticket.replaces is not None
    assert (ticket.replaces.issuance, ticket.replaces.number, ticket.replaces.take_back) == (
        "renewal",
        "黑（2019）1号",
        True,
    )
    home.collector.handle(hall.received(ticket))

    clerk = Actor(id="clerk-1", role="clerk")
    said = {"act": "old-returned", "old_serial": "23100000077", "actor": clerk}
    home.collector.handle(hall.about(ticket, Standing, "waiting", **said))

    last = home.store.jobs.events(str(ticket.job_id))[-1]
    assert (last.detail, last.actor, last.side) == ("old-returned 23100000077", clerk, "hall")


def test_a_later_order_does_not_ask_for_it_again(home: Home, hall: FakeHall) -> None:
    """It was taken back at the first hall; the second could not have it."""
    old = Replaced(a_new_job(1).number_key, 1)
    ticket = home.sent(hall, 2, replaces=old, takes_back_old=True, private_sha256=_private(home, old_returned=None))
    for report in (hall.received(ticket), hall.about(ticket, Standing, "waiting", act="old-returned")):
        home.collector.handle(report)

    work = home.store.jobs.work(str(ticket.job_id))

    assert work is not None and work.takes_back_old is False


def _private(home: Home, **issuance: object) -> str:
    """Keep a request that renews a paper."""
    replaces = {"number": "黑（2019）1号", "version": 1, "serial": None}
    said = {"issuance": {"type": "renewal", "replaces": replaces, **issuance}}
    return home.documents.keep_private(Private(holder=HOLDER, request={"document": said}))


def test_blanks_are_where_the_hall_says(home: Home, hall: FakeHall) -> None:
    home.collector.handle(_stock(hall, "23100000001", "23100000500", "received"))
    home.collector.handle(_stock(hall, "23100000007", "23100000007", "used"))

    assert len(home.store.halls.blanks(hall=HALL)) == 500
    (blank,) = home.store.halls.blanks(serial="23100000007")
    assert (blank.hall, blank.status) == (HALL, "used")


def test_a_range_that_is_none_is_alarmed(home: Home, hall: FakeHall) -> None:
    home.collector.handle(_stock(hall, "23100000500", "23100000001", "received"))

    assert [alarm.code for alarm in home.alarms] == ["no-such-range"]


def test_heartbeats_do_not_fill_the_store(home: Home, hall: FakeHall, clock: Clock) -> None:
    """A hall says a thousand things a day that only the last of matters."""
    for _ in range(50):
        clock.advance(minutes=1)
        home.collector.handle(_heartbeat(hall))

    (found,) = home.store.halls.all()
    assert (found.hall, found.last_report_at, found.printers[0]["state"]) == (HALL, clock(), "idle")
    with home.store.transactions.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM reports").scalar() == 0


def test_a_report_of_tomorrow_with_unknown_fields_is_read(home: Home, hall: FakeHall) -> None:
    """F44: readers ignore what they do not know."""
    ticket = home.sent(hall)
    report = Received(
        hall=HALL,
        registry=HOME,
        epoch=hall.epoch,
        sequence=1,
        previous=hall.previous,
        instance=hall.instance,
        at=NOW,
        order_id=ticket.order_id,
        job_id=ticket.job_id,
        state="waiting",
        attempt=1,
        identity="0" * 64,
    )
    payload = report.to_bytes().replace(b'"at":', b'"another_field":1,"at":', 1)

    home.collector.handle(delivery_of(signed.sign(payload, REPORT_TYPE, hall.key)))

    assert home.job(ticket).state is JobState.RECEIVED


def _heartbeat(hall: FakeHall) -> Delivery:
    printer = PrinterStanding(name="proof-1", stock="proof", state="idle")
    return hall.says(
        Heartbeat,
        agent_version="0.1",
        printers=(printer,),
        blanks=(BlankCount(stock="proof", status="on-hand", count=5),),
    )


def _stock(hall: FakeHall, first: str, last: str, status: str) -> Delivery:
    return hall.says(StockMoved, stock="proof", first=first, last=last, status=status)


@pytest.mark.attack_row("S27")
def test_printed_without_received_is_alarmed_and_moves_nothing(home: Home, hall: FakeHall) -> None:
    """A state that was skipped: nobody's word that it was printed counts before the word that it was taken."""
    ticket = home.sent(hall)

    home.collector.handle(hall.printed(ticket))

    assert home.job(ticket).state is JobState.SENT
    assert [alarm.code for alarm in home.alarms] == ["illegal-move"]


@pytest.mark.attack_row("S27")
def test_a_report_that_nobody_signed_is_not_believed(home: Home, hall: FakeHall) -> None:
    ticket = home.sent(hall)
    envelope = json.loads(hall.received(ticket).body)
    for signatures in ([], [{"keyid": hall.key.kid, "sig": ""}]):
        with pytest.raises(NotTrusted):
            home.collector.handle(delivery_of(json.dumps({**envelope, "signatures": signatures}).encode()))

    assert home.job(ticket).state is JobState.SENT
    assert {alarm.code for alarm in home.alarms} == {"report-not-trusted"}


@pytest.mark.attack_row("S18")
def test_an_order_that_a_hall_does_not_believe_is_an_alarm_at_home(home: Home, hall: FakeHall) -> None:
    """Wrapped for the wrong hall, or forged: the code is in the alarm, and no text of the hall's is."""
    ticket = home.sent(hall)

    home.collector.handle(hall.about(ticket, Refused, "refused", code="envelope", message="does not open"))

    assert [(alarm.code, alarm.hall, alarm.detail) for alarm in home.alarms] == [("order-refused", HALL, "envelope")]
