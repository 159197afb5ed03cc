"""The store: the home's one memory, and the only writer of state.

    jobs        accept once, find, list, history          orders      prepared, posted, controls
    outbox      letters until the broker confirmed        callbacks   events until the endpoint took them
    halls       heartbeat, printers, blanks               approvals   what waits for a second person
    gaps        missing reports                           dead        letters given up
    write_offs  halls that nothing is expected from    electronics  certificates as files
    duty        who of several homes does what only one may do         asks      what waits for a person
    audit       the log that hangs together, and its anchors        kept      until when documents are, and legal holds
    grants      what was ever agreed and withdrawn             enrolments  new halls and their one-time codes

`changing()` is one transaction for those that must write several of these together (`collect`, `controls`).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from spooler.store.asks import Asks
from spooler.store.audit import Audit
from spooler.store.callbacks import Callbacks
from spooler.store.change import Change, IllegalMove, NoSuchJob, Outgoing
from spooler.store.database import Database
from spooler.store.dead import DeadLetters
from spooler.store.duty import Duty
from spooler.store.electronic import Electronics
from spooler.store.enrolments import Enrolments
from spooler.store.figures import Figures
from spooler.store.gaps import Gaps
from spooler.store.grants import Grants
from spooler.store.halls import Approvals, Halls
from spooler.store.jobs import Jobs
from spooler.store.kept import Kept
from spooler.store.orders import Orders
from spooler.store.outbox import StoredOutbox
from spooler.store.standing import Standings
from spooler.store.transactions import Clock, Transactions
from spooler.store.values import Endpoint
from spooler.store.write_offs import WriteOffs

__all__ = ["Change", "Database", "IllegalMove", "NoSuchJob", "Outgoing", "Store"]


class Store:
    """All rooms of the store over one database."""

    def __init__(
        self, database: Database, clock: Clock, endpoints: Sequence[Endpoint] = (), *, tells_others: bool = True
    ) -> None:
        self.database = database
        self.transactions = Transactions(database, clock, endpoints, tells_others=tells_others)
        self.jobs = Jobs(self.transactions)
        self.orders = Orders(self.transactions)
        self.outbox = StoredOutbox(self.transactions, clock, is_shared=database.is_shared)
        self.duty = Duty(database)
        self.asks = Asks(self.transactions)
        self.audit = Audit(self.transactions)
        self.callbacks = Callbacks(self.transactions)
        self.grants = Grants(self.transactions)
        self.halls = Halls(self.transactions)
        self.standings = Standings(self.transactions)
        self.approvals = Approvals(self.transactions)
        self.gaps = Gaps(self.transactions)
        self.dead = DeadLetters(self.transactions)
        self.write_offs = WriteOffs(self.transactions)
        self.electronics = Electronics(self.transactions)
        self.enrolments = Enrolments(self.transactions)
        self.figures = Figures(self.transactions)
        self.kept = Kept(self.transactions)

    @contextmanager
    def changing(self) -> Iterator[Change]:
        """One transaction over several rooms."""
        with self.transactions.changing() as change:
            yield change

    def is_answering(self) -> bool:
        """Say whether the database can be read."""
        with self.transactions.reading() as connection:
            return connection.execute(select(1)).scalar() == 1

    def close(self) -> None:
        with suppress(DBAPIError):  # a database that is away lets claims lapse and duty go by itself
            self.outbox.release()
        self.duty.close()
        self.database.close()
