"""Either side withdraws a grant, and both hold to it: over the wire, on their way, at the counter, and after a journal was lost."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agents.errors import DoesNotFit
from agents.grants import GrantWatch as HallWatch
from agents.grants import remembered as remembered_here
from spooler.grants import GrantWatch, remembered
from spooler.job import JobState
from spooler.store.values import Job, Topic
from spooler.wire.grants import Mark, Side
from spooler.wire.topology import hall_queue
from spooler.wire.trust_directory import TrustDirectory
from tests.acts.county import OPERATOR, County
from tests.agents.counter.hall import Counter
from tests.granting import PAIR, People, a_signed_office
from tests.sealing import HALL, HOME, Office
from tests.spooler.core.conftest import Clock


@dataclass
class Apart:
    """A county whose home and hall have a trust directory each; what one side does reaches the other by wire only."""

    county: County
    at_home: People
    at_hall: People
    home_trust: TrustDirectory
    hall_trust: TrustDirectory

    def look(self) -> None:
        """What both daemons do every few seconds."""
        county = self.county
        GrantWatch(store=county.home.store, asker=county.asker, trust=self.home_trust, registries={HOME}).look()
        HallWatch(hall=HALL, journal=county.counter.hall.journal, trust=self.hall_trust).look()

    def carry(self) -> None:
        self.look()
        self.county.carry()

    def withdraws(self, side: Side) -> None:
        (self.at_home if side is Side.REGISTRY else self.at_hall).withdraws(side)

    def releases(self, job: Job) -> str | None:
        """Return the code with which the counter refuses to begin."""
        try:
            self.county.counter.releases(self.county.order_id(job))
        except DoesNotFit as e:
            return e.code
        return None

    def refusal(self, job: Job) -> tuple[JobState, str | None]:
        found = self.county.job(job)
        return found.state, found.refusal.code if found.refusal else None

    def controls(self) -> int:
        return len(self.county.broker.letters(hall_queue(HALL)))


def _office(
    office: Office, place: Path, clock: Clock, recall: Callable[[], dict]
) -> tuple[Office, TrustDirectory, People]:
    people = People.with_a_copy(office, place)
    trust = TrustDirectory(place, signed=True, look_seconds=0, remembered=recall, time=clock)
    own = Office(office.directory)
    object.__setattr__(own, "trust", trust)
    return own, trust, people


@pytest.fixture(scope="module")
def signed_office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return a_signed_office(tmp_path_factory.mktemp("office") / "pki")


@pytest.fixture
def apart(signed_office: Office, tmp_path: Path) -> Iterator[Apart]:
    made: list[County] = []
    clock = Clock()
    (tmp_path / "home").mkdir()
    home, home_trust, at_home = _office(
        signed_office, tmp_path / "trust-home", clock, lambda: remembered(made[0].home.store)() if made else {}
    )
    hall, hall_trust, at_hall = _office(
        signed_office,
        tmp_path / "trust-hall",
        clock,
        lambda: remembered_here(made[0].counter.ledger, HALL) if made else {},
    )
    county = County(home, tmp_path, clock)
    county.counter.ledger.close()
    county.counter = Counter(hall, tmp_path / "hall-apart", clock=clock)  # type: ignore[arg-type]
    county.home.store.transactions.listen(Topic.GRANTS, home_trust.recall)
    made.append(county)
    apart = Apart(county, at_home, at_hall, home_trust, hall_trust)
    apart.look()
    yield apart
    county.close()


def test_what_home_withdraws_begins_at_no_printer_though_the_halls_own_directory_grants_it(apart: Apart):
    job = apart.county.brought_to("waiting")

    apart.withdraws(Side.REGISTRY)
    apart.carry()

    assert apart.releases(job) == "grant-withdrawn"
    assert not list(apart.at_hall.trust.glob("grants/*withdrawn*")), "nobody brought a file"
    assert apart.county.home.store.grants.kept()[PAIR].told == 1


def test_what_a_hall_withdraws_home_neither_seals_nor_sends(apart: Apart):
    apart.withdraws(Side.HALL)
    apart.carry()

    job = apart.county.accept()
    apart.county.carry()

    assert apart.refusal(job) == (JobState.REFUSED, "grant-withdrawn")
    assert not apart.home_trust.may_print(HOME, HALL, "certificate"), "what POST answers 422 not-granted by"
    assert [alarm.code for alarm in apart.county.home.alarms] == ["grant-withdrawn"], "somebody should hear of it"


def test_what_the_registry_withdrew_is_no_alarm_whoever_reads_its_file_first(apart: Apart):
    """The hall may have the file before home has looked at its own directory."""
    apart.at_hall.withdraws(Side.REGISTRY)
    apart.carry()

    assert not apart.home_trust.may_print(HOME, HALL, "certificate")
    assert apart.county.home.alarms == []


def test_an_order_that_was_on_its_way_ends_as_grant_withdrawn(apart: Apart):
    """It comes to a hall that has withdrawn, is refused there, and the job says why."""
    job = apart.county.brought_to("in the broker")
    apart.withdraws(Side.HALL)
    apart.carry()

    assert apart.refusal(job) == (JobState.REFUSED, "grant-withdrawn")


def test_what_waits_at_the_hall_is_cancelled_from_home_and_nothing_is_lost(apart: Apart):
    job = apart.county.brought_to("waiting")
    apart.withdraws(Side.REGISTRY)
    apart.carry()

    apart.county.home.controls.cancel(job.job_id, "printed elsewhere", OPERATOR)
    apart.carry()

    assert apart.refusal(job) == (JobState.CANCELLED, None)


def test_a_booklet_that_was_begun_is_finished_and_reported(apart: Apart):
    """Half a booklet helps nobody, and what the hall did is told to the end."""
    job = apart.county.brought_to("between passes")
    for side in Side:
        apart.withdraws(side)
    apart.carry()

    apart.county.goes_on_to_issued(job)

    assert apart.refusal(job) == (JobState.ISSUED, None)


@pytest.mark.parametrize("side", list(Side))
def test_each_side_is_told_once(apart: Apart, side: Side):
    apart.withdraws(side)
    for _ in range(3):
        apart.carry()

    kept = apart.county.home.store.grants.kept()[PAIR]
    assert (kept.mark, kept.told) == (Mark(agreed=1, withdrawn=1), 1)
    assert apart.county.counter.ledger.grants.kept()[HOME].told == 1
    assert apart.controls() == 0


def test_an_old_directory_put_back_on_both_machines_revives_nothing(apart: Apart, signed_office: Office):
    """Also when both daemons are started again meanwhile: the store and the ledger remember."""
    job = apart.county.brought_to("waiting")
    apart.withdraws(Side.REGISTRY)
    apart.carry()
    for people in (apart.at_home, apart.at_hall):
        for file in people.trust.glob(f"grants/{HOME}.{HALL}.*"):
            file.unlink()
        for file in (signed_office.directory / "trust/grants").glob(f"{HOME}.{HALL}.*"):
            people.file(file.name).write_bytes(file.read_bytes())
    apart.county.counter.restart()

    assert apart.releases(job) == "grant-withdrawn"
    again = apart.county.accept(2)
    apart.county.carry()
    assert apart.refusal(again) == (JobState.REFUSED, "grant-withdrawn")


def test_a_new_agreement_on_both_machines_prints_again(apart: Apart):
    job = apart.county.brought_to("waiting")
    apart.withdraws(Side.HALL)
    apart.carry()

    apart.at_hall.agree_anew()
    assert apart.releases(job) is None
    done = apart.at_home.agree_anew(sequence=2)

    assert done.sequence == 2
    again = apart.county.accept(2)
    apart.county.carry()
    assert apart.refusal(again) == (JobState.RECEIVED, None)


def test_a_hall_that_lost_its_journal_is_told_again(apart: Apart):
    """The withdrawal came by wire, so its own directory does not say it."""
    apart.withdraws(Side.REGISTRY)
    apart.carry()
    apart.county.hall_loses_its_journal()
    assert apart.hall_trust.marks[PAIR].withdrawn == 0, "neither its new ledger nor its directory knows of it"

    apart.carry()

    assert apart.county.counter.ledger.grants.kept()[HOME].mark.withdrawn == 1


def test_a_hall_cannot_withdraw_for_another(apart: Apart):
    """Its reports are its own: the pair is the one under which it signs."""
    apart.withdraws(Side.HALL)
    apart.carry()

    assert {pair for pair, kept in apart.county.home.store.grants.kept().items() if kept.mark.withdrawn} == {PAIR}
