"""Steps 2 and 3 of a job: its rendered document becomes a sealed order for one hall, kept here.

May run twice: until the store has called the job sealed nothing has left, and what a lost run kept is never looked at.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from spooler.daemon.crash import crash_point
from spooler.documents import Documents, Private
from spooler.grants import GRANT_WITHDRAWN
from spooler.job import JobState
from spooler.seal.key import SealKey
from spooler.seal.ticket import OrderFacts, seal_order
from spooler.store import Store
from spooler.store.orders import PREPARED, Prepared
from spooler.store.values import OpenOrder, Update, Work
from spooler.wire.envelope import MAX_WRAPPED_BYTES
from spooler.wire.keys import SigningKey
from spooler.wire.messages import Replaces, SealFile
from spooler.wire.trust import Trust

CHINA = ZoneInfo("Asia/Shanghai")
SATURDAY = 5
ENVELOPE_BYTES = 64  # what wrapping adds


class TooLargeForTheWire(Exception):
    """The sealed order is larger than the wire takes; intake should have refused it."""

    code = "too-large"


class Preparer:
    """Builds tickets and seals documents, with each registry's keys."""

    def __init__(
        self,
        *,
        store: Store,
        documents: Documents,
        trust: Trust,
        seals: Mapping[str, SealKey],
        ticket_keys: Mapping[str, SigningKey],
        order_days: int,
        clock: Callable[[], datetime],
        is_closed: Callable[[str], bool] = lambda hall: False,
        seal_files: Mapping[str, SealFile] = MappingProxyType({}),
    ) -> None:
        self._store = store
        self._documents = documents
        self._trust = trust
        self._seals = seals
        self._ticket_keys = ticket_keys
        self._order_days = order_days
        self._clock = clock
        self._is_closed = is_closed
        self._seal_files = seal_files

    def __call__(self, work: Work) -> None:
        """Seal the job's document and open its order."""
        if not self.may_print(work, work.hall):
            refuse_for_grant(self._store, work)
            return
        crash_point("home.before-prepare")
        self._store.orders.prepare(self.order_for(work))
        crash_point("home.after-sealed-commit")

    def again(self, work: Work, stale: str) -> None:
        """Seal anew what never left and has run out of time."""
        self._store.orders.replace(stale, self.order_for(work))

    def may_print(self, work: Work, hall: str) -> bool:
        return self._trust.may_print(work.registry, hall, work.kind) and not self._is_closed(hall)

    def order_for(self, work: Work) -> Prepared:
        """Return a fresh order for the job's hall, its document sealed and kept."""
        private = self._documents.read_private(work.private_sha256)
        facts = order_facts(work, private, now=self._clock(), order_days=self._order_days)
        facts = replace(facts, seal_file=self._seal_files.get(work.registry))
        sealed = seal_order(
            facts,
            self._documents.read(work.unsigned_sha256),
            seal_key=self._seals[work.registry],
            ticket_key=self._ticket_keys[work.registry],
        )
        crash_point("home.after-seal")
        if len(sealed.document) + len(sealed.signed_ticket) + ENVELOPE_BYTES > MAX_WRAPPED_BYTES:
            raise TooLargeForTheWire(f"job {work.job_id}: {len(sealed.document)} bytes sealed")
        order = OpenOrder(
            order_id=str(facts.order_id),
            job_id=work.job_id,
            registry=work.registry,
            hall=work.hall,
            state=PREPARED,
            not_after=facts.not_after,
            ticket_sha256=self._documents.keep(sealed.signed_ticket),
        )
        crash_point("home.after-ticket-kept")
        document = self._documents.keep(sealed.document)
        crash_point("home.after-sealed-kept")
        return Prepared(order, document, len(sealed.document))


def order_facts(work: Work, private: Private, *, now: datetime, order_days: int) -> OrderFacts:
    """Return what the ticket of a fresh order says."""
    return OrderFacts(
        order_id=uuid4(),
        job_id=UUID(work.job_id),
        registry=work.registry,
        hall=work.hall,
        kind=work.kind,
        number=work.number,
        number_version=work.version,
        template=work.template,
        passes=work.passes,
        seal=work.seal,
        booked_on=work.booked_on,
        case=work.case,
        deadline=work.deadline,
        issued_at=now,
        not_before=now,
        not_after=add_working_days(now, order_days),
        holder=private.holder,
        window=work.window,
        parties=private.parties,
        replaces=_replaces(work, private),
    )


def _replaces(work: Work, private: Private) -> Replaces | None:
    """Return which paper this one replaces, as the request says; it is taken back once, whatever became of the order."""
    issuance = private.request.get("document", {}).get("issuance") or {}
    old = issuance.get("replaces")
    if old is None:
        return None
    return Replaces(
        issuance=issuance["type"],
        number=old["number"],
        version=old["version"],
        serial=old["serial"],
        take_back=work.takes_back_old,
    )


def add_working_days(start: datetime, days: int) -> datetime:
    """Return the same hour that many working days later, by the week of China (holidays are not known here)."""
    at = start.astimezone(CHINA)
    while days:
        at += timedelta(days=1)
        days -= at.weekday() < SATURDAY
    return at.astimezone(start.tzinfo)


def refuse_for_grant(store: Store, work: Work) -> None:
    """The registry may no longer print this there: the job ends before anything left."""
    with store.changing() as change:
        if change.state(work.job_id) is work.state:
            change.move(work.job_id, Update(state=JobState.REFUSED, refusal=GRANT_WITHDRAWN, because="grant-withdrawn"))
