"""`certspool account` and `certspool-agent account`: a second person is one command away, and no password is ever an argument."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from spooler.daemon.login.password import is_same
from spooler.daemon.login.records import read
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
        self.program = str(Path(sys.executable).with_name(program))
        self.config = directory / "settings.toml"
        self.config.write_text(settings.format(data=directory))
        self.accounts = directory / "accounts.json"

    def run(self, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        command = [self.program, "account", *arguments, "--config", str(self.config)]
        return subprocess.run(command, input=typed, capture_output=True, text=True, timeout=60)


@pytest.fixture(params=SIDES)
def side(request, tmp_path):
    return Side(request.param, tmp_path)


def test_an_account_from_its_first_day_to_its_last(side):
    added = side.run("add", "zhang.201", *side.given, typed=f"{PASSWORD}\n")
    assert (added.returncode, added.stderr) == (0, "")
    (account,) = read(side.accounts)
    assert is_same(account.password, PASSWORD) and account.roles == (side.given[1],)

    assert side.run("password", "zhang.201", typed="seven new lanterns, no boat\n").returncode == 0
    assert is_same(read(side.accounts)[0].password, "seven new lanterns, no boat")
    assert side.run("disable", "zhang.201").returncode == 0
    listed = json.loads(side.run("list", "--json").stdout)["accounts"]
    assert [(one["id"], one["is_disabled"], "password" in one) for one in listed] == [("zhang.201", True, False)]
    assert side.run("disable", "zhang.201", "--undo").returncode == 0
    assert "启用 enabled" in side.run("list").stdout


def test_what_is_refused_says_why_and_changes_nothing(side):
    weak = side.run("add", "zhang.201", *side.given, typed="Password2026\n")
    none = side.run("password", "nobody", typed=f"{PASSWORD}\n")
    unknown = side.run("add", "zhang.201", "--role", "emperor", typed=f"{PASSWORD}\n")

    assert (weak.returncode, none.returncode, unknown.returncode) == (3, 3, 2)
    assert "常用词" in weak.stderr and "Password2026" not in weak.stderr + weak.stdout
    assert "no account" in none.stderr and "must be one of" in unknown.stderr
    assert not side.accounts.exists() or read(side.accounts) == ()


@pytest.mark.parametrize(("second", "code"), [(PASSWORD, 0), ("another lantern, another boat", 2)])
def test_at_a_terminal_the_password_is_typed_twice_and_not_shown(tmp_path, second, code):
    side = Side("hall", tmp_path)
    command = [side.program, "account", "add", "li.7", *side.given, "--config", str(side.config)]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(command[0], command)
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
