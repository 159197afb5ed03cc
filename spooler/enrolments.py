"""New halls: a one-time code is given out, what comes under it waits for a person's look, and its answer is fetched with the code.

A code is good for one request, for a day. Whatever else comes under a hall's name is refused, all of it alike; an alarm says why.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from spooler.store import Change, Store
from spooler.store.enrolments import ACCEPTED, ASKED, OPEN, REFUSED, Enrolment, decide, keep_code, keep_request, latest
from spooler.store.values import Alarm
from spooler.wire.enrolment import EnrolmentCode, fingerprint, is_mac, mac, read_request
from spooler.wire.errors import WireError
from spooler.wire.messages import Actor
from spooler.wire.trust import SiteKind

ENROLMENT_REFUSED = "enrolment-refused"
FETCHED_WITHIN = timedelta(days=7)  # of the code's own time


class NotEnrolled(Exception):
    """Refused. Who asks is told nothing more; home's alarm says why."""


class NotAsked(Exception):
    """Nothing under this fingerprint waits for this hall."""


@dataclass(frozen=True)
class Answered:
    """What the hall fetches: its state, and when it was accepted the answer with its MAC."""

    state: str
    answer: str | None = None
    mac: str | None = None


class EnrolmentDesk:
    """Gives codes out, takes what comes under them, and hands the answers out."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def give_code(
        self, hall: str, name: str, site: SiteKind, life: timedelta, by: Actor
    ) -> tuple[EnrolmentCode, datetime]:
        """Return a new code and until when it is good; a former one of this hall ends."""
        code, expires_at = EnrolmentCode.make(hall), self._clock() + life
        with self._store.changing() as change:
            keep_code(change, hall, name, site, code.key, expires_at, by.id)
        return code, expires_at

    def waiting(self) -> tuple[Enrolment, ...]:
        return self._store.enrolments.waiting()

    def ask(self, hall: str, request: str, signature: str, mac: str) -> str:
        """Keep what the hall asks and return its fingerprint; the same again changes nothing. NotEnrolled when it is not to be believed."""
        with self._store.changing() as change:
            why = self._take(change, hall, request, signature, mac)
            if why is not None:
                change.alarm(Alarm(ENROLMENT_REFUSED, hall=hall, detail=why))
        if why is not None:
            raise NotEnrolled
        return fingerprint(request.encode())

    def _take(self, change: Change, hall: str, request: str, signature: str, mac: str) -> str | None:
        """Keep the request, or return why not."""
        found = latest(change, hall)
        if found is None:
            return "no-code"
        if not is_mac(mac, found.code_key, "request", request.encode()):
            return "wrong-code"
        if found.request == request:
            return None  # the same hall again, that goes on waiting
        if found.state != OPEN:
            return "code-used"
        if found.expires_at <= change.now:
            return "code-expired"
        try:
            asked = read_request(request.encode(), bytes.fromhex(signature), change.now, change.now)
        except (WireError, ValueError):
            return "not-a-request"
        if asked.hall != hall:
            return "wrong-hall"
        keep_request(change, hall, request, signature, asked.fingerprint)
        return None

    def decide(self, hall: str, fingerprint: str, answer: str | None, by: Actor) -> None:
        """Write down what a person decided about this request; without an answer it is refused. NotAsked when none such waits."""
        with self._store.changing() as change:
            found = latest(change, hall)
            if found is None or found.state != ASKED or found.fingerprint != fingerprint:
                raise NotAsked
            decide(change, hall, answer, by.id)
            if answer is None:
                change.alarm(Alarm(ENROLMENT_REFUSED, hall=hall, detail="refused-by-a-person"))

    def fetch(self, hall: str, fingerprint: str, shown: str) -> Answered:
        """Return how it stands with this request, to whoever knows the code; NotEnrolled to anybody else."""
        with self._store.changing() as change:
            found = latest(change, hall)
            why = _why_not_told(found, fingerprint, shown, change.now)
            if why is not None:
                change.alarm(Alarm(ENROLMENT_REFUSED, hall=hall, detail=why))
        if found is None or why is not None:
            raise NotEnrolled
        if found.state == ACCEPTED and found.answer is not None:
            return Answered(ACCEPTED, found.answer, mac(found.code_key, "answer", found.answer.encode()))
        return Answered(found.state)


def _why_not_told(found: Enrolment | None, fingerprint: str, shown: str, now: datetime) -> str | None:
    if found is None:
        return "no-code"
    if not is_mac(shown, found.code_key, "ask", fingerprint.encode()):
        return "wrong-code"
    if found.fingerprint != fingerprint or found.state not in (ASKED, ACCEPTED, REFUSED):
        return "code-used"
    return "code-expired" if found.expires_at + FETCHED_WITHIN <= now else None
