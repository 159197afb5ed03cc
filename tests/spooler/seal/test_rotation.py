"""A key in a key's place: nothing that was good stops being good, nothing new is signed with what was ended, nothing is overwritten."""

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from typer.testing import CliRunner

from spooler.cli.pki import app
from spooler.daemon.settings import Credentials
from spooler.seal import rotation
from spooler.seal.authority import Authority, SealAlgorithm
from spooler.seal.key import SealKey
from spooler.seal.pki import AlreadyThere
from spooler.seal.ring import SealRing, SealUnavailable, TicketRing
from spooler.seal.rotation import KeyUse
from spooler.wire.keys import SigningKey, WrapKey
from spooler.wire.trust import load_trust
from tests.agents.forging import judged, refused
from tests.sealing import HALL, HOME, NOW, Office

LATER = NOW + timedelta(days=1)
OWNERS = [(HOME, KeyUse.SEAL), (HOME, KeyUse.TICKET), (HALL, KeyUse.REPORT), (HALL, KeyUse.WRAP)]


@pytest.fixture
def office(tmp_path) -> Office:
    return Office.create(tmp_path / "pki")


def issue(office: Office, owner: str, use: KeyUse, **more) -> rotation.Issued:
    return rotation.issue(office.directory, owner, use, now=NOW, algorithm=SealAlgorithm.P_256, **more)


def reread(office: Office) -> Office:
    return Office(office.directory)


def files_of(directory: Path) -> dict[str, bytes]:
    return {str(p.relative_to(directory)): p.read_bytes() for p in sorted(directory.rglob("*")) if p.is_file()}


@pytest.mark.parametrize(("owner", "use"), OWNERS)
def test_the_next_key_stands_beside_the_old_one_until_it_is_activated(office, owner, use):
    """Private, and neither of both is lost."""
    current = rotation.credential(office.directory, owner, use)
    old = current.read_bytes()

    issued = issue(office, owner, use)
    new = issued.file.read_bytes()
    assert (current.read_bytes(), stat.S_IMODE(issued.file.stat().st_mode)) == (old, 0o600)
    rotation.activate(office.directory, owner, use)

    (former,) = current.parent.glob(f"{current.stem}.former-*")
    assert (current.read_bytes(), former.read_bytes()) == (new, old)
    assert stat.S_IMODE(current.stat().st_mode) == 0o600
    assert not issued.file.exists()


@pytest.mark.parametrize(("owner", "use"), OWNERS)
def test_a_key_that_waits_is_not_overwritten(office, owner, use):
    issue(office, owner, use)
    before = files_of(office.directory)

    with pytest.raises(AlreadyThere):
        issue(office, owner, use)

    assert files_of(office.directory) == before


@pytest.mark.parametrize("use", [KeyUse.SEAL, KeyUse.TICKET])
def test_across_a_rotation_every_order_is_accepted(office, use):
    """Sealed before, between and after, judged by a hall that knows the new record: no moment without a good key."""
    before = office.order()
    issue(office, HOME, use)
    office = reread(office)
    between = office.order()
    rotation.activate(office.directory, HOME, use)
    after = office.order()

    for order in (before, between, after):
        assert judged(office, order, now=NOW + timedelta(days=2)).ticket == order.ticket
    assert refused(Office(office.directory), after, trust=before_rotation(office, use)) in (
        "signer-not-pinned",
        "ticket-signature",
    )


def before_rotation(office: Office, use: KeyUse):
    """The trust of a hall to which the new record was never carried."""
    record = office.trust.registries[HOME]
    field = "seal_fingerprints" if use is KeyUse.SEAL else "ticket_keys"
    return office.believing(**{field: getattr(record, field)[:1]})


def test_the_former_ticket_key_is_believed_for_the_overlap_and_no_longer(office):
    order = office.order(not_after=NOW + timedelta(days=60))
    issue(office, HOME, KeyUse.TICKET, overlap=timedelta(days=30))
    office = reread(office)

    assert judged(office, order, now=NOW + timedelta(days=29)).ticket == order.ticket
    assert refused(office, order, now=NOW + timedelta(days=31)) == "ticket-signature"


def test_a_halls_new_wrap_key_is_used_when_its_hall_has_had_time_to_get_it(office):
    issued = issue(office, HALL, KeyUse.WRAP, lead=timedelta(hours=24))
    keys = reread(office).trust.halls[HALL].wrap_keys
    old, new = (lambda at, key=key: key.serves("wrap", at) for key in keys)

    assert keys[1].kid == issued.key_id == WrapKey.from_pem(issued.file.read_bytes()).kid
    assert [(old(at), new(at)) for at in (NOW, NOW + timedelta(hours=25), NOW + timedelta(days=40))] == [
        (True, False),
        (True, True),
        (False, True),
    ]


