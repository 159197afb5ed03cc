"""The units: how far each is shut, as `systemd-analyze` counts it, and that it is not shut to what it needs."""

import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[1] / "systemd"
SERVICES = ("certspool.service", "certspool-agent@.service", "certspool-verify.service")
MOST = 1.5


def settings_of(name: str) -> dict[str, list[str]]:
    """What the unit sets, in order."""
    found: dict[str, list[str]] = {}
    for line in (UNITS / name).read_text().splitlines():
        key, is_setting, value = line.partition("=")
        if is_setting and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_is_exposed_no_more_than_it_may_be(name):
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={int(MOST * 10)}"]

    said = subprocess.run([*command, str(UNITS / name)], capture_output=True, text=True, timeout=60)

    (line,) = [line for line in said.stdout.splitlines() if "Overall exposure level" in line]
    assert said.returncode == 0, line
    assert float(line.split(": ")[1].split()[0]) <= MOST


def test_a_unit_that_is_open_would_be_seen(tmp_path):
    """What is measured is the unit that is shipped, not what systemd thinks of some other."""
    unit = tmp_path / "certspool.service"
    unit.write_text("".join(_without(line) for line in (UNITS / unit.name).read_text().splitlines(keepends=True)))
    command = [
        "systemd-analyze",
        "security",
        "--offline=true",
        "--no-pager",
        f"--threshold={int(MOST * 10)}",
        str(unit),
    ]

    assert subprocess.run(command, capture_output=True, timeout=60).returncode != 0


def _without(line: str) -> str:
    return "" if line.startswith(("SystemCallFilter", "CapabilityBoundingSet")) else line


@pytest.mark.attack_row("S42")
@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_leaves_no_core_and_takes_no_secret_from_its_environment(name):
    unit = settings_of(name)

    assert unit["LimitCORE"] == ["0"]
    assert not {"Environment", "EnvironmentFile", "PassEnvironment", "SetCredential"} & unit.keys()
    assert unit["WatchdogSec"] == ["60"]


@pytest.mark.parametrize("name", SERVICES[:2])
def test_keys_come_as_credentials_of_systemd(name):
    """Each file of the directory, named as `spooler.daemon.settings` looks for it."""
    (loaded,) = settings_of(name)["LoadCredential"]

    assert loaded.startswith("credential:/etc/certspool/credentials")


def test_the_page_for_the_public_is_given_no_key():
    assert "LoadCredential" not in settings_of(SERVICES[2])


def test_an_agent_keeps_what_it_needs():
    """The user lp by name, sockets of cupsd, whether the clock is kept; a call that is denied fails, it does not kill."""
    unit = settings_of("certspool-agent@.service")

    assert "PrivateUsers" not in unit and "PrivateNetwork" not in unit
    assert "AF_UNIX" in unit["RestrictAddressFamilies"][0].split()
    assert unit["StateDirectoryMode"] == ["0711"]
    assert "adjtimex" in unit["SystemCallFilter"][-1].split() and "ProtectClock" not in unit
    assert all(settings_of(name)["SystemCallErrorNumber"] == ["EPERM"] for name in SERVICES)
