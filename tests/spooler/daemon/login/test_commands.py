"""`certspool account` and `certspool-agent account`: a second person is one command away, and no password is ever an argument."""

import json
import os
import pty
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import Result
from typer.testing import CliRunner

from agents.cli import app as hall
from agents.logins import Reception, hall_door
from spooler.cli import command
from spooler.daemon.login.password import is_same
from spooler.daemon.login.records import read
from spooler.daemon.settings import SettingsError
from spooler.logins import home_door
from spooler.metrics import Metrics
from tests.spooler.daemon.login.build import PASSWORD

HOME = """
[home]
data_directory = "{data}"
trust_directory = "{data}/trust"
[broker]
host = "127.0.0.1"
port = 1
user = "home"
password_credential = "broker"
[[registries]]
id = "231221"
"""
HALL = """
[hall]
id = "231282-01"
data_directory = "{data}"
trust_directory = "{data}/trust"
[broker]
host = "127.0.0.1"
port = 1
user = "hall"
password_credential = "broker"
"""
SIDES = {
    "home": ("certspool", HOME, ("--role", "operate", "--registry", "231221")),
    "hall": ("certspool-agent", HALL, ("--role", "clerk")),
}


class Side:
    def __init__(self, name: str, directory: Path) -> None:
        program, settings, self.given = SIDES[name]
        self.is_home = name == "home"
        self.program = str(Path(sys.executable).with_name(program))
        self.config = directory / "settings.toml"
        self.config.write_text(settings.format(data=directory))
        self.accounts = directory / "accounts.json"

    def run(self, *arguments: str, typed: str = "") -> Result:
        app = command("account") if self.is_home else hall
        return CliRunner().invoke(app, ["account", *arguments, "--config", str(self.config)], input=typed)


@pytest.fixture(params=SIDES)
def side(request, tmp_path):
    return Side(request.param, tmp_path)


def test_an_account_from_its_first_day_to_its_last(side):
    added = side.run("add", "zhang.201", *side.given, typed=f"{PASSWORD}\n")
    assert (added.exit_code, added.stderr) == (0, "")
    (account,) = read(side.accounts)
    assert is_same(account.password, PASSWORD) and account.roles == (side.given[1],)

    assert side.run("password", "zhang.201", typed="seven new lanterns, no boat\n").exit_code == 0
    assert is_same(read(side.accounts)[0].password, "seven new lanterns, no boat")
    assert side.run("disable", "zhang.201").exit_code == 0
    listed = json.loads(side.run("list", "--json").stdout)["accounts"]
    assert [(one["id"], one["is_disabled"], "password" in one) for one in listed] == [("zhang.201", True, False)]
    assert side.run("disable", "zhang.201", "--undo").exit_code == 0
    assert "启用 enabled" in side.run("list").stdout


def test_what_is_refused_says_why_and_changes_nothing(side):
    weak = side.run("add", "zhang.201", *side.given, typed="Password2026\n")
    none = side.run("password", "nobody", typed=f"{PASSWORD}\n")
    unknown = side.run("add", "zhang.201", "--role", "emperor", typed=f"{PASSWORD}\n")

    assert (weak.exit_code, none.exit_code, unknown.exit_code) == (3, 3, 2)
    assert "常用词" in weak.stderr and "Password2026" not in weak.stderr + weak.stdout
    assert "no account" in none.stderr and "must be one of" in unknown.stderr
    assert not side.accounts.exists() or read(side.accounts) == ()


def test_settings_that_let_passwords_go_in_the_clear_are_none(side):
    """The daemon reads the same file, and does not start with it."""
    text = side.config.read_text().replace(
        "trust_directory", 'listen = "0.0.0.0:8600"\nplain_http_sessions = true\ntrust_directory'
    )
    side.config.write_text(text)

    told = side.run("list")
    assert told.exit_code == 2
    assert "put a proxy with TLS in front" in told.stderr


def test_accounts_that_others_may_read_are_not_used(side):
    side.run("add", "zhang.201", *side.given, typed=f"{PASSWORD}\n")
    side.accounts.chmod(0o644)

    told = side.run("list")
    assert (told.exit_code, told.stdout) == (1, "")
    assert "chmod 0600" in told.stderr


@pytest.mark.attack_row("S41")
@pytest.mark.parametrize("door", ["home", "hall"])
def test_a_daemon_does_not_start_with_accounts_that_others_may_read(tmp_path, door):
    path = tmp_path / "accounts.json"
    path.write_text("{}")
    path.chmod(0o644)
    settings = SimpleNamespace(accounts=path, plain_http_sessions=False, id="231282-01")

    with pytest.raises(SettingsError, match=f"{door}.accounts_file.*chmod 0600"):
        home_door(settings, SimpleNamespace(transactions=None), Metrics()) if door == "home" else hall_door(
            settings, Reception(None, lambda: None)
        )


@pytest.mark.parametrize(("second", "code"), [(PASSWORD, 0), ("another lantern, another boat", 2)])
def test_at_a_terminal_the_password_is_typed_twice_and_not_shown(tmp_path, second, code):
    side = Side("hall", tmp_path)
    arguments = [side.program, "account", "add", "li.7", *side.given, "--config", str(side.config)]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(arguments[0], arguments)
    shown = b""
    for typed in (PASSWORD, second):
        while not shown.rstrip(b" ").endswith(b":"):
            shown += os.read(terminal, 4096)
        os.write(terminal, typed.encode() + b"\n")
        shown += b"\n"
    shown += _rest(terminal)

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == code
    assert PASSWORD.encode() not in shown


def _rest(terminal: int) -> bytes:
    said = b""
    try:
        while part := os.read(terminal, 4096):
            said += part
    except OSError:  # the other end has gone
        pass
    return said
