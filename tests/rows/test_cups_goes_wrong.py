"""cupsd killed, forgetful, or told by somebody to print again, under a real spool: F16 to F19 of docs/fault-rows.md."""

import os
import signal
from collections.abc import Iterator

import pytest
import structlog

from agents.doctor.rounds import Rounds
from agents.order import PassState
from agents.permit import Claim
from agents.printers import Cups, JobState
from tests.agents.doctor.conftest import ward
from tests.agents.doctor.ward import Ward
from tests.agents.paper.conftest import hall, open_directory
from tests.agents.paper.hall import PaperHall, a_document, until
from tests.agents.paper.test_spool import Desk

__all__ = ["hall", "open_directory", "ward"]
DONE, UNKNOWN = PassState.DONE, PassState.UNKNOWN


@pytest.fixture
def desk(hall: PaperHall) -> Iterator[Desk]:
    desk = Desk(hall)
    yield desk
    desk.stop()


def kill_and_start(hall: PaperHall) -> None:
    hall.kill_cups()
    hall.start_cups()


@pytest.mark.fault_row("F16")
@pytest.mark.parametrize("state", ["empty", "held", "pending", "processing", "completed"])
def test_cupsd_killed_with_the_job_in_any_state_prints_one_sheet_and_asks_nobody(desk: Desk, state: str) -> None:
    """kill -9 and started again: what was not sent is sent once, what was sent is found sent."""
    kills = {
        "empty": ("create", lambda: kill_and_start(desk.hall)),
        "held": ("check_spooled", lambda: kill_and_start(desk.hall)),
    }
    step, strike = kills.get(state, (None, lambda: None))
    if state == "pending":
        desk.start(connect=strikes_after("release", lambda: kill_and_start(desk.hall)))
    elif state == "processing":
        desk.hall.booklet.set_fault("stall")
        desk.start()
    else:
        desk.start(connect=strikes_after(step, strike))
    entry = desk.release()
    if state == "processing":
        until(lambda: entry.tries)
        desk.hall.wait_until_stalled(entry.tries[0].id)
        kill_and_start(desk.hall)
        desk.hall.booklet.set_fault("clear")
    desk.wait_for(entry, DONE)
    if state == "completed":
        kill_and_start(desk.hall)
    # cupsd starts what it had in hand once more: that has to have ended, too.
    until(lambda: not desk.hall.connection.waiting_jobs())

    assert [sheet["complete"] for sheet in desk.hall.sheets()] == [True]


def strikes_after(step: str | None, strike) -> type[Cups]:
    """A connection that lets `strike` happen once, just after CUPS has answered this step."""
    struck: list[str] = []

    class Struck(Cups):
        def __getattribute__(self, name: str):
            found = super().__getattribute__(name)
            if name != step or struck:
                return found

            def then_strike(*arguments):
                answer = found(*arguments)
                struck.append(name)
                strike()
                return answer

            return then_strike

    return Struck


def wipe_spool(hall: PaperHall) -> None:
    """cupsd dies and comes back knowing no job; its numbers begin anew."""
    hall.kill_cups()
    for path in [*(hall.cups.directory / "spool").glob("[cd]*"), *(hall.cups.directory / "cache").glob("job.cache*")]:
        path.unlink()
    hall.start_cups()


@pytest.mark.fault_row("F17")
def test_a_job_that_cups_forgot_before_the_claim_is_sent_anew_by_itself(desk: Desk) -> None:
    """Nothing of it left: the permit is won back, another try goes, nobody is asked."""
    desk.start(connect=strikes_after("create", lambda: wipe_spool(desk.hall)))
    entry = desk.release()

    desk.wait_for(entry, DONE)

    assert entry.whys[0] in {"not-released", "revoked"}
    assert len(desk.hall.sheets()) == 1


@pytest.mark.fault_row("F17")
def test_a_released_job_that_cups_forgot_before_the_claim_is_won_back_and_sent_anew(desk: Desk) -> None:
    stopped_in_between(desk, lambda: wipe_spool(desk.hall))
    entry = desk.release()
    until(lambda: entry.whys)
    desk.hall.command("cupsenable", "booklet-1")

    desk.wait_for(entry, DONE)

    assert set(entry.whys) == {"revoked"}
    assert len(desk.hall.sheets()) == 1


def stopped_in_between(desk: Desk, strike) -> None:
    """The queue is stopped as the job is let go: released, and not started; then something happens."""
    happened: list[str] = []

    class StoppedInBetween(Cups):
        def release(self, job: int) -> None:
            if happened:
                super().release(job)
                return
            happened.append("once")
            desk.hall.command("cupsdisable", "booklet-1")
            super().release(job)
            strike()

    desk.start(connect=StoppedInBetween)


