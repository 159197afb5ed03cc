"""What the world does to a place besides killing: a clerk who is away, a deaf registration system, days that pass, things lost.

All of it is real but for time: days pass by an earlier date in the books, as if they had.
"""

import os
import signal
import sqlite3
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import Connection, create_engine, func, select, update

from spooler.sandbox import broker, locks
from spooler.sandbox.site import VIRTUAL_HOST
from spooler.sandbox.virtual_printer import Printer
from spooler.store import tables as t
from spooler.store.trouble import dead_letters
from spooler.wire.management import Management
from spooler.wire.topology import ORDER_TYPE, ORDERS, registry_queue, to_hall
from tests.crash.place import AGENT, DAEMONS, HALL, REGISTRY, Place

LONG_AGO = timedelta(days=4)


class Mischief:
    """Upon one place."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def is_mended(self) -> None:
        """Everybody is back, nothing fails."""
        self.place.fault("clear")
        self.clerk_comes()
        self.registration_hears()
        for part in DAEMONS:
            self.place.call_back(part)

    # people

    def clerk_goes(self) -> None:
        self._clerk(signal.SIGSTOP)

    def clerk_comes(self) -> None:
        self._clerk(signal.SIGCONT)

    def _clerk(self, number: signal.Signals) -> None:
        pid = locks.holder(self.place.site.lock("clerk"))
        assert pid is not None
        os.kill(pid, number)

    def registration_goes_deaf(self) -> None:
        """Its end of the callbacks can keep nothing: it breaks off without an answer."""
        received = self.place.site.received
        self.place.told()
        if not received.is_dir():
            received.touch()
            received.rename(self._heard)
            received.mkdir()

    def registration_hears(self) -> None:
        received = self.place.site.received
        if received.is_dir():
            received.rmdir()
            self._heard.rename(received)

    @property
    def _heard(self) -> Path:
        return self.place.site.received.with_suffix(".heard")

    # time

    def order_ends_soon(self, order_id: str) -> None:
        """Most of its days have gone: home has to renew it."""
        soon = datetime.now(UTC) + timedelta(hours=1)
        with self._home() as books:
            books.execute(update(t.orders).where(t.orders.c.order_id == order_id).values(not_after=soon))

    def order_is_renewed(self, order_id: str) -> bool:
        with self._home() as books:
            until = books.execute(select(t.orders.c.not_after).where(t.orders.c.order_id == order_id)).scalar_one()
        return bool(until > datetime.now(UTC) + timedelta(hours=2))

    def order_is_late(self, order_id: str) -> None:
        """Its days have gone at the hall, and no renewal came."""
        past = (datetime.now(UTC) - LONG_AGO).isoformat()
        with closing(sqlite3.connect(self._journal, timeout=20)) as journal, journal:
            journal.execute("UPDATE orders SET not_after = ? WHERE order_id = ?", (past, order_id))

    def callbacks_are_old(self, job_id: str) -> bool:
        """Three days were tried in vain; False while nothing was tried yet."""
        columns = t.deliveries.c
        tried = (columns.job_id == job_id) & (columns.tries > 0) & (columns.state == "pending")
        now = datetime.now(UTC)
        with self._home() as books:
            aged = update(t.deliveries).where(tried).values(first_try_at=now - LONG_AGO, next_try_at=now)
            return bool(books.execute(aged).rowcount)

    def parked(self) -> int:
        with self._home() as books:
            wanted = select(func.count()).select_from(t.deliveries).where(t.deliveries.c.state == "parked")
            return int(books.execute(wanted).scalar_one())

    # the broker

    def all_reports_are_sent(self) -> bool:
        with closing(sqlite3.connect(self._journal, timeout=20)) as journal:
            (left,) = journal.execute("SELECT count(*) FROM outbox WHERE sent_at IS NULL").fetchone()
        return bool(left == 0)

    def reports_are_lost(self) -> None:
        """What the broker has confirmed and not yet given to home is gone."""
        private = broker.prepare(self.place.site.broker)
        way_in = private.address()
        with Management(private.management_url, way_in.user, way_in.password, virtual_host=VIRTUAL_HOST) as management:
            management.purge(registry_queue(REGISTRY))

    def rubbish_for_the_hall(self) -> str:
        """A letter that no hall can take: it dies. Return its id."""
        private, letter_id = broker.prepare(self.place.site.broker), str(uuid4())
        way_in = private.address()
        body = {
            "routing_key": to_hall(REGISTRY, HALL),
            "payload": b64encode(b"rubbish").decode(),
            "payload_encoding": "base64",
            "properties": {"message_id": letter_id, "type": ORDER_TYPE, "delivery_mode": 2, "headers": {"v": 1}},
        }
        url = f"{private.management_url}/api/exchanges/{VIRTUAL_HOST}/{ORDERS}/publish"
        answer = httpx.post(url, json=body, auth=(way_in.user, way_in.password), timeout=30, trust_env=False)
        assert answer.json()["routed"], answer.text
        return letter_id

    def dead_letters(self, letter_id: str) -> int:
        with self._home() as books:
            wanted = select(func.count()).select_from(dead_letters).where(dead_letters.c.letter_id == letter_id)
            return int(books.execute(wanted).scalar_one())

    # the journal

    def journal_is_lost(self) -> None:
        """The agent stays away until it is called back; its journal never comes back."""
        self.place.approvals()
        self.place.send_away(AGENT)
        for file in self._journal.parent.glob(f"{self._journal.name}*"):
            file.unlink()

    def trays(self) -> Iterator[dict[str, Any]]:
        """What lies in each printer, as a person would receive, load and count it."""
        for printer in self.place.hall["printers"]:
            blanks = Printer(Path(printer["sheets"]).parent).tray()["blanks"]
            if blanks:
                stock = {"stock": printer["stock"], "first": blanks[0], "last": blanks[-1]}
                yield {"receive": stock, "load": {**stock, "printer": printer["name"]}, "count": stock}

    @property
    def _journal(self) -> Path:
        return self.place.site.hall(HALL).agent / "ledger.sqlite"

    @cached_property
    def _books(self) -> Any:
        return create_engine(f"sqlite:///{self.place.site.home / 'home.db'}", connect_args={"timeout": 20})

    @contextmanager
    def _home(self) -> Iterator[Connection]:
        with self._books.begin() as connection:
            yield connection
