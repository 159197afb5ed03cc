"""What anybody on the machine may look at while certificates are printed: no key, password or token among it."""

import os
import tomllib
from pathlib import Path

import pytest

from tests.journeys.drive import Driver


def secrets_of(sandbox: Driver) -> set[bytes]:
    """All that is a secret here: what sandbox.json hands out, and every line of every credential."""
    site = sandbox.plan
    found = {one[key] for one in (*site["homes"], *site["halls"]) for key in ("token", "approver_token")}
    found |= {home["callback"]["secret"] for home in site["homes"]}
    files = [
        file
        for one in (*site["homes"], *site["halls"])
        for file in _credentials(Path(one["config"])).iterdir()
        if file.suffix != ".p12"
    ]
    found |= {line for file in files for line in file.read_text().splitlines() if "-----" not in line}
    return {secret.encode() for secret in found if len(secret) > 7}


def _credentials(config: Path) -> Path:
    settings = tomllib.loads(config.read_text())
    return Path((settings.get("home") or settings["hall"])["credentials_directory"])


@pytest.mark.attack_row("S42")
def test_no_secret_stands_in_an_environment_or_a_command_line(sandbox):
    """`ps` and /proc/PID/environ of the home, every agent, every cupsd, and of what they started."""
    secrets = secrets_of(sandbox)
    own = {one["pid"] for one in (*sandbox.plan["homes"], *sandbox.plan["halls"])}
    own |= {hall["cups_pid"] for hall in sandbox.plan["halls"]}
    seen = {pid: _shown(pid) for pid in (*own, *_children(own))}

    assert len(secrets) > 10 and all(seen[pid] for pid in own)
    told = {pid for pid, shown in seen.items() for secret in secrets if secret in shown}
    assert told == set()


def _shown(pid: int) -> bytes:
    try:
        return b"".join(Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ"))
    except OSError:
        return b""  # it has gone


def _children(parents: set[int]) -> set[int]:
    found = set()
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                parent = int(Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent in parents:
                found.add(int(name))
    return found
