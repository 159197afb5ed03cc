"""The whole home as a process: real HTTP, real RabbitMQ, real callbacks; killed anywhere, it loses nothing."""

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any

import httpx
import pytest

from spooler.sandbox.ports import free_ports
from spooler.seal import pki
from spooler.seal.authority import SealAlgorithm
from spooler.wire.letters import Delivery, Letter
from spooler.wire.link import PikaLink
from spooler.wire.messages import Ticket
from spooler.wire.topology import ORDER_TYPE, REPORTS, Topology, hall_queue, hall_user
from tests.conftest import VirtualHost
from tests.journeys.build import a_proof
from tests.postgresql import PostgreSQL
from tests.sealing import HALL, HOME, OTHER_HALL, OTHER_HOME, Office
from tests.spooler.core.hall import FakeHall
from tests.spooler.core.process import TOPOLOGY, HomeProcess, until
from tests.spooler.core.receiver import Receiver


class PlayedHall:
    """A hall at the real broker: it opens each order, and says received, released, printed, issued, once for each."""

    def __init__(self, office: Office, host: VirtualHost) -> None:
        self._hall = FakeHall(office, now=datetime.now(UTC))
        self._link = PikaLink(host.address(hall_user(HALL)), [hall_queue(HALL)], name="played hall")
        self.orders: Counter[str] = Counter()
        self._stopping = False
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._link.open()
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._thread.join(10)
        self._link.close()

    def _run(self) -> None:
        while not self._stopping:
            delivery = self._link.receive(0.1)
            if delivery is not None:
                self._take(delivery)

    def _take(self, delivery: Delivery) -> None:
        if delivery.type != ORDER_TYPE:
            self._link.ack(delivery)  # home asks for reports that come a little later by themselves
            return
        ticket, _ = self._hall.open(delivery)
        self.orders[str(ticket.order_id)] += 1
        if self.orders[str(ticket.order_id)] == 1:
            for report in self._whole_way(ticket):
                self._link.publish(
                    Letter(
                        id=report.id,
                        exchange=REPORTS,
                        routing_key=report.routing_key,
                        type=report.type,
                        body=report.body,
                        headers=report.headers,
                    )
                )
        self._link.ack(delivery)

    def _whole_way(self, ticket: Ticket) -> list[Delivery]:
        hall = self._hall
        return [hall.received(ticket), hall.released(ticket), hall.printed(ticket), hall.issued(ticket)]


