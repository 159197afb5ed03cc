"""A sandbox is what it says: up leaves all running and holds nothing, restarts wait and keep, down ends all of it and only it."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.journeys.conftest import CERTSPOOL, run
from tests.journeys.drive import Driver, eventually
from tests.journeys.sockets import LISTENING, sockets_of

HALL = "231282-01"


@pytest.fixture(scope="module")
def small() -> Iterator[Driver]:
    """One registry, one hall, in a directory that nobody else may enter and whose name is long."""
    top = Path(tempfile.mkdtemp(prefix="certspool-", dir="/var/tmp"))
    directory = top / ("d" * 90)
    directory.mkdir(mode=0o700)
    top.chmod(0o755)
    run(["sandbox", "up", "--dir", str(directory), "--registries", "231221", "--halls", HALL, "--blanks", "7"])
    driver = Driver(directory)
    try:
        with driver.http:
            yield driver
    finally:
        run(["sandbox", "down", "--dir", str(directory)])
        shutil.rmtree(top)


def alive(pid: int) -> bool:
    """Say whether it runs; a zombie that its parent has not collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def pids_of(plan: dict) -> list[int]:
    return [plan["broker"]["pid"], plan["homes"][0]["pid"], plan["halls"][0]["pid"], plan["halls"][0]["cups_pid"]]


def test_the_plan_names_every_part_by_its_own_pid(small: Driver):
    """Not a shell around it: the process with that pid is the program itself."""
    names = [Path(f"/proc/{pid}/exe").readlink().name for pid in pids_of(small.plan)]

    assert names[0] == "beam.smp"
    assert names[1].startswith("python") and names[2].startswith("python")
    assert names[3] == "cupsd"


def test_every_path_and_address_of_the_plan_is_one(small: Driver):
    plan = small.plan
    hall, home = plan["halls"][0], plan["homes"][0]

    assert Path(home["config"]).is_absolute() and Path(home["config"]).is_file()
    assert Path(hall["config"]).is_file() and Path(hall["cups_socket"]).is_socket()
    assert len(hall["cups_socket"]) <= 107
    assert [p["stock"] for p in hall["printers"]] == ["certificate", "proof", "plain"]
    assert all(Path(p["sheets"]).is_dir() for p in hall["printers"])
    for api in (home["api"], hall["api"]):
        assert httpx.get(f"{api}/readyz").status_code == 200


def test_the_administrator_gets_in_where_the_queues_are(small: Driver):
    broker = small.plan["broker"]
    user, _, rest = broker["url"].removeprefix("amqp://").partition(":")
    password, _, place = rest.partition("@")
    host = place.partition("/")[2]

    answer = httpx.get(f"{broker['management']}/api/queues/{host}/{broker['queues'][HALL]}", auth=(user, password))

    assert (answer.status_code, answer.json()["type"]) == (200, "quorum")


def test_its_broker_is_as_a_deployments(small: Driver, tmp_path):
    """Home and halls come over TLS, each by its certificate; nobody has a password but the administrator, who is on loopback."""
    broker = small.plan["broker"]
    password = tmp_path / "administrator.password"
    password.touch(mode=0o600)
    password.write_text(broker["url"].split(":")[2].partition("@")[0])
    session = ["--password-file", str(password), "--management", broker["management"]]

    told = run(["broker", "check", "--config", small.home["config"], *session, "--json"])

    assert json.loads(told)["differences"] == []
    users = {one["user"]: one for one in _connections(broker)}
    assert {name: (one["ssl"], one["auth_mechanism"]) for name, one in users.items()} == {
        "home": (True, "EXTERNAL"),
        f"hall-{HALL}": (True, "EXTERNAL"),
    }


def _connections(broker: dict) -> list[dict]:
    user, _, rest = broker["url"].removeprefix("amqp://").partition(":")
    found: list[dict] = httpx.get(
        f"{broker['management']}/api/connections", auth=(user, rest.partition("@")[0]), timeout=30
    ).json()
    return found


def test_trays_are_loaded_and_the_ledger_knows(small: Driver):
    hall = small.hall(HALL)

    stock = httpx.get(f"{hall['api']}/v1/stock", headers={"Authorization": f"Bearer {hall['token']}"}).json()

    assert {name: sum(counts.values()) for name, counts in stock["counts"].items()} == {"certificate": 7, "proof": 7}
    assert stock["balanced"]


