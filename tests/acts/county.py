"""A home and a hall, whole but for sockets and CUPS: real store, real ledger, real keys; letters go over a broker in memory, carried
when a test says so, and the printers and the clerk are played step by step."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

from agents.people import Identity, Recipient
from agents.stock import Movement
from spooler.another_order import AnotherOrder
from spooler.ask_hall import HallAsker
from spooler.collect import Collector
from spooler.dead_letters import DeadLetterReader, HomeInbox
from spooler.dispatch import Dispatcher
from spooler.gaps import GapWatch
from spooler.lease import Leases
from spooler.pipeline import Pipeline, Step, next_steps
from spooler.prepare import Preparer
from spooler.restore import Restorer
from spooler.store.values import Job
from spooler.unreceived import Unreceived
from spooler.watch import Watch
from spooler.wire.errors import NotTrusted
from spooler.wire.letters import Delivery, Inbox, Letter, Outbox
from spooler.wire.memory import MemoryBroker, MemoryLink
from spooler.wire.messages import Actor, Heartbeat, Stock, StockMoved
from spooler.wire.topology import dead_queue, describe, hall_queue, registry_queue
from spooler.write_off import HallsWrittenOff
from tests.agents.counter.hall import CLERK, SECOND, Counter
from tests.sealing import HALL, HOME, OTHER_HALL, OTHER_HOME, Office, some_passes
from tests.spooler.core.conftest import Clock, Home

OPERATOR = Actor(id="operator-1", role="operate")
BLANK = "D23000000101"


class County:
    """One home, one hall, and the broker between them."""

    def __init__(self, office: Office, directory: Path, clock: Clock) -> None:
        self.clock = clock
        self.home = Home(office, directory / "home", clock)
        self.counter = Counter(office, directory / "hall", clock=clock)  # type: ignore[arg-type]
        self.broker = MemoryBroker(describe([HOME, OTHER_HOME], [HALL, OTHER_HALL]))
        self.written_off = HallsWrittenOff(self.home.store, office.trust)
        self.asker = HallAsker({HOME: office.ticket_key()})
        self._prepare = self._preparer(office)
        self.another_order = AnotherOrder(store=self.home.store, prepare=self._prepare)
        self.home.pipeline = self.pipeline()
        self.watch = self._watch(office)
        self.home_inbox = self._home_inbox(office)
        self.restorer = Restorer(
            store=self.home.store, documents=self.home.documents, trust=office.trust, asker=self.asker, clock=clock
        )
        self._home_link = MemoryLink(self.broker, [registry_queue(HOME), dead_queue(HOME)], prefetch=1)
        self._hall_link = MemoryLink(self.broker, [hall_queue(HALL)], prefetch=1)
        self._home_link.open()
        self._hall_link.open()

    def close(self) -> None:
        self.counter.ledger.close()
        self.home.store.close()

    # the wire

    def home_sends(self) -> None:
        _send(self._home_link, self.home.store.outbox)

    def hall_sends(self) -> None:
        _send(self._hall_link, self.counter.hall.reporter)

    def hall_takes(self) -> None:
        _take(self._hall_link, self.counter.hall.inbox)

    def home_takes(self) -> None:
        _take(self._home_link, self.home_inbox)

    def carry(self) -> None:
        """Bring everything to where it belongs, and what follows from it too."""
        for _ in range(5):
            self.home.pipeline.work_off()
            self.home_sends()
            self.hall_takes()
            self.hall_sends()
            self.home_takes()

    def hall_loses_its_journal(self) -> None:
        """A new ledger over the old permits, in the hands of the same people; home is asked, and answers."""
        self.counter.ledger.close()
        for file in self.counter.directory.glob("ledger.sqlite*"):
            file.unlink()
        self.counter.permits_are_new = False
        self.counter.start()
        self.counter.fill()
        self.counter.hall.reconciliation.begin()
        self.hall_sends()
        self.home_takes()
        self.restorer.look()

    def hall_prints_again(self) -> None:
        """Blanks are counted, and two persons lead the hall out."""
        reconciliation = self.counter.hall.reconciliation
        for one in reconciliation.view(CLERK).uncounted:
            self.counter.stock.move(CLERK, Movement.COUNT, stock=one.stock, first=one.first, last=one.last)
        reconciliation.leave(CLERK, reason="all looked at", without=[OTHER_HOME])
        reconciliation.leave(SECOND)
        self.carry()

    def beats(self) -> None:
        """The hall's heart beats."""
        with self.counter.hall.journal.act():
            self.counter.hall.journal.tell_registry(Heartbeat, HOME, agent_version="0")

    def publish(self, letter: Letter) -> None:
        self._home_link.publish(letter)

    def lose(self, queue: str) -> None:
        """What lies in this queue is gone."""
        self._other(queue, lambda link, delivery: link.ack(delivery))

    def reject_all(self, queue: str) -> None:
        """What lies in this queue is given up by whoever reads it."""
        self._other(queue, lambda link, delivery: link.reject(delivery))

    def reverse(self, queue: str) -> None:
        """What lies in this queue comes in the other order."""
        letters = self.broker.letters(queue)
        self.lose(queue)
        for letter in reversed(letters):
            self.publish(letter)

    def _other(self, queue: str, settle: Callable[[MemoryLink, Delivery], None]) -> None:
        """Be the queue's one reader for a moment."""
        for mine in (self._home_link, self._hall_link):
            mine.close()
        with closing(MemoryLink(self.broker, [queue], prefetch=1)) as link:
            link.open()
            while (delivery := link.receive(0)) is not None:
                settle(link, delivery)
        for mine in (self._home_link, self._hall_link):
            mine.open()

    # the job

    def accept(self, number: int = 1, **varied: Any) -> Job:
        booklet = {"kind": "certificate", "template": "certificate/1", "passes": some_passes()}
        return self.home.accept(number, **{**booklet, "hall": HALL, **varied})

    def job(self, job: Job) -> Job:
        return self.home.job(job)

    def order_id(self, job: Job) -> UUID:
        return UUID(self.job(job).orders[-1].order_id)

    def brought_to(self, state: str) -> Job:
        """Accept a job and bring it to where the name says; home knows all of it unless the name says otherwise."""
        job = self.accept()
        steps = list(STATES)[1 : list(STATES).index(state) + 1]
        for step in steps:
            STATES[step](self, job)
        return job

    def goes_on_to_issued(self, job: Job) -> None:
        """Print, confirm and hand over whatever is left to do."""
        self.carry()
        self.goes_on_to_issued_at_the_hall(self.order_id(job))
        self.carry()

    def goes_on_to_issued_at_the_hall(self, order_id: UUID) -> None:
        for _ in range(20):
            view = self.counter.order(order_id)
            if view.state == "issued":
                return
            act = next(act for act in GOES_ON if act in view.next or act == "print")
            GOES_ON[act](self, order_id)

    def home_hears_of_stock(self, first: str, last: str) -> None:
        """The hall tells what came in."""
        with self.counter.ledger.transaction():
            self.counter.hall.reporter.tell(
                StockMoved, HOME, stock=Stock.CERTIFICATE, first=first, last=last, status="in-stock"
            )

    def blank(self, serial: str = BLANK) -> str:
        return self.counter.stock.blank(CLERK, Stock.CERTIFICATE, serial).status

    def last_callbacks(self, job: Job) -> list[str]:
        return self.home.callbacks(job)

    def details(self, job: Job) -> list[str | None]:
        return [event.detail for event in self.home.store.jobs.events(job.job_id)]

    # the parts

    def pipeline(self, dispatch: Step | None = None) -> Pipeline:
        """The home's own pipeline, sealing again what has run out of time."""
        own = Dispatcher(
            store=self.home.store,
            documents=self.home.documents,
            trust=self.home.trust,
            clock=self.clock,
            seal_again=self._prepare.again,
        )
        steps = next_steps(prepare=self._prepare, dispatch=dispatch or own)
        return Pipeline(store=self.home.store, steps=steps, clock=self.clock)

    def _preparer(self, office: Office) -> Preparer:
        return Preparer(
            store=self.home.store,
            documents=self.home.documents,
            trust=office.trust,
            seals={HOME: office.seal_key()},
            ticket_keys={HOME: office.ticket_key()},
            order_days=3,
            clock=self.clock,
            is_closed=self.written_off.is_closed,
        )

    def _watch(self, office: Office) -> Watch:
        store = self.home.store
        gaps = GapWatch(store=store, asker=self.asker, clock=self.clock)
        leases = Leases(store=store, asker=self.asker, trust=office.trust, order_days=3, clock=self.clock)
        unreceived = Unreceived(
            store=store, documents=self.home.documents, trust=office.trust, asker=self.asker, clock=self.clock
        )
        return Watch(store=store, clock=self.clock, also=(gaps.look, leases.look, unreceived.look))

    def _home_inbox(self, office: Office) -> HomeInbox:
        collector = Collector(
            store=self.home.store,
            trust=office.trust,
            registries={HOME},
            clock=self.clock,
            on_alarm=self.home.alarms.append,
            believed=self.written_off.believed,
        )
        return HomeInbox(collector, DeadLetterReader(self.home.store))