@pytest.mark.attack_row("S11")
def test_what_a_revoked_seal_sealed_before_stays_good_and_what_comes_later_is_refused(office):
    """The rule is the time of sealing, which the ticket's signature covers."""
    before = office.order()
    after = office.order(issued_at=LATER, not_before=LATER)

    revoked = rotation.revoke(office.directory, HOME, KeyUse.SEAL, now=LATER - timedelta(hours=1))
    office = reread(office)

    assert (revoked.key_ids, revoked.remaining) == ((office.seal_key().fingerprint,), 0)
    assert judged(office, before, now=LATER).ticket == before.ticket
    assert refused(office, after, now=LATER) == "signer-revoked"


@pytest.mark.attack_row("S11")
def test_under_a_seal_in_other_hands_nothing_is_believed(office):
    """Whoever has it could date what he seals back: also after it was ended in the ordinary way."""
    order = office.order()
    rotation.revoke(office.directory, HOME, KeyUse.SEAL, now=LATER)
    rotation.revoke(office.directory, HOME, KeyUse.SEAL, now=LATER, compromised=True)

    assert refused(reread(office), order) == "signer-revoked"


def test_a_revoked_seal_is_on_the_authoritys_list(office):
    """For readers of PDF that know nothing of our records; a second one joins the first."""
    first = office.seal_key().certificate
    second = SealKey.from_pkcs12(issue(office, HOME, KeyUse.SEAL).file.read_bytes())
    for seal in (office.seal_key(), second):
        rotation.revoke(office.directory, HOME, KeyUse.SEAL, now=LATER, key_id=seal.fingerprint[:8])

    crl = x509.load_pem_x509_crl((office.directory / "trust/ca.crl").read_bytes())
    ca = office.directory / "ca"
    authority = Authority.from_pem((ca / "ca.pem").read_bytes(), (ca / "ca.key").read_bytes())
    assert {one.serial_number for one in crl} == {first.serial_number, second.certificate.serial_number}
    assert crl.is_signature_valid(authority.certificate.public_key())


@pytest.mark.attack_row("S1")
def test_a_revoked_ticket_key_signs_nothing_any_more(office):
    order = office.order()
    issue(office, HOME, KeyUse.TICKET)
    old = office.ticket_key().kid
    rotation.revoke(office.directory, HOME, KeyUse.TICKET, now=NOW, key_id=old)
    rotation.activate(office.directory, HOME, KeyUse.TICKET)
    office = reread(office)

    assert refused(office, order) == "ticket-signature"
    assert judged(office, office.order()).ticket.registry == HOME


@pytest.mark.parametrize("use", [KeyUse.REPORT, KeyUse.WRAP])
def test_a_revoked_key_of_a_hall_serves_no_more(office, use):
    rotation.revoke(office.directory, HALL, use, now=NOW)
    (key,) = getattr(reread(office).trust.halls[HALL], f"{use}_keys")

    assert key.serves(use, NOW - timedelta(seconds=1))
    assert not key.serves(use, NOW)


@pytest.mark.parametrize(("owner", "use"), OWNERS)
def test_which_key_is_meant_must_be_plain(office, owner, use):
    issue(office, owner, use)
    before = files_of(office.directory)

    for key_id in (None, "zz"):
        with pytest.raises(rotation.NoSuchKey):
            rotation.revoke(office.directory, owner, use, now=NOW, key_id=key_id)
    for do in (issue_for_a_stranger, activate_for_a_stranger):
        with pytest.raises(rotation.NoSuchKey):
            do(office, use)

    assert files_of(office.directory) == before


def issue_for_a_stranger(office, use):
    issue(office, "990000", use)


def activate_for_a_stranger(office, use):
    rotation.activate(office.directory, "990000", use)


# ── the rings: what a running home signs with ────────────────────────────────────────────────────────────────────────


@pytest.fixture
def credentials(office) -> Credentials:
    return Credentials(office.directory / "home" / "credentials")


