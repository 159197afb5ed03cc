"""A job's events as they happen (server-sent events), for screens that watch one job."""

import json
import threading
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Protocol

from fastapi.responses import StreamingResponse

from spooler.api.views import event_view
from spooler.errors import TryLater
from spooler.store.values import Event

MEDIA_TYPE = "text/event-stream"
# Each stream holds one worker thread, of which the server has 40.
MOST_STREAMS = 12
LOOK_SECONDS = 0.5
KEEP_ALIVE_SECONDS = 15.0
# The watcher comes again with Last-Event-ID: a server that stops need not wait for it.
LONGEST_SECONDS = 120.0


class History(Protocol):
    """Where a job's events are read (`store.jobs`)."""

    def events(self, job_id: str, after: int = 0) -> tuple[Event, ...]: ...


class Streams:
    """The streams that are open, so many and no more."""

    def __init__(self, history: History, stopping: threading.Event) -> None:
        self._history = history
        self._stopping = stopping
        self._free = threading.BoundedSemaphore(MOST_STREAMS)

    def open(self, job_id: str, after: int) -> StreamingResponse:
        """Answer with the events after that sequence and those to come; TryLater when too many are watching."""
        if not self._free.acquire(blocking=False):
            raise TryLater()
        lines = follow(self._history, job_id, after, longest_seconds=LONGEST_SECONDS, stopping=self._stopping)
        return StreamingResponse(self._freeing(lines), media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})

    def _freeing(self, lines: Iterator[str]) -> Iterator[str]:
        try:
            yield from lines
        finally:
            self._free.release()


def follow(
    history: History,
    job_id: str,
    after: int,
    *,
    longest_seconds: float,
    look_seconds: float = LOOK_SECONDS,
    stopping: threading.Event | None = None,
    now: Callable[[], float] = monotonic,
) -> Iterator[str]:
    """Yield each event as one message, and a comment when it is quiet for long; end at once when the home stops."""
    stopping = stopping or threading.Event()
    end = now() + longest_seconds
    spoke_at = now()
    yield "retry: 1000\n\n"
    while now() < end and not stopping.is_set():
        for event in history.events(job_id, after):
            after, spoke_at = event.sequence, now()
            yield f"id: {event.sequence}\nevent: job\ndata: {json.dumps(event_view(event), ensure_ascii=False)}\n\n"
        if now() - spoke_at > KEEP_ALIVE_SECONDS:
            spoke_at = now()
            yield ": still here\n\n"
        stopping.wait(look_seconds)
        yield ""  # nothing is sent, but here a stream that nobody watches any more is ended