def _send(link: MemoryLink, outbox: Outbox) -> None:
    for letter in outbox.pending(1000):
        link.publish(letter)
        outbox.sent(letter.id)


def _take(link: MemoryLink, inbox: Inbox) -> None:
    while (delivery := link.receive(0)) is not None:
        try:
            inbox.handle(delivery)
        except NotTrusted:
            link.reject(delivery)
        else:
            link.ack(delivery)


def _outbox(county: County, job: Job) -> None:
    county.home.pipeline.work_off()


def _broker(county: County, job: Job) -> None:
    county.home_sends()


def _waiting(county: County, job: Job) -> None:
    county.carry()


def _released(county: County, job: Job) -> None:
    county.counter.releases(county.order_id(job))
    county.carry()


def _between(county: County, job: Job) -> None:
    county.counter.prints("booklet-1")
    county.carry()


def _on_paper(county: County, job: Job) -> None:
    county.counter.turns(county.order_id(job), 2)
    county.counter.prints("booklet-1")
    county.carry()


def _confirmed(county: County, job: Job) -> None:
    county.counter.confirms(county.order_id(job))
    county.carry()


def issue(county: County, order_id: UUID) -> None:
    county.counter.acts.issue(CLERK, order_id, recipient=Recipient("holder"), identity=Identity("id-card", "match"))


def _issued_untold(county: County, job: Job) -> None:
    issue(county, county.order_id(job))


def _issued(county: County, job: Job) -> None:
    county.carry()


# Each state follows from the one before.
STATES: dict[str, Any] = {
    "accepted": None,
    "in the outbox": _outbox,
    "in the broker": _broker,
    "waiting": _waiting,
    "released": _released,
    "between passes": _between,
    "on paper": _on_paper,
    "confirmed": _confirmed,
    "issued, not told": _issued_untold,
    "issued": _issued,
}
GOES_ON: dict[str, Any] = {
    "release": lambda county, order_id: county.counter.releases(order_id),
    "release_pass": lambda county, order_id: county.counter.turns(order_id, 2),
    "confirm": lambda county, order_id: county.counter.confirms(order_id),
    "issue": issue,
    "print": lambda county, order_id: county.counter.prints("booklet-1"),
}
