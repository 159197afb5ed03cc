"""Keys are changed while a county works: every order that was taken is issued, none is refused, nothing is started again."""

from datetime import timedelta
from pathlib import Path
from shutil import copytree
from threading import Event, Thread

import pytest

from agents.documents import Documents
from spooler.daemon.settings import Credentials
from spooler.job import JobState
from spooler.seal import rotation
from spooler.seal.authority import SealAlgorithm
from spooler.seal.ring import SealRing, TicketRing
from spooler.seal.rotation import KeyUse
from spooler.seal.ticket import seal_order
from spooler.wire.keys import SigningKey, WrapKey
from spooler.wire.trust_directory import TrustDirectory
from tests.acts.county import County
from tests.agents.forging import judged
from tests.sealing import HALL, HOME, NOW, Office, a_pdf, some_facts
from tests.spooler.core.conftest import Clock


@pytest.fixture
def own_office(office: Office, tmp_path: Path) -> Office:
    """An office whose trust is read from its directory at every look, as daemons do."""
    own = Office(Path(copytree(office.directory, tmp_path / "pki")))
    object.__setattr__(own, "trust", TrustDirectory(own.directory / "trust", look_seconds=0))
    return own


@pytest.fixture
def rotating(own_office: Office, tmp_path: Path):
    (tmp_path / "county" / "home").mkdir(parents=True)
    county = County(own_office, tmp_path / "county", Clock())
    seals, tickets = rings(own_office, county.clock)
    county._prepare._seals, county._prepare._ticket_keys = seals, tickets
    yield county
    county.close()


def rings(office: Office, clock) -> tuple[SealRing, TicketRing]:
    read = Credentials(office.directory / "home" / "credentials").traced

    def is_trusted(registry: str, kid: str) -> bool:
        return any(key.kid == kid for key in office.trust.registries[registry].ticket_keys)

    def is_revoked(registry: str, seal: str, at) -> bool:
        return office.trust.registries[registry].is_revoked(seal, at)

    seals = SealRing({HOME: f"{HOME}.seal.p12"}, read=read, clock=clock, is_revoked=is_revoked)
    return seals, TicketRing({HOME: f"{HOME}.ticket.pem"}, read=read, is_trusted=is_trusted)


def rotate(office: Office, owner: str, use: KeyUse, now) -> rotation.Issued:
    issued = rotation.issue(
        office.directory,
        owner,
        use,
        now=now,
        algorithm=SealAlgorithm.P_256,
        lead=timedelta(),
        overlap=timedelta(days=7),
    )
    rotation.activate(office.directory, owner, use)
    return issued


def test_all_keys_of_a_registry_and_its_hall_are_changed_with_orders_on_their_way(rotating: County, own_office: Office):
    old = rotating.brought_to("in the broker")
    for owner, use in ((HOME, KeyUse.SEAL), (HOME, KeyUse.TICKET), (HALL, KeyUse.REPORT), (HALL, KeyUse.WRAP)):
        rotate(own_office, owner, use, rotating.clock())
    the_hall_reads_its_keys_again(rotating, own_office)

    new = rotating.accept(2)
    for job in (old, new):
        rotating.goes_on_to_issued(job)

    assert [rotating.job(job).state for job in (old, new)] == [JobState.ISSUED, JobState.ISSUED]
    assert [[order.state for order in rotating.job(job).orders] for job in (old, new)] == [["issued"], ["issued"]]
    assert [alarm.code for alarm in rotating.home.alarms] == []


def the_hall_reads_its_keys_again(county: County, office: Office) -> None:
    """Its agent is started again, the former wrap key beside the new one."""
    credentials = office.directory / "halls" / HALL / "credentials"
    keys = [WrapKey.from_pem(file.read_bytes()) for file in sorted(credentials.glob("wrap*.pem"))]
    assert len(keys) == 2
    orders = Documents(Path(county.counter.directory) / "orders", hall=HALL, keys=keys)
    county.counter.hall.documents._keys = orders._keys
    county.counter.hall.reporter._key = SigningKey.from_pem((credentials / "report.pem").read_bytes())


@pytest.mark.attack_row("S11")
def test_after_a_seal_is_revoked_nothing_is_sealed_until_there_is_another(rotating: County, own_office: Office):
    """What was sealed before goes on; what comes meanwhile waits, and ends well."""
    before = rotating.brought_to("in the broker")
    rotating.clock.advance(minutes=1)
    rotation.revoke(own_office.directory, HOME, KeyUse.SEAL, now=rotating.clock())

    waiting = rotating.accept(2)
    rotating.goes_on_to_issued(before)
    assert (rotating.job(before).state, rotating.job(waiting).state) == (JobState.ISSUED, JobState.ACCEPTED)
    assert {alarm.code for alarm in rotating.home.alarms} == {"seal-revoked"}

    rotate(own_office, HOME, KeyUse.SEAL, rotating.clock())
    rotating.clock.advance(minutes=10)
    rotating.goes_on_to_issued(waiting)
    assert rotating.job(waiting).state is JobState.ISSUED


def test_a_thread_that_seals_without_a_pause_notices_no_rotation(own_office: Office):
    """Home on one thread, the operator on another: each order verifies in the moment in which it was sealed."""
    seals, tickets = rings(own_office, lambda: NOW)
    stop, faults, used = Event(), [], set()

    def work() -> None:
        try:
            while not stop.is_set():
                order = seal_order(some_facts(), a_pdf(), seal_key=seals[HOME], ticket_key=tickets[HOME])
                judged(own_office, order)
                used.add((seals[HOME].fingerprint, tickets[HOME].kid))
                worked.set()
        except Exception as e:
            faults.append(e)
            worked.set()

    worked = Event()
    thread = Thread(target=work)
    thread.start()
    try:
        for use in (KeyUse.SEAL, KeyUse.TICKET, KeyUse.SEAL, KeyUse.TICKET):
            worked.clear()
            assert worked.wait(20)
            rotate(own_office, HOME, use, NOW)
        for _ in range(2):
            worked.clear()
            assert worked.wait(20)
    finally:
        stop.set()
        thread.join(20)

    assert faults == []
    assert {len({seal for seal, _ in used}), len({kid for _, kid in used})} == {3}
