"""What anybody on the machine may look at while certificates are printed: no key, password or token among it."""

import json
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.build import a_proof
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


CANARIES = ("金丝雀鸣", "231221199001011234")


@pytest.mark.attack_row("S19", "S38", "S40")
def test_a_persons_name_and_number_are_on_the_paper_and_nowhere_else(sandbox):
    """Not in a log, a metric, a callback, a store, a ledger, a spool, a process, the broker's disk; and no document lies open."""
    request = a_proof(holder=CANARIES[0], obligor=CANARIES[0])
    request["parties"] = [{"role": "holder", "name": CANARIES[0], "id_type": "other", "id_number": CANARIES[1]}]
    job = sandbox.accepted(request)
    sandbox.until([job["job_id"]], {"issued"}, 120)

    files = list(_kept(sandbox.directory))
    told = [str(file) for file, content in files if _is_told(content)]
    lying_open = [str(file) for file, content in files if content.startswith(b"%PDF-")]

    assert len(files) > 100 and told == lying_open == []
    assert any(CANARIES[0] in sheet.text for sheet in sandbox.sheets())
    for site in (*sandbox.plan["homes"], *sandbox.plan["halls"]):
        assert not _is_told(sandbox.http.get(site["api"] + "/metrics").content)
    assert not any(
        _is_told(_shown(int(name))) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()
    )


def _kept(directory: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file of the installation but the paper itself, and what is drawn or read of it by its keepers."""
    for file in sorted(directory.rglob("*")):
        if "printers" not in file.parts and file.is_file():
            try:
                yield file, file.read_bytes()
            except FileNotFoundError:
                continue  # cupsd or the broker has dropped it meanwhile


def _is_told(content: bytes) -> bool:
    spelled = [word.encode(code) for word in CANARIES for code in ("utf-8", "utf-16-be", "utf-16-le", "gb18030")]
    spelled += [json.dumps(word).strip('"').encode() for word in CANARIES]
    return any(spelling in content for spelling in spelled)
