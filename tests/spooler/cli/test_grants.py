"""`certspool grant` and `certspool-agent grant`: offered by one side, accepted by the other, withdrawn by either, each step told."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agents.cli import app
from spooler.cli import main
from spooler.wire.trust import load_trust
from tests.granting import People, a_signed_office
from tests.sealing import HALL, HOME, OTHER_HALL, Office

BETWEEN = ("--registry", HOME, "--hall", HALL)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return a_signed_office(tmp_path / "pki")


@pytest.fixture
def home(capsys, office):
    """Run a home's command on its directory; return the exit code and what it printed."""

    def call(*arguments: str) -> tuple[int, str]:
        code = main_ended(["grant", *arguments, "--dir", str(office.directory)])
        said = capsys.readouterr()
        return code, said.out + said.err

    return call


@pytest.fixture
def hall(office, tmp_path):
    """Run a hall's command over a trust directory of its own."""
    people = People.with_a_copy(office, tmp_path / "hall-trust")
    config = tmp_path / "hall.toml"
    credentials = office.directory / "halls" / HALL / "credentials"
    config.write_text(
        f'[hall]\nid = "{HALL}"\ndata_directory = "{tmp_path}/hall"\ntrust_directory = "{people.trust}"\n'
        f'credentials_directory = "{credentials}"\n[broker]\nuser = "x"\npassword_credential = "x"\n'
    )
    key = office.directory / "halls" / HALL / "grant.pem"

    def call(verb: str, *arguments: str, signs: bool = False) -> tuple[int, str]:
        more = ("--key", str(key)) if signs else ()
        done = CliRunner().invoke(app, ["grant", verb, *arguments, "--config", str(config), *more])
        return done.exit_code, done.output

    call.trust = people.trust  # type: ignore[attr-defined]
    return call


def states(told: str, hall: str = HALL) -> dict[int, str]:
    grants = [one for one in json.loads(told)["grants"] if one["state"] != "withdrawal"]
    return {one["sequence"]: one["state"] for one in grants if (one["registry"], one["hall"]) == (HOME, hall)}


def test_what_home_offers_holds_when_the_hall_has_accepted(home, hall, office):
    code, told = home("offer", *BETWEEN, "--kinds", "proof", "--until", "2099-12-31", "--json")
    offer = json.loads(told)
    assert (code, offer["sequence"], offer["state"]) == (0, 2, "offered")

    code, told = hall("accept", offer["file"], "--registry", HOME, "--json", signs=True)
    accepted = json.loads(told)
    assert (code, accepted["state"]) == (0, "agreed")

    Path(offer["file"]).write_bytes(Path(accepted["file"]).read_bytes())
    assert {kind for r, h, kind in load_trust(office.directory / "trust").grants if (r, h) == (HOME, HALL)} == {"proof"}
    assert states(home("list", "--json")[1]) == {2: "in-force", 1: "replaced"}


def test_what_the_hall_offers_holds_when_home_has_accepted(home, hall, office):
    code, told = hall("offer", "--registry", HOME, "--kinds", "certificate", "--json", signs=True)
    assert code == 0
    file = json.loads(told)["file"]

    code, told = home("accept", *BETWEEN, file, "--json")

    assert (code, json.loads(told)["state"]) == (0, "agreed")
    assert states(home("list", "--json")[1])[2] == "in-force"


def test_either_side_withdraws_and_both_lists_say_so(home, hall, office):
    assert home("withdraw", *BETWEEN)[0] == 0
    code, told = home("list", "--json")
    assert (code, states(told)[1], states(told, OTHER_HALL)) == (0, "withdrawn", {1: "in-force"})

    assert hall("withdraw", "--registry", HOME)[0] == 0, "with the report key, which is at hand"
    code, told = hall("list", "--json")
    assert (code, states(told)[1]) == (0, "withdrawn")


def test_the_ticket_key_withdraws_and_does_not_offer(home, office):
    ticket = office.directory / f"home/credentials/{HOME}.ticket.pem"

    assert home("offer", *BETWEEN, "--key", str(ticket))[0] == 3
    assert home("withdraw", *BETWEEN, "--key", str(ticket))[0] == 0


def test_a_file_that_cannot_be_believed_is_named_and_the_list_says_no(home, hall, office):
    for trust, run in ((office.directory / "trust", home), (hall.trust, hall)):
        file = trust / f"grants/{HOME}.{HALL}.1.json"
        file.write_bytes(file.read_bytes().replace(b"A", b"B", 1))

        code, told = run("list")

        assert code == 1 and file.name in told and "not-believed" in told


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("accept", *BETWEEN), 3, "waits for the registry"),
        (("offer", "--registry", HOME, "--hall", "231299-01"), 3, "not known"),
        (("offer", *BETWEEN, "--until", "soon"), 2, "2027-01-01"),
        (("offer", *BETWEEN, "--until", "2001-01-01"), 3, "ends before"),
        (("withdraw", "--registry", "231299", "--hall", HALL), 1, "231299"),
        (("offer", *BETWEEN, "--key", "/nowhere.pem"), 1, "nowhere"),
    ],
)
def test_what_cannot_be_is_told(home, arguments, code, says):
    ended, told = home(*arguments)

    assert ended == code and says in told


def test_the_plain_list_is_signed_once_and_for_all(tmp_path, capsys):
    plain = Office.create(tmp_path / "plain")
    for expected in (4, 0):
        main_ended(["grant", "sign-all", "--dir", str(plain.directory), "--json"])
        assert len(json.loads(capsys.readouterr().out)["signed"]) == expected

    assert load_trust(plain.directory / "trust").agreed is not None


def main_ended(arguments: list[str]) -> int:
    try:
        main(arguments)
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


@pytest.mark.parametrize("verb", ["offer", "accept", "withdraw", "list", "sign-all"])
def test_every_command_has_help_with_an_example(capsys, verb):
    assert main_ended(["grant", verb, "--help"]) == 0
    assert "Example:" in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["offer", "accept", "withdraw", "list"])
def test_so_have_a_halls(verb):
    done = CliRunner().invoke(app, ["grant", verb, "--help"])
    assert done.exit_code == 0 and "Example:" in done.output
