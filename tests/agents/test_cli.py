"""`certspool-agent` from the command line: what stands in the hall, and an exit code that says who must act."""

import json

import pytest
from typer.testing import CliRunner

from agents.cli import app
from agents.stock import Movement
from spooler.daemon.server import HttpServer
from tests.agents.api.conftest import TOKENS, api_of
from tests.agents.counter.hall import CLERK, Counter
from tests.sealing import HOLDER, HOME, OTHER_HOME, Office


@pytest.fixture(scope="module")
def counter(tmp_path_factory) -> Counter:
    office = Office.create(tmp_path_factory.mktemp("office") / "pki")
    return Counter(office, tmp_path_factory.mktemp("hall"))


@pytest.fixture(scope="module")
def api(counter):
    server = HttpServer(api_of(counter), "127.0.0.1", 0)
    server.start()
    yield f"http://127.0.0.1:{server.port}"
    server.stop()


def run(api: str, *arguments: str, token: str = TOKENS["clerk"]):
    return CliRunner().invoke(app, [*arguments], env={"CERTSPOOL_API": api, "CERTSPOOL_TOKEN": token})


def test_orders_are_listed_without_persons(api, counter):
    """What a clerk at a terminal needs to find an order: number, state, serial, what may be done."""
    order_id = counter.arrives(counter.proof())

    listed = run(api, "orders", "--state", "waiting")

    assert listed.exit_code == 0
    assert str(order_id) in listed.stdout and "release" in listed.stdout
    assert HOLDER not in listed.stdout
    assert str(order_id) not in run(api, "orders", "--state", "printed", "--state", "issued").stdout
    assert json.loads(run(api, "orders", "--json").stdout)["orders"][0]["order_id"] == str(order_id)


def test_printers_and_stock_are_told(api):
    assert "booklet-1" in run(api, "printers").stdout
    assert "D23000000101…D23000000110" in run(api, "stock").stdout
    assert json.loads(run(api, "stock", "--json").stdout)["balanced"] is True


def test_a_hall_in_doubt_says_so_and_is_asked_about_again(counter, api):
    """Shown to anybody at the counter; asked again by whoever switched the other machine off; left only when all is known."""
    assert "prints" in run(api, "reconcile").stdout

    counter.clock.forward(minutes=1)
    assert run(api, "reconcile", "--ask").exit_code == 0
    shown = run(api, "reconcile").stdout
    assert "asked" in shown and "to be counted: certificate D23000000101…D23000000110" in shown
    refused = run(api, "reconcile", "--leave", "--reason", "all is well")
    assert refused.exit_code == 3 and "has not answered" in refused.output
    assert run(api, "reconcile", "--leave", "--ask").exit_code == 2

    for one in json.loads(run(api, "reconcile", "--json").stdout)["uncounted"]:
        counter.stock.move(CLERK, Movement.COUNT, stock=one["stock"], first=one["first"], last=one["last"])
    without = ("--without", HOME, "--without", OTHER_HOME)
    assert "second person" in run(api, "reconcile", "--leave", "--reason", "counted", *without).stdout
    assert "prints" in run(api, "reconcile", "--leave", token=TOKENS["approver"]).stdout
    assert counter.hall.may_print()


def test_the_token_may_come_from_a_file(api, tmp_path):
    (tmp_path / "token").write_text(TOKENS["clerk"] + "\n")

    assert run(api, "stock", "--token-file", str(tmp_path / "token"), token="").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "token", "exit_code"),
    [
        (("stock",), "a token of nobody", 3),
        (("orders", "--state", "lost"), TOKENS["clerk"], 3),
        (("stock",), "", 2),
        (("stock", "--token-file", "/nowhere/token"), "", 2),
        (("stock", "--api", "http://127.0.0.1:9"), TOKENS["clerk"], 4),
        (("serve", "--config", "/nowhere/hall.toml"), "", 2),
    ],
    ids=["not-ours", "wrong-field", "no-token", "no-token-file", "not-there", "no-config"],
)
def test_each_failure_has_its_exit_code(api, arguments, token, exit_code):
    assert run(api, *arguments, token=token).exit_code == exit_code


def test_settings_that_cannot_be_read_are_told_in_a_sentence(tmp_path):
    """Not as a traceback."""
    (tmp_path / "hall.toml").write_text("[hall]\nid = 3\n")

    result = CliRunner().invoke(app, ["serve", "--config", str(tmp_path / "hall.toml")])

    assert result.exit_code == 1
    assert "hall.toml" in result.output
    assert isinstance(result.exception, SystemExit)


@pytest.mark.parametrize("command", ["serve", "orders", "printers", "stock"])
def test_every_command_explains_itself_with_an_example(command):
    assert "Example" in CliRunner().invoke(app, [command, "--help"]).stdout
