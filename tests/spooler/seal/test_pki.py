"""Keys of a small deployment: made once, never overwritten, private ones for their owner alone."""

import stat
import time
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from spooler.catalog import COUNTIES
from spooler.cli.pki import app
from spooler.seal import pki
from spooler.seal.authority import SealAlgorithm
from spooler.seal.seal import SealKey
from spooler.wire.keys import SigningKey, WrapKey
from spooler.wire.trust import load_trust
from tests.sealing import NOW

REGISTRY = pki.NewRegistry("231221", "望奎县", "黑", "望奎县")
HALL = pki.NewHall("231282-01", "肇东市 01")


def files_of(directory: Path) -> dict[str, bytes]:
    return {str(p.relative_to(directory)): p.read_bytes() for p in sorted(directory.rglob("*")) if p.is_file()}


@pytest.fixture
def directory(tmp_path) -> Path:
    pki.init(tmp_path / "pki", [REGISTRY], [HALL], now=NOW, algorithm=SealAlgorithm.P_256)
    return tmp_path / "pki"


def test_every_key_is_where_its_owner_looks(directory):
    """The layout that the daemons' settings name."""
    assert set(files_of(directory)) == {
        "ca/ca.key",
        "ca/ca.pem",
        "trust/ca.pem",
        "trust/grants.json",
        "trust/registries/231221.json",
        "trust/halls/231282-01.json",
        "home/credentials/231221.seal.p12",
        "home/credentials/231221.ticket.pem",
        "halls/231282-01/credentials/report.pem",
        "halls/231282-01/credentials/wrap.pem",
        "ca/broker-ca.key",
        "ca/broker-ca.pem",
        "trust/broker-ca.pem",
        "trust/broker/revoked/522fa007.r0",
        "trust/broker/clients/home.pem",
        "trust/broker/clients/hall-231282-01.pem",
        "home/credentials/home.broker.pem",
        "halls/231282-01/credentials/broker.pem",
    }


def test_private_files_are_for_their_owner_alone(directory):
    """Modes are checked by the daemons too; nothing private is ever readable by others."""
    open_ones = {name for name in files_of(directory) if stat.S_IMODE((directory / name).stat().st_mode) & 0o077}

    public = {"ca/ca.pem", "ca/broker-ca.pem"}
    assert open_ones == {name for name in files_of(directory) if name.startswith("trust/")} | public


def test_the_trust_records_name_the_keys_that_were_made(directory):
    trust, home, hall = load_trust(directory / "trust"), directory / "home/credentials", directory / "halls/231282-01"
    record = trust.registries["231221"]

    assert record.seal_fingerprints == (SealKey.from_pkcs12((home / "231221.seal.p12").read_bytes()).fingerprint,)
    assert record.ticket_keys[0].kid == SigningKey.from_pem((home / "231221.ticket.pem").read_bytes()).kid
    assert record.ticket_keys[0].serves("ticket", NOW)
    hall_record = trust.halls["231282-01"]
    assert hall_record.report_keys[0].kid == SigningKey.from_pem((hall / "credentials/report.pem").read_bytes()).kid
    assert hall_record.wrap_keys[0].kid == WrapKey.from_pem((hall / "credentials/wrap.pem").read_bytes()).kid
    assert trust.may_print("231221", "231282-01", "proof")


@pytest.mark.parametrize(("registries", "halls"), [([REGISTRY], []), ([], [HALL]), ([REGISTRY], [HALL])])
def test_what_is_there_is_never_overwritten(directory, registries, halls):
    before = files_of(directory)

    with pytest.raises(pki.AlreadyThere):
        pki.init(directory, registries, halls, now=NOW)

    assert files_of(directory) == before


def test_a_private_key_left_over_is_not_overwritten_either(directory):
    """A run that broke off leaves keys without a trust record: they are not thrown away in silence."""
    (directory / "trust/registries/231221.json").unlink()

    with pytest.raises(pki.AlreadyThere):
        pki.init(directory, [REGISTRY], [], now=NOW)