@pytest.fixture(scope="module")
def real_office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Keys that are valid today."""
    directory = tmp_path_factory.mktemp("keys") / "pki"
    registries = [
        pki.NewRegistry(HOME, "望奎县", "黑", "望奎县"),
        pki.NewRegistry(OTHER_HOME, "北林区", "黑", "绥化市"),
    ]
    halls = [pki.NewHall(HALL, "肇东市 01"), pki.NewHall(OTHER_HALL, "海伦市 01")]
    pki.init(directory, registries, halls, now=datetime.now(UTC) - timedelta(days=1), algorithm=SealAlgorithm.P_256)
    return Office(directory)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.close()


@pytest.fixture
def host(make_virtual_host: Callable[[Topology], VirtualHost]) -> VirtualHost:
    return make_virtual_host(TOPOLOGY)


@pytest.fixture
def process(tmp_path: Path, real_office: Office, host: VirtualHost, receiver: Receiver) -> Iterator[HomeProcess]:
    (port,) = free_ports(1)
    found = HomeProcess(tmp_path, real_office.directory, port, host, receiver.port)
    yield found
    if found.process is not None:
        found.process.kill()
        found.process.wait(10)


@pytest.fixture
def played(real_office: Office, host: VirtualHost) -> Iterator[PlayedHall]:
    found = PlayedHall(real_office, host)
    found.start()
    yield found
    found.stop()


def test_a_request_comes_back_as_issued(process: HomeProcess, played: PlayedHall, receiver: Receiver) -> None:
    """The main job, home side: posted, sealed, sent, and told of every step."""
    process.start()
    process.wait_ready()

    posted = process.client.post("/v1/jobs", json=a_proof())

    assert posted.status_code == httpx.codes.CREATED
    job_id = posted.json()["job_id"]
    assert until(lambda: process.job(job_id)["state"] == "issued")
    document = process.client.get(f"/v1/jobs/{job_id}/document").content
    assert document.startswith(b"%PDF")
    states = ["accepted", "sealed", "sent", "received", "printing", "printed", "issued"]
    assert until(lambda: receiver.types == [f"job.{state}" for state in states])
    assert process.stop() == 0
    assert "张三" not in process.log and "李四" not in process.log


def test_killed_again_and_again_it_loses_nothing(process: HomeProcess, played: PlayedHall, receiver: Receiver) -> None:
    """Promises 1 and 2 at home: every request answered 201 ends, under one order, told in order."""
    process.start()
    process.wait_ready()
    requests = [a_proof() for _ in range(24)]

    with ThreadPoolExecutor(4) as pool:
        posting = [pool.submit(_post_until_answered, process, request) for request in requests]
        for pause in (0.1, 0.4, 0.2):
            sleep(pause)
            process.restart()
        job_ids = [one.result() for one in posting]

    assert len(set(job_ids)) == len(requests)
    assert until(lambda: all(process.job(job_id)["state"] == "issued" for job_id in job_ids), 60)
    orders = [process.job(job_id)["orders"] for job_id in job_ids]
    assert [len(of_job) for of_job in orders] == [1] * len(requests)
    assert set(played.orders) == {of_job[0]["order_id"] for of_job in orders}
    assert until(lambda: _told(receiver).keys() == set(job_ids), 30)
    assert until(lambda: all(told == list(range(1, 8)) for told in _told(receiver).values()), 30), _told(receiver)


@pytest.fixture
def two_homes(
    tmp_path: Path, real_office: Office, host: VirtualHost, receiver: Receiver, postgresql: PostgreSQL
) -> Iterator[list[HomeProcess]]:
    """Two homes on one PostgreSQL, one directory of documents, one broker."""
    shared = f'database_url = "{postgresql.url(postgresql.fresh())}"\ndocuments_directory = "{tmp_path}/documents"'
    homes = []
    for name, port in zip(("one", "two"), free_ports(2), strict=True):
        (tmp_path / name).mkdir()
        homes.append(
            HomeProcess(tmp_path / name, real_office.directory, port, host, receiver.port, home_settings=shared)
        )
    yield homes
    for home in homes:
        if home.process is not None:
            home.process.kill()
            home.process.wait(10)


@pytest.mark.soak
@pytest.mark.fault_row("F45")
def test_two_homes_on_one_database_are_restarted_one_after_the_other(
    two_homes: list[HomeProcess], played: PlayedHall, receiver: Receiver
) -> None:
    """A rolling restart: nothing lost, no order sent twice, every step told once and in its order."""
    for home in two_homes:
        home.start()
        home.wait_ready()
    requests = [a_proof() for _ in range(20)]

    with ThreadPoolExecutor(4) as pool:
        posting = [pool.submit(_post_to_either, two_homes, nth, request) for nth, request in enumerate(requests)]
        for home in two_homes:
            sleep(0.3)
            assert home.stop() == 0
            home.start()
            home.wait_ready()
        job_ids = [one.result() for one in posting]

    assert len(set(job_ids)) == len(requests)
    for home in two_homes:
        assert until(lambda home=home: all(home.job(job_id)["state"] == "issued" for job_id in job_ids), 60)
    assert played.orders == Counter(two_homes[0].job(job_id)["orders"][0]["order_id"] for job_id in job_ids)
    assert until(lambda: len(_told(receiver)) == len(job_ids), 30)
    assert until(lambda: all(told == list(range(1, 8)) for told in _told(receiver).values()), 30), _told(receiver)
    assert len(receiver.heard) == 7 * len(job_ids)


@pytest.mark.soak
@pytest.mark.fault_row("F45")
def test_a_home_that_was_killed_leaves_its_letters_and_its_duty_to_the_other(
    two_homes: list[HomeProcess], played: PlayedHall, receiver: Receiver
) -> None:
    for home in two_homes:
        home.start()
        home.wait_ready()
    dying, living = two_homes

    posted = [_post_to_either([dying], 0, a_proof()) for _ in range(3)]
    dying.kill()

    posted += [_post_to_either([living], 0, a_proof())]
    assert until(lambda: all(living.job(job_id)["state"] == "issued" for job_id in posted), 90)
    assert until(lambda: set(_told(receiver)) == set(posted), 90)
    assert until(lambda: all(told == list(range(1, 8)) for told in _told(receiver).values()), 90), _told(receiver)


def _post_to_either(homes: list[HomeProcess], first: int, request: dict[str, Any]) -> str:
    """Do as a balancer before two homes does."""
    for nth in itertools.count(first):
        try:
            answer = homes[nth % len(homes)].client.post("/v1/jobs", json=request)
        except httpx.TransportError:
            sleep(0.05)
            continue
        if answer.status_code in (httpx.codes.CREATED, httpx.codes.OK):
            break
        assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, answer.text
    return str(answer.json()["job_id"])


def test_a_second_home_in_the_same_directory_does_not_start(process: HomeProcess) -> None:
    process.start()
    process.wait_ready()
    first = process.process

    process.start()

    second = process.process
    process.process = first
    assert second is not None and second.wait(30) == 2
    assert "another home" in process.log


def test_a_home_without_its_key_says_which_and_does_not_start(process: HomeProcess) -> None:
    """S41."""
    process.config.write_text(process.config.read_text().replace(f'id = "{HOME}"', 'id = "231299"', 1))

    process.start()

    assert process.process is not None and process.process.wait(30) == 2
    assert "231299" in process.log


def _post_until_answered(process: HomeProcess, request: dict[str, Any]) -> str:
    """Do as a registration system does: the same request again until it is answered."""
    while True:
        try:
            answer = process.client.post("/v1/jobs", json=request)
        except httpx.TransportError:
            sleep(0.05)
            continue
        assert answer.status_code in (httpx.codes.CREATED, httpx.codes.OK), answer.text
        return str(answer.json()["job_id"])


def _told(receiver: Receiver) -> dict[str, list[int]]:
    """Return the sequences told of each job, in the order of their first telling."""
    told: dict[str, list[int]] = {}
    for _, body in list(receiver.heard):
        data = json.loads(body)["data"]
        sequences = told.setdefault(data["job_id"], [])
        if data["sequence"] not in sequences:
            sequences.append(data["sequence"])
    return told