@pytest.mark.fault_row("F17")
def test_a_job_that_cups_forgot_after_the_claim_is_asked_about(desk: Desk) -> None:
    """The sender died without a word and CUPS knows nothing: only a person can tell, and nothing is sent again."""
    desk.hall.booklet.set_fault("stall")
    desk.start()
    entry = desk.release()
    until(lambda: entry.tries)
    desk.hall.wait_until_stalled(entry.tries[0].id)
    os.kill(desk.hall.sender(), signal.SIGKILL)

    wipe_spool(desk.hall)
    desk.hall.booklet.set_fault("clear")

    desk.wait_for(entry, UNKNOWN)
    assert (len(entry.tries), len(desk.hall.sheets())) == (1, 1)


@pytest.mark.fault_row("F18")
def test_a_strangers_job_under_our_jobs_number_is_not_taken_for_ours(desk: Desk) -> None:
    """After a lost spool cupsd gives our number to somebody else's job: ours is sent anew, his is not touched."""
    page = desk.hall.directory / "his.pdf"
    page.write_bytes(a_document())

    def another_takes_the_number() -> None:
        wipe_spool(desk.hall)
        desk.hall.command("lp", "-d", "booklet-1", str(page))

    stopped_in_between(desk, another_takes_the_number)
    entry = desk.release()
    until(lambda: entry.whys)
    his = desk.hall.connection.job(entry.tries[0].cups_job)
    assert (his.uuid != entry.tries[0].id, his.state) == (True, JobState.PENDING)

    desk.hall.command("cupsenable", "booklet-1")
    desk.wait_for(entry, DONE)

    assert set(entry.whys) == {"revoked"}
    assert [sheet["job_uuid"] for sheet in desk.hall.sheets()] == [str(entry.tries[-1].id)]


# Somebody prints again


@pytest.mark.fault_row("F19")
@pytest.mark.parametrize("how", ["restart", "enable", "resume"])
def test_a_reprint_by_cups_own_commands_prints_nothing_and_is_an_alarm(ward: Ward, how: str) -> None:
    """`lp -H restart` with kept files, `cupsenable`, `lp -H resume` in mid-sheet: one sheet, a finding, an alarm, a count."""
    hall = ward.hall
    if how == "restart":
        configuration = hall.cups.configuration.read_text()
        hall.cups.configuration.write_text(configuration.replace("PreserveJobFiles No", "PreserveJobFiles Yes"))
        hall.kill_cups()
        hall.start_cups()
        uuid, job = hall.begin()
        hall.wait_until_ended(job)
        hall.command("lp", "-i", str(job), "-H", "restart")
    else:
        hall.booklet.set_fault("stall")
        uuid, job = hall.begin()
        hall.wait_until_stalled(uuid)
        stop, go_on = {
            "enable": (("cupsdisable", "booklet-1"), ("cupsenable", "booklet-1")),
            "resume": (("lp", "-i", str(job), "-H", "hold"), ("lp", "-i", str(job), "-H", "resume")),
        }[how]
        hall.command(*stop)
        hall.booklet.set_fault("clear")
        hall.wait_until_sent(uuid)
        hall.command(*go_on)
    until(lambda: list((hall.permits.path / "spent").glob(".again.*")), why="for the refusal")
    hall.wait_until_ended(job)

    with structlog.testing.capture_logs() as logged:
        rounds = look_around(ward)

    assert len(hall.sheets()) == 1
    assert hall.permits.fate(uuid).claim is Claim.FREE
    assert [(f.printer, str(uuid) in f.detail) for f in rounds.findings if f.code == "blocked-reprint"] == [
        ("booklet-1", True)
    ]
    assert [(one["printer"], one["alarm"]) for one in logged if one.get("code") == "blocked-reprint"] == [
        ("booklet-1", True)
    ]
    assert rounds.blocked == {"booklet-1": 1}
    assert "blocked-reprint" in ward.codes()


def look_around(ward: Ward) -> Rounds:
    """The doctor's round, once."""
    ward.start()
    assert ward.rounds is not None and ward.spool is not None
    ward.spool.stop()
    ward.spool = None
    rounds = ward.rounds
    until(lambda: any(f.code == "blocked-reprint" for f in rounds.findings), 20, "for the finding")
    return rounds


def test_what_the_agent_took_back_itself_is_nobodys_reprint(hall: PaperHall) -> None:
    """A try that was revoked and that CUPS starts all the same is refused without an alarm."""
    uuid, job = hall.spool()
    hall.permit(uuid, job)
    assert hall.permits.revoke(uuid)
    hall.connection.release(job)
    hall.wait_until_ended(job)

    assert not list((hall.permits.path / "spent").glob(".again.*"))
    assert hall.sheets() == []