def test_nothing_listens_but_on_loopback(small: Driver):
    """Of the parts' own processes, every listening TCP socket is bound to 127.0.0.1."""
    for pid in pids_of(small.plan):
        addresses = listening(pid)
        assert addresses <= {"0100007F"}, (pid, addresses)


def listening(pid: int) -> set[str]:
    return {one.local.partition(":")[0] for one in sockets_of(pid) if one.state == LISTENING}


def test_no_part_holds_a_stream_of_who_started_it(small: Driver):
    """`up` in a pipe ends with the pipe; a part's streams lead to nothing and to its log."""
    for pid in pids_of(small.plan):
        streams = [os.readlink(f"/proc/{pid}/fd/{n}") for n in (0, 1, 2)]
        assert [s for s in streams if not (s == "/dev/null" or s.startswith(str(small.directory)))] == []


def test_up_again_while_it_runs_is_refused(small: Driver):
    run(["sandbox", "up", "--dir", str(small.directory)], expected=1)


@pytest.mark.parametrize("part", ["home", f"agent:{HALL}", f"cups:{HALL}", "broker"])
def test_a_restart_waits_until_its_predecessor_has_gone(small: Driver, part: str):
    """Asked too early it waits by lock; then it is the one, with the same ports and tokens, and needs no environment."""
    before = small.plan
    number = {"home": 1, f"agent:{HALL}": 2, f"cups:{HALL}": 3, "broker": 0}[part]
    pid = pids_of(before)[number]

    successor = subprocess.Popen(before["restart"][part], env={}, stdin=subprocess.DEVNULL, start_new_session=True)
    with pytest.raises(subprocess.TimeoutExpired):
        successor.wait(1)
    assert pids_of(small.plan)[number] == pid
    os.kill(pid, signal.SIGKILL)

    eventually(lambda: pids_of(small.plan)[number] == successor.pid, 120, lambda: f"{part} did not take over")
    after = small.plan
    assert not alive(pid)
    assert strip(after) == strip(before)
    for api in (after["homes"][0]["api"], after["halls"][0]["api"]):
        eventually(lambda api=api: is_ready(api), 120, lambda api=api: f"{api} is not ready again")


def is_ready(api: str) -> bool:
    try:
        return httpx.get(f"{api}/readyz").is_success
    except httpx.TransportError:
        return False


def strip(plan: dict) -> dict:
    return json.loads(
        json.dumps(plan), object_hook=lambda d: {k: v for k, v in d.items() if k not in ("pid", "cups_pid")}
    )


def test_status_names_the_part_that_is_down(small: Driver):
    pid = small.hall(HALL)["cups_pid"]
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not alive(pid), 10, lambda: "cupsd stays")

    told = json.loads(run(["sandbox", "status", "--dir", str(small.directory), "--json"], expected=1))

    assert [part for part, running in told.items() if running is None] == [f"cups:{HALL}"]
    successor = small.restart(f"cups:{HALL}")
    eventually(lambda: small.hall(HALL)["cups_pid"] == successor.pid, 120, lambda: "cupsd did not come back")


def test_a_fault_is_put_where_it_is_asked_for(small: Driver):
    printer = next(p for p in small.hall(HALL)["printers"] if p["name"] == "proof-1")
    fault = Path(printer["sheets"]).parent / "fault.json"

    run(["sandbox", "fault", "--dir", str(small.directory), f"{HALL}/proof-1", "cut:20000"])
    assert fault.exists()
    run(["sandbox", "fault", "--dir", str(small.directory), f"{HALL}/proof-1", "clear"])
    assert not fault.exists()
    run(["sandbox", "fault", "--dir", str(small.directory), f"{HALL}/proof-1", "explode"], expected=2)
    run(["sandbox", "fault", "--dir", str(small.directory), f"{HALL}/proof-9", "jam"], expected=2)


def test_down_ends_all_of_it_and_only_it_and_up_starts_it_as_it_was(small: Driver):
    bystander = subprocess.Popen(["sleep", "60"], env={"HERE": str(small.directory)})
    before = small.plan

    run(["sandbox", "down", "--dir", str(small.directory)])

    assert [pid for pid in pids_of(before) if alive(pid)] == []
    assert mentions(small.directory) == []
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait(10)
    run(["sandbox", "up", "--dir", str(small.directory)])
    assert strip(small.plan) == strip(before)


def mentions(directory: Path) -> list[str]:
    """Return the command of each process that was started for this directory."""
    commands = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(directory) in command and str(CERTSPOOL) not in command.partition(" sandbox ")[0]:
            commands.append(command)
    return commands