def test_registries_and_halls_can_be_added_later(directory):
    """The authority and all that stands stay as they are; the new ones are granted with all."""
    before = files_of(directory)

    pki.init(directory, [pki.NewRegistry("231202", "北林区", "黑", "绥化市")], [pki.NewHall("231283-01", "x")], now=NOW)

    after = files_of(directory)
    assert {name for name in before if after[name] != before[name]} == {"trust/grants.json"}
    grants = load_trust(directory / "trust").grants
    assert {(r, h) for r, h, _ in grants} == {(r, h) for r in ("231221", "231202") for h in ("231282-01", "231283-01")}


def test_a_grant_that_was_narrowed_stays_narrow(directory):
    """Adding somebody does not give back what an operator took away."""
    grants = directory / "trust/grants.json"
    grants.write_text('[{"registry":"231221","hall":"231282-01","kinds":["proof"]}]')

    pki.init(directory, [], [pki.NewHall("231283-01", "x")], now=NOW)

    assert not load_trust(directory / "trust").may_print("231221", "231282-01", "certificate")


def test_ten_counties_take_at_most_5_seconds(tmp_path):
    """A sandbox for 11 registries and 10 halls is up in seconds."""
    counties = list(COUNTIES.values())[:11]
    start = time.process_time()  # the machine may be busy with others

    pki.init(
        tmp_path,
        [pki.NewRegistry(c.code, c.name, c.province, c.place) for c in counties],
        [pki.NewHall(f"{c.code}-01", c.name) for c in counties[:10]],
        now=NOW,
        algorithm=SealAlgorithm.RSA_2048,
    )

    assert time.process_time() - start < 5
    assert len(load_trust(tmp_path / "trust").grants) == 11 * 10 * len(pki.KINDS)


def test_seals_are_not_valid_for_ever(directory):
    certificate = SealKey.from_pkcs12((directory / "home/credentials/231221.seal.p12").read_bytes()).certificate

    assert certificate.not_valid_before_utc <= NOW
    assert certificate.not_valid_after_utc <= NOW + timedelta(days=366 * 5)


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────


def run(*arguments: str):
    return CliRunner().invoke(app, ["init", *arguments, "--seal-algorithm", "p-256"])


def test_the_command_knows_the_counties(tmp_path):
    """Province and place of the counties that the software was written for need not be typed."""
    result = run("--dir", str(tmp_path), "--registries", "231202,231221", "--halls", "231282-01")

    assert result.exit_code == 0
    assert load_trust(tmp_path / "trust").registries["231202"].place == COUNTIES["231202"].place


def test_a_county_of_ones_own_is_named_in_full(tmp_path):
    result = run(
        *("--dir", str(tmp_path), "--registries", "110101", "--province", "110101=京"),
        *("--place", "110101=东城区", "--name", "110101=东城区不动产登记中心"),
    )

    record = load_trust(tmp_path / "trust").registries["110101"]
    assert result.exit_code == 0
    assert (record.name, record.province, record.place) == ("东城区不动产登记中心", "京", "东城区")


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        ((), 2),
        (("--registries", "110101"), 2),
        (("--registries", "x"), 2),
        (("--halls", "231282"), 2),
        (("--registries", "231202", "--name", "x"), 2),
    ],
    ids=["nothing", "unknown-county", "no-registry", "no-hall", "no-pair"],
)
def test_wrong_usage_makes_nothing(tmp_path, arguments, exit_code):
    result = run("--dir", str(tmp_path / "pki"), *arguments)

    assert result.exit_code == exit_code
    assert not (tmp_path / "pki").exists()


def test_a_second_run_fails(tmp_path):
    run("--dir", str(tmp_path), "--registries", "231202")

    assert run("--dir", str(tmp_path), "--registries", "231202").exit_code == 1
