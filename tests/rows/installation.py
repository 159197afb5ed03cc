"""Home and hall over a real RabbitMQ: the home a process that can be killed, the hall a real ledger and inbox whose printers are played."""

from collections import Counter as Tally
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from agents.stock import Movement
from spooler.wire.letters import Link
from spooler.wire.link import PikaLink
from spooler.wire.messages import Stock
from spooler.wire.topology import hall_queue, hall_user
from tests.agents.counter.hall import CLERK, HALL, Counter
from tests.agents.counter.test_over_the_wire import Wired
from tests.conftest import VirtualHost
from tests.contracts.proxy import Proxy
from tests.spooler.core.process import HomeProcess, until

MORE_BLANKS = ("23000000201", "23000000300")


def now() -> datetime:
    return datetime.now(UTC)


class HallOnRabbit(Wired):
    """The hall's own courier, inbox and outbox on the real broker; it counts what is delivered."""

    def __init__(self, counter: Counter, host: VirtualHost) -> None:
        self._host = host
        self.delivered: Tally[str] = Tally()
        take = counter.hall.inbox.handle

        def count(delivery: Any) -> None:
            self.delivered[str(delivery.headers.get("order_id"))] += 1
            take(delivery)

        counter.hall.inbox.handle = count  # type: ignore[method-assign]
        super().__init__(counter, None)  # type: ignore[arg-type]

    def link(self) -> Link:
        return PikaLink(self._host.address(hall_user(HALL)), [hall_queue(HALL)], name="hall")

    def sheets(self, order_id: str) -> int:
        """How often a pass of this order went to a printer."""
        return sum(title.startswith(order_id) for title in self.printed)

    def received(self, order_id: str) -> int:
        """How many `received` reports were written about this order."""
        sql = "SELECT count(*) FROM outbox WHERE kind = 'received' AND order_id = ?"
        return int(self.counter.ledger._db.value(sql, order_id))

    def wrapped_bytes(self, order_id: str) -> int:
        """How long the order was on the wire, as the hall keeps it."""
        return self.counter.hall.documents._path(UUID(order_id)).stat().st_size


def a_hall(office: Any, directory: Any, host: VirtualHost) -> HallOnRabbit:
    counter = Counter(office, directory, clock=now, release="auto")  # type: ignore[arg-type]
    first, last = MORE_BLANKS
    counter.stock.move(CLERK, Movement.RECEIVE, stock=Stock.PROOF, first=first, last=last)
    counter.stock.move(CLERK, Movement.LOAD, stock=Stock.PROOF, first=first, last=last, printer="proof-1")
    return HallOnRabbit(counter, host)


@dataclass
class Installation:
    """What a test holds in its hands."""

    home: HomeProcess
    hall: HallOnRabbit
    network: Proxy  # between home and broker
    host: VirtualHost

    def post(self, request: dict[str, Any]) -> dict[str, Any]:
        answer = self.home.client.post("/v1/jobs", json=request)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def order_of(self, job: dict[str, Any]) -> str:
        """The job's order, once it is there."""
        assert until(lambda: bool(self.home.job(job["job_id"])["orders"]), 30)
        return str(self.home.job(job["job_id"])["orders"][-1]["order_id"])

    def is_printed(self, job: dict[str, Any]) -> bool:
        """Whether home has heard that its pass was released, and it is on paper."""
        return self.home.job(job["job_id"])["state"] == "printing" and self.hall.sheets(self.order_of(job)) > 0

    def depth(self) -> float:
        text = self.home.client.get("/metrics").text
        line = next(line for line in text.splitlines() if line.startswith("certspool_outbox_depth{"))
        return float(line.rsplit(" ", 1)[1])
