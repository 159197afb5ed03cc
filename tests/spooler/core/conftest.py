"""A home without threads: store, documents and steps over real keys, a clock that is moved by hand, and a hall played by the test."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from spooler import migrations
from spooler.collect import Collector
from spooler.controls import Controls
from spooler.dispatch import Dispatcher
from spooler.documents import Documents, Private
from spooler.job import JobState
from spooler.pipeline import Pipeline, Step, next_steps
from spooler.prepare import Preparer
from spooler.store import Database, Store
from spooler.store.values import Accepted, Alarm, Endpoint, Job
from spooler.wire.errors import WireError
from spooler.wire.letters import Letter
from spooler.wire.messages import Party, Ticket
from spooler.wire.topology import ORDERS
from spooler.wire.trust import Trust
from tests.sealing import HALL, HOME, NOW, Office, a_pdf
from tests.spooler.core.hall import FakeHall
from tests.spooler.store.builders import CLERK, a_new_job

HOLDER = "赵㛃"


@dataclass
class Clock:
    """Time that passes when told."""

    time: datetime = NOW

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **duration: float) -> None:
        self.time += timedelta(**duration)


@dataclass
class Home:
    """The home's middle, one step at a time."""

    office: Office
    directory: Path
    clock: Clock
    alarms: list[Alarm] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.open()

    def open(self, trust: Trust | None = None) -> None:
        """Join the parts anew over what is on disk: what a restart does."""
        self.trust = trust or self.office.trust
        database = Database(f"sqlite:///{self.directory}/home.db")
        migrations.upgrade(database.engine)
        self.store = Store(database, self.clock, [Endpoint("records", frozenset({HOME}))])
        self.store.transactions.watch_alarms(self.alarms.append)
        self.documents = Documents(self.directory / "documents")
        self.collector = Collector(
            store=self.store,
            trust=self.trust,
            registries={HOME},
            clock=self.clock,
            on_alarm=self.alarms.append,
        )
        self.controls = Controls(self.store, {HOME: self.office.ticket_key()})
        self.pipeline = Pipeline(store=self.store, steps=self.steps(), clock=self.clock)

    def steps(self, more: Mapping[JobState, Step] | None = None) -> Mapping[JobState, Step]:
        prepare = Preparer(
            store=self.store,
            documents=self.documents,
            trust=self.trust,
            seals={HOME: self.office.seal_key()},
            ticket_keys={HOME: self.office.ticket_key()},
            order_days=3,
            clock=self.clock,
        )
        dispatch = Dispatcher(store=self.store, documents=self.documents, trust=self.trust, clock=self.clock)
        return {**next_steps(prepare=prepare, dispatch=dispatch), **(more or {})}

    def accept(self, number: int = 1, **varied: object) -> Job:
        """Keep a request for one proof."""
        private = Private(holder=HOLDER, parties=(Party(role="holder", name=HOLDER, id_type="id-card", id_number="1"),))
        kept = {"unsigned_sha256": self.documents.keep(a_pdf()), "private_sha256": self.documents.keep_private(private)}
        new = a_new_job(number, **{"deadline": NOW + timedelta(minutes=15), **kept, **varied})
        outcome = self.store.jobs.accept(new, CLERK)
        assert isinstance(outcome, Accepted)
        return outcome.job

    def job(self, job: Job | Ticket) -> Job:
        found = self.store.jobs.job(str(job.job_id))
        assert found is not None
        return found

    def orders(self) -> list[Letter]:
        return [letter for letter in self.store.outbox.pending(100) if letter.exchange == ORDERS]

    def send(self, error: WireError | None = None) -> list[Letter]:
        """Be the courier once: everything due is confirmed, or refused with `error`."""
        letters = list(self.store.outbox.pending(1000))
        for letter in letters:
            if error is None:
                self.store.outbox.sent(letter.id)
            else:
                self.store.outbox.failed(letter.id, error)
        return letters

    def sent(self, hall: FakeHall, number: int = 1, **varied: object) -> Ticket:
        """Bring a fresh job to `sent`; return the ticket as the hall reads it."""
        self.accept(number, **varied)
        self.pipeline.work_off()
        (order,) = self.orders()
        self.send()
        return hall.open(order)[0]

    def history(self, job: Job | Ticket) -> list[str]:
        return [event.state.value for event in self.store.jobs.events(str(job.job_id))]

    def callbacks(self, job: Job | Ticket) -> list[str]:
        feed = self.store.callbacks.feed(limit=1000)
        return [event.type for event in feed if event.data["job_id"] == str(job.job_id)]


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return Office.create(tmp_path_factory.mktemp("office") / "pki")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def home(office: Office, tmp_path: Path, clock: Clock) -> Iterator[Home]:
    found = Home(office, tmp_path, clock)
    yield found
    found.store.close()


@pytest.fixture
def hall(office: Office) -> FakeHall:
    return FakeHall(office, HALL)
