"""The private broker: its own process, loopback only, and nothing confirmed is lost when it is killed."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from spooler.sandbox import broker as sandbox
from spooler.wire.courier import Courier
from spooler.wire.letters import Letter
from spooler.wire.link import BrokerAddress, PikaLink
from spooler.wire.topology import ORDERS, describe, hall_queue

NOBODY = 65534
LOOPBACK_4, LOOPBACK_6 = "0100007F", f"{'0' * 24}01000000"  # in the byte order of /proc/net/tcp
REGISTRY, HALL = "231221", "231282-01"


@pytest.fixture
def own(tmp_path):
    """A broker of this test's own, to be killed."""
    private = sandbox.prepare(tmp_path / "broker")
    processes = [sandbox.start(private)]
    sandbox.wait_ready(private)
    yield private, processes
    for process in processes:
        process.kill()
        process.wait(10)


class Keeps:
    """An inbox and an outbox that keep ids."""

    def __init__(self, *letters: Letter) -> None:
        self.waiting = list(letters)
        self.handled: list[str] = []

    def pending(self, limit):
        return self.waiting[:limit]

    def sent(self, letter_id):
        self.waiting = [letter for letter in self.waiting if letter.id != letter_id]

    def failed(self, letter_id, error): ...

    def handle(self, delivery):
        self.handled.append(delivery.id)


def until(what, seconds):
    give_up = time.monotonic() + seconds
    while not what() and time.monotonic() < give_up:
        time.sleep(0.05)
    return what()


@pytest.mark.fault_row("F8")
def test_a_killed_broker_gives_confirmed_letters_back_and_couriers_return(own):
    """kill -9, started again on the same directory: same ports, same users, every confirmed letter (F8)."""
    private, processes = own
    with private.management() as management:
        management.apply(describe([REGISTRY], [HALL]), {"home": "home"})
    home = PikaLink(BrokerAddress("127.0.0.1", private.amqp_port, "certspool", "home", "home"))
    home.open()
    for number in range(20):
        home.publish(Letter(str(number), ORDERS, f"{REGISTRY}.{HALL}", "order", os.urandom(50_000)))
    side = Keeps()

    os.kill(processes[0].pid, signal.SIGKILL)
    processes[0].wait(10)
    processes.append(sandbox.start(private))
    courier = Courier(lambda: PikaLink(private.address("certspool"), [hall_queue(HALL)]), side, side)
    courier.start()  # while the broker is still coming up

    assert until(lambda: len(side.handled) == 20, 40)
    assert side.handled == [str(number) for number in range(20)]
    side.waiting.append(Letter("after", ORDERS, f"{REGISTRY}.{HALL}", "order", b""))
    courier.wake()
    assert until(lambda: side.handled[-1] == "after", 5)
    courier.stop()


def test_the_process_is_the_broker_itself(broker):
    """The pid in sandbox.json is what answers to a signal, not a shell around it."""
    pid = int(Path(broker.directory, "broker.pid").read_text())

    assert os.readlink(f"/proc/{pid}/exe").endswith("/beam.smp")
    assert "-noinput" in Path(f"/proc/{pid}/cmdline").read_text()


def test_no_password_stands_where_others_can_read_it(broker):
    pid = int(Path(broker.directory, "broker.pid").read_text())
    seen = Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()

    assert broker.password.encode() not in seen
    assert broker.password not in repr(broker)
    for name in ("rabbitmq.conf", "broker.json"):
        assert stat.S_IMODE(Path(broker.directory, name).stat().st_mode) == 0o600


def test_it_listens_on_loopback_only(broker):
    """Also the port between nodes, which RabbitMQ opens to the world by default."""
    ports = {broker.amqp_port, broker.management_port, broker.distribution_port, broker.epmd_port}
    for port in ports:
        socket.create_connection(("127.0.0.1", port), timeout=10).close()

    seen: set[tuple[str, int]] = set()

    def everybody_was_seen() -> bool:
        """The kernel's table is written in pieces: one who listens may be missing where others come and go meanwhile."""
        seen.update((address, port) for address, port in listening() if port in ports)
        return {port for _, port in seen} == ports

    assert until(everybody_was_seen, 10), (ports, seen)
    assert {address for address, _ in seen} <= {LOOPBACK_4, LOOPBACK_6}


def listening() -> Iterator[tuple[str, int]]:
    """Yield address and port of every listening TCP socket, as the kernel writes them."""
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            address, port = local.split(":")
            if state == "0A":
                yield address, int(port, 16)


def test_its_name_server_goes_with_it(tmp_path):
    """RabbitMQ alone would leave an epmd behind for ever; also a kill -9 while it comes up leaves none."""
    private = sandbox.prepare(tmp_path / "broker")
    process = sandbox.start(private)
    assert until(lambda: children_of(process.pid), 10)

    process.kill()
    process.wait(10)

    assert until(lambda: not processes_with(f"-port {private.epmd_port}"), 5)
    assert until(lambda: not processes_with(f"-epmd_port {private.epmd_port}"), 5)


def children_of(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return []


def processes_with(words: str) -> list[str]:
    lines = subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line for line in lines if words in line and "ps -eo" not in line]


def test_prepared_again_it_is_the_same_broker(broker):
    assert sandbox.prepare(Path(broker.directory)) == broker


def test_a_broker_that_does_not_come_up_is_told_with_the_place_of_its_log(tmp_path):
    private = sandbox.prepare(tmp_path / "broker")

    with pytest.raises(sandbox.BrokerNotReady, match="log"):
        sandbox.wait_ready(private, timeout_seconds=0.1)


@pytest.mark.skipif(os.geteuid() != 0, reason="all tests here then run as an ordinary user already")
def test_an_ordinary_user_can_run_one():
    """Without the rabbitmq user, without root, without /var/lib."""
    place = Path(tempfile.mkdtemp(prefix="certspool-broker-"))
    os.chown(place, NOBODY, NOBODY)
    pid = os.fork()
    if pid == 0:
        become_as_nobody(place / "broker")
    try:
        assert until((place / "broker" / "broker.json").exists, 10)
        sandbox.wait_ready(sandbox.prepare(place / "broker"))
        assert Path(f"/proc/{pid}").stat().st_uid == NOBODY
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        shutil.rmtree(place)


def become_as_nobody(directory: Path) -> NoReturn:
    try:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        sandbox.become(sandbox.prepare(directory))
    finally:
        os._exit(1)
