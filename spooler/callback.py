"""Step 6: the registration system is told, by Standard Webhooks, of what happened to its jobs: thin, signed, without personal data.

One thread an endpoint, so that one that hangs delays nobody else. Within a job the order is strict: the next event waits for the one
before. What is not taken is tried again for three days, ever more rarely, and then parked until somebody replays it.
"""

import random
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx
import structlog
from standardwebhooks.webhooks import Webhook

from spooler.callback_address import AddressRefused, Allowed, CheckedTransport
from spooler.daemon.crash import crash_point
from spooler.daemon.worker import Worker
from spooler.store import Store
from spooler.store.callbacks import LONGEST_WAIT_SECONDS, CallbackDelivery
from spooler.wire import strict

LIMIT_SECONDS = 10.0
GIVE_UP_AFTER = timedelta(days=3)
FIRST_BACKOFF_SECONDS = 2.0
LONGEST_BACKOFF_SECONDS = LONGEST_WAIT_SECONDS
LONGEST_REST_SECONDS = 30.0
LOOK_SECONDS = 1.0

_log = structlog.get_logger()


@dataclass(frozen=True)
class Target:
    """Where an endpoint is and may be, and the secrets that it may check with: a new one first, the old one until it is gone."""

    name: str
    url: str
    secrets: tuple[str, ...] = field(repr=False)
    allowed: Allowed = field(default_factory=Allowed)
    authorities: ssl.SSLContext | None = None  # default: the public ones

    def headers(self, event_id: str, body: bytes, now: datetime) -> dict[str, str]:
        """Return the headers of Standard Webhooks: the same id at each try, the time and signature of this one."""
        signatures = [Webhook(secret).sign(event_id, now, body.decode()) for secret in self.secrets]
        return {
            "content-type": "application/json",
            "webhook-id": event_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
        }


class CallbackSender(Worker):
    """Tells one endpoint, in a thread of its own."""

    def __init__(
        self,
        *,
        store: Store,
        target: Target,
        clock: Callable[[], datetime],
        transport: httpx.BaseTransport | None = None,
        limit_seconds: float = LIMIT_SECONDS,
    ) -> None:
        # The store failed (disk full): what is due stays due.
        super().__init__(
            f"callback-{target.name}",
            trouble="callback failed",
            rest_seconds=LONGEST_REST_SECONDS,
            longest_stop_seconds=LIMIT_SECONDS,
        )
        self._store = store
        self._target = target
        self._clock = clock
        transport = transport or CheckedTransport(target.allowed, authorities=target.authorities)
        self._client = httpx.Client(timeout=limit_seconds, follow_redirects=False, trust_env=False, transport=transport)

    def stop(self) -> None:
        super().stop()
        self._client.close()

    def tell_due(self) -> int:
        """Try everything whose time has come once; return how many were tried. Of several homes one tells, so that the order holds."""
        if not self._store.duty.is_ours():
            return 0
        due = self._store.callbacks.due(self._target.name, self._clock())
        for delivery in due:
            if self.is_stopping:
                break
            self._tell(delivery)
        return len(due)

    def turn(self) -> float:
        return 0.0 if self.tell_due() else self._until_due_seconds()

    def _until_due_seconds(self) -> float:
        longest = LOOK_SECONDS if self._store.database.is_shared else LONGEST_REST_SECONDS  # others wake nobody here
        next_due = self._store.callbacks.next_due_at(self._target.name) if self._store.duty.is_ours() else None
        if next_due is None:
            return longest
        return min(longest, max(0.05, (next_due - self._clock()).total_seconds()))

    def _tell(self, delivery: CallbackDelivery) -> None:
        crash_point("callback.before-post")
        error = self._post(delivery)
        if error is None:
            crash_point("callback.after-post")
            self._store.callbacks.delivered(delivery.place)
            crash_point("callback.after-delivered-commit")
            return
        now = self._clock()
        _log.warning(
            "callback not taken",
            endpoint=delivery.endpoint,
            job_id=delivery.event.data["job_id"],
            tries=delivery.tries + 1,
            error=error,
        )
        if now - (delivery.first_try_at or now) >= GIVE_UP_AFTER:
            crash_point("callback.before-parked")
            self._store.callbacks.park(delivery.place, error)
            crash_point("callback.after-parked-commit")
            return
        until = now + timedelta(seconds=backoff_seconds(delivery.tries))
        self._store.callbacks.postpone(delivery.place, until, error)

    def _post(self, delivery: CallbackDelivery) -> str | None:
        """Send once; return None when it was taken, else a word for why not."""
        body = strict.canonical(delivery.event.body())
        headers = self._target.headers(delivery.event.event_id, body, self._clock())
        try:
            # The answer's body is not read: it means nothing, and may never end.
            with self._client.stream("POST", self._target.url, content=body, headers=headers) as answer:
                return None if answer.is_success else f"http-{answer.status_code}"
        except AddressRefused as e:
            return e.code
        except httpx.HTTPError as e:
            return type(e).__name__


class Callbacks:
    """All endpoints' senders as one part."""

    def __init__(self, senders: Sequence[CallbackSender]) -> None:
        self._senders = tuple(senders)

    @property
    def is_alive(self) -> bool:
        return all(sender.is_alive for sender in self._senders)

    def start(self) -> None:
        for sender in self._senders:
            sender.start()

    def wake(self) -> None:
        for sender in self._senders:
            sender.wake()

    def stop(self) -> None:
        for sender in self._senders:
            sender.stop()


def backoff_seconds(tries: int) -> float:
    """Return the pause after so many tries before: doubling to six hours, never the same for two."""
    full = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** min(tries, 30))
    return float(full * random.uniform(0.5, 1.0))
