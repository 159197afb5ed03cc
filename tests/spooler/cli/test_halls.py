"""`certspool hall add | suspend | resume`: a place comes with what may be printed there, and can be stopped within a minute."""

import json

import pytest

from agents.verify import RefusalCode
from spooler.cli import main
from spooler.render import Renderer, find_templates
from spooler.wire.messages import Received, Stock, StockMoved
from spooler.wire.trust import SITE_PRINTS, SiteKind, load_trust
from spooler.wire.trust_directory import LOOK_SECONDS, TrustDirectory
from tests.agents.forging import judged, refused
from tests.sealing import HALL, HOME, Office
from tests.spooler.api.conftest import a_home, token_of
from tests.spooler.api.hall_side import about, report, sealed
from tests.spooler.api.sending import errors, post
from tests.spooler.intake.build import changed, sample

BANK = "231282-09"


@pytest.fixture
def office(tmp_path) -> Office:
    return Office.create(tmp_path / "pki")


@pytest.fixture
def run(capsys, office):
    """Run a command on the office's directory; return its exit code and what it printed."""

    def call(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(["hall", *arguments, "--dir", str(office.directory)])
        return int(ended.value.code or 0), capsys.readouterr().out

    return call


def test_a_bank_prints_proofs_only_whatever_is_granted(run, office):
    code, told = run("add", BANK, "--name", "工商银行肇东支行", "--site", "bank", "--json")
    trust = load_trust(office.directory / "trust")

    assert (code, json.loads(told)["prints"]) == (0, ["proof"])
    assert {kind for kind in ("certificate", "proof", "record") if (HOME, BANK, kind) in trust.grants} == {
        "certificate",
        "proof",
        "record",
    }
    assert [kind for kind in ("certificate", "proof", "record") if trust.may_print(HOME, BANK, kind)] == ["proof"]


def test_every_kind_of_site_says_what_it_prints():
    assert set(SITE_PRINTS) == set(SiteKind)
    assert SITE_PRINTS[SiteKind.BANK] == {"proof"}
    assert [site for site in SiteKind if "certificate" in SITE_PRINTS[site]] == [SiteKind.HALL, SiteKind.TOWNSHIP]


def test_a_certificate_sealed_for_a_bank_is_refused_there(run, office):
    """Also when home sealed it and the grant is there: the hall itself knows what it may print."""
    run("add", BANK, "--site", "bank")
    office = Office(office.directory)

    assert refused(office, office.order(hall=BANK), hall=BANK) == RefusalCode.GRANT


@pytest.mark.parametrize(("arguments", "code"), [(("add", "bank"), 2), (("add", HALL), 1), (("suspend", BANK), 1)])
def test_what_cannot_be_is_refused(run, arguments, code):
    assert run(*arguments)[0] == code


def test_a_suspended_hall_prints_nothing_new_within_a_minute_and_does_so_again(run, office):
    order = office.order()
    assert LOOK_SECONDS <= 60

    assert run("suspend", HALL, "--no-ask")[0] == 0
    assert refused(Office(office.directory), order) == RefusalCode.GRANT
    at = load_trust(office.directory / "trust").halls[HALL].suspended_at
    run("suspend", HALL, "--no-ask")
    assert load_trust(office.directory / "trust").halls[HALL].suspended_at == at, (
        "suspended twice is suspended since the first"
    )
    assert run("resume", HALL)[0] == 0

    assert judged(Office(office.directory), order).ticket == order.ticket


def test_suspending_lists_open_orders_and_the_serials_to_void(run, office, tmp_path, monkeypatch):
    """An order that has ended is not among them, nor a blank that is void already; and home takes nothing more for that hall."""
    home = a_home(
        tmp_path, Renderer(find_templates()), trusted=TrustDirectory(office.directory / "trust", look_seconds=0)
    )
    monkeypatch.setenv("CERTSPOOL_API", home.url)
    monkeypatch.setenv("CERTSPOOL_TOKEN", token_of("clerk"))
    with home.client() as client:
        job = post(client, changed(sample("house"), "hall", HALL)).json()
        order_id = sealed(home, job)
        about(home, job, order_id, Received, "waiting", identity="0" * 64)
        for first, last, status in (("23100000001", "23100000002", "in-stock"), ("23100000003", "23100000003", "void")):
            report(home, StockMoved, stock=Stock.CERTIFICATE, first=first, last=last, status=status)

        code, told = run("suspend", HALL, "--json")
        found = json.loads(told)
        after = post(client, changed(sample("mortgage"), "hall", HALL))
    home.close()

    assert (code, [one["order_id"] for one in found["open_orders"]]) == (0, [order_id])
    assert [one["serial"] for one in found["to_void"]] == ["23100000001", "23100000002"]
    assert errors(after) == [("hall", "not-granted")]
