"""Keys at the broker: made with the others or one by one, good for connections and for nothing else, changed without a gap."""

import json
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from typer.testing import CliRunner

from spooler.cli.pki import app
from spooler.seal import broker_keys, pki, rotation
from spooler.seal.authority import SealAlgorithm
from spooler.seal.rotation import KeyUse
from spooler.wire.files import AlreadyThere
from tests.sealing import HALL, HOME, NOW

REGISTRY = pki.NewRegistry(HOME, "望奎县", "黑", "望奎县")
PLACES = {
    "home": "home/credentials/home.broker.pem",
    HALL: f"halls/{HALL}/credentials/broker.pem",
}


@pytest.fixture
def directory(tmp_path) -> Path:
    servers = [pki.NewServer("mq-1.suihua", ("10.20.0.5",))]
    halls = [pki.NewHall(HALL, "肇东市 01")]
    pki.init(tmp_path, [REGISTRY], halls, now=NOW, algorithm=SealAlgorithm.P_256, servers=servers)
    return tmp_path


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def name_of(found: x509.Certificate) -> str:
    return str(found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def uses_of(found: x509.Certificate) -> list[x509.ObjectIdentifier]:
    return list(found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def issue(directory: Path, *arguments: str):
    return CliRunner().invoke(app, ["issue", "--dir", str(directory), *arguments])


@pytest.mark.parametrize(("owner", "user"), [("home", "home"), (HALL, f"hall-{HALL}")])
def test_each_side_has_a_certificate_as_its_user(directory, owner, user):
    """For clients only, by the broker's authority, and published so that everybody sees when it ends."""
    found = certificate(directory / PLACES[owner])

    assert (name_of(found), uses_of(found)) == (user, [ExtendedKeyUsageOID.CLIENT_AUTH])
    found.verify_directly_issued_by(certificate(directory / "trust/broker-ca.pem"))
    assert certificate(directory / f"trust/broker/clients/{user}.pem") == found
    assert stat.S_IMODE((directory / PLACES[owner]).stat().st_mode) == 0o600


def test_the_broker_has_one_for_its_names_and_addresses(directory):
    found = certificate(directory / "broker/mq-1.suihua/server.pem")
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert uses_of(found) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert names.get_values_for_type(x509.DNSName) == ["mq-1.suihua"]
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["10.20.0.5"]
    assert stat.S_IMODE((directory / "broker/mq-1.suihua/server.key").stat().st_mode) == 0o600


def test_it_is_an_authority_apart(directory):
    """What opens the broker seals nothing, and a seal's certificate opens no broker."""
    assert certificate(directory / "ca/broker-ca.pem") != certificate(directory / "ca/ca.pem")
    assert b"PRIVATE" not in (directory / "trust/broker-ca.pem").read_bytes()


@pytest.mark.parametrize("owner", ["home", HALL])
def test_the_next_key_waits_and_the_old_one_stays_good(directory, owner):
    current = directory / PLACES[owner]
    old = current.read_bytes()
    later = NOW + timedelta(days=600)

    issued = rotation.issue(directory, owner, KeyUse.BROKER, now=later)
    assert current.read_bytes() == old
    with pytest.raises(AlreadyThere):
        rotation.issue(directory, owner, KeyUse.BROKER, now=later)
    rotation.activate(directory, owner, KeyUse.BROKER)

    assert not issued.file.exists()
    assert certificate(current).not_valid_after_utc > later + timedelta(days=700)
    assert [one.read_bytes() for one in current.parent.glob("*broker.former-*.pem")] == [old]
    published = directory / f"trust/broker/clients/{broker_keys.user_of(owner)}.pem"
    assert certificate(published) == certificate(current)


def test_who_has_no_key_yet_is_given_one(directory):
    """A hall from before there were certificates, a second home, another node."""
    (directory / PLACES[HALL]).unlink()
    (directory / f"trust/broker/clients/hall-{HALL}.pem").unlink()

    for options, owner in (
        (("--hall", HALL, "--key", "broker"), HALL),
        (("--home", "north", "--key", "broker"), "north"),
    ):
        told = issue(directory, *options, "--json")
        assert told.exit_code == 0, told.output
        assert name_of(certificate(Path(json.loads(told.output)["file"]))) == broker_keys.user_of(owner)
    assert issue(directory, "--broker", "mq-2", "--broker-address", "10.20.0.6").exit_code == 0
    assert (directory / "broker/mq-2/server.key").exists()


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--hall", "999999-01", "--key", "broker"), 1),
        (("--home", "administrator", "--key", "broker"), 1),
        (("--home", "guest", "--key", "broker"), 1),
        (("--home", f"hall-{HALL}", "--key", "broker"), 1),
        (("--home", "../home", "--key", "broker"), 1),
        (("--home", "north"), 2),
        (("--broker", "../mq"), 1),
        (("--broker", "mq-1.suihua"), 1),
        (("--home", "north", "--hall", HALL, "--key", "broker"), 2),
    ],
    ids=[
        "no such hall",
        "administrator",
        "guest",
        "a hall as home",
        "path",
        "no key said",
        "node path",
        "there",
        "two",
    ],
)
def test_a_certificate_in_anothers_name_is_not_issued(directory, options, code):
    before = sorted(directory.rglob("*"))

    assert issue(directory, *options).exit_code == code

    assert sorted(directory.rglob("*")) == before


def listed(directory: Path) -> set[int]:
    return {one.serial_number for one in x509.load_pem_x509_crl((directory / broker_keys.REVOKED).read_bytes())}


def test_all_certificates_that_a_hall_ever_had_are_revoked_with_one_word(directory):
    """Also the one before, and one that waits: whichever the thief has."""
    had = [certificate(directory / PLACES[HALL])]
    for _ in range(2):
        issued = rotation.issue(directory, HALL, KeyUse.BROKER, now=NOW)
        had.append(certificate(issued.file))
        if len(had) == 2:
            rotation.activate(directory, HALL, KeyUse.BROKER)
    assert listed(directory) == set()

    revoked = rotation.revoke(directory, HALL, KeyUse.BROKER, now=NOW)

    assert listed(directory) == {one.serial_number for one in had}
    assert (len(revoked.key_ids), revoked.remaining) == (3, 0)
    with pytest.raises(rotation.NoSuchKey):
        rotation.revoke(directory, HALL, KeyUse.BROKER, now=NOW)
    assert certificate(directory / PLACES["home"]).serial_number not in listed(directory)


def test_one_of_them_is_revoked_by_the_beginning_of_its_id(directory):
    issued = rotation.issue(directory, HALL, KeyUse.BROKER, now=NOW)

    revoked = rotation.revoke(directory, HALL, KeyUse.BROKER, now=NOW, key_id=issued.key_id[:8])

    assert (revoked.key_ids, revoked.remaining) == ((issued.key_id,), 1)
    assert listed(directory) == {certificate(issued.file).serial_number}


def test_a_hall_that_is_revoked_as_a_whole_loses_its_key_at_the_broker(directory):
    told = CliRunner().invoke(app, ["revoke", "--dir", str(directory), "--hall", HALL, "--json"])

    assert [one["key"] for one in json.loads(told.output)["revoked"]] == ["report", "wrap", "broker"]
    assert len(listed(directory)) == 1