def test_a_new_ticket_key_is_used_without_a_restart_once_it_is_believed(office, credentials):
    """Put in place too early it waits: until halls believe in it, the old one signs."""
    believed = {office.ticket_key().kid}
    ring = TicketRing(
        {HOME: f"{HOME}.ticket.pem"}, read=credentials.traced, is_trusted=lambda registry, kid: kid in believed
    )
    old = ring[HOME].kid
    new = issue(office, HOME, KeyUse.TICKET).key_id
    rotation.activate(office.directory, HOME, KeyUse.TICKET)

    assert ring[HOME].kid == old
    believed.add(new)
    assert ring[HOME].kid == new
    assert (list(ring), len(ring)) == ([HOME], 1)


@pytest.mark.parametrize("instead", [None, b"no key"])
def test_a_ticket_key_that_is_gone_or_spoiled_leaves_the_one_that_was_read(office, credentials, instead):
    ring = TicketRing({HOME: f"{HOME}.ticket.pem"}, read=credentials.traced, is_trusted=lambda registry, kid: True)
    old = ring[HOME].kid
    file = office.directory / f"home/credentials/{HOME}.ticket.pem"
    file.unlink() if instead is None else file.write_bytes(instead)

    assert ring[HOME].kid == old


def test_a_home_stops_sealing_with_a_revoked_seal_and_goes_on_with_the_next(office, credentials):
    def is_revoked(registry, seal, at):
        return load_trust(office.directory / "trust").registries[registry].is_revoked(seal, at)

    ring = SealRing({HOME: f"{HOME}.seal.p12"}, read=credentials.traced, clock=lambda: NOW, is_revoked=is_revoked)
    old = ring[HOME].fingerprint
    new = issue(office, HOME, KeyUse.SEAL).key_id
    rotation.revoke(office.directory, HOME, KeyUse.SEAL, now=NOW, key_id=old)
    with pytest.raises(SealUnavailable, match="seal-revoked"):
        ring[HOME]
    rotation.activate(office.directory, HOME, KeyUse.SEAL)

    assert ring[HOME].fingerprint == new


# ── the commands ─────────────────────────────────────────────────────────────────────────────────────────────────────


def run(office: Office, *arguments: str):
    return CliRunner().invoke(app, [arguments[0], "--dir", str(office.directory), *arguments[1:]])


def test_a_rotation_by_command(office):
    issued = run(office, "issue", "--registry", HOME, "--key", "ticket", "--json")
    activated = run(office, "issue", "--registry", HOME, "--key", "ticket", "--activate")
    told = json.loads(issued.stdout)

    assert (issued.exit_code, activated.exit_code) == (0, 0)
    assert "--activate" in told["next"] and datetime.fromisoformat(told["former_until"]) > datetime.now(UTC)
    assert (
        told["id"] == SigningKey.from_pem((office.directory / f"home/credentials/{HOME}.ticket.pem").read_bytes()).kid
    )


def test_a_new_registry_and_a_new_hall_by_command(office):
    """All their keys at once, certified by the same authority."""
    county = run(office, "issue", "--registry", "231283", "--seal-algorithm", "p-256")
    hall = run(office, "issue", "--hall", "231221-01", "--name", "望奎县 01")
    again = run(office, "issue", "--hall", "231221-01")

    trust = load_trust(office.directory / "trust")
    assert (county.exit_code, hall.exit_code, again.exit_code) == (0, 0, 1)
    assert "231283" in trust.registries and trust.halls["231221-01"].name == "望奎县 01"


def test_a_hall_is_revoked_whole_by_command(office):
    result = run(office, "revoke", "--hall", HALL, "--json")
    told = json.loads(result.stdout)

    assert [(one["key"], one["remaining"]) for one in told["revoked"]] == [("report", 0), ("wrap", 0), ("broker", 0)]
    assert "no key is left" in told["next"]
    hall = load_trust(office.directory / "trust").halls[HALL]
    assert all(key.revoked_at for key in (*hall.report_keys, *hall.wrap_keys))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("issue",), 2),
        (("issue", "--registry", HOME, "--hall", HALL), 2),
        (("issue", "--registry", HOME, "--key", "wrap"), 2),
        (("issue", "--hall", HALL, "--key", "seal"), 2),
        (("issue", "--registry", HOME, "--activate"), 2),
        (("issue", "--registry", HOME, "--key", "seal", "--activate"), 1),
        (("issue", "--registry", HOME), 1),
        (("issue", "--hall", "231283-07", "--key", "wrap"), 1),
        (("revoke", "--registry", HOME), 2),
        (("revoke", "--registry", HOME, "--key", "ticket", "--key-id", "zz"), 1),
    ],
    ids=str,
)
def test_wrong_usage_changes_nothing(office, arguments, code):
    before = files_of(office.directory)

    assert run(office, *arguments).exit_code == code
    assert files_of(office.directory) == before
