"""What the API is made of: each part is handed in by `app`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Protocol

from fastapi import APIRouter

from spooler.another_order import AnotherOrder
from spooler.api.auth import Callers
from spooler.controls import Decided, Outcome, Pending
from spooler.daemon.limit import Limit
from spooler.enrolments import EnrolmentDesk
from spooler.intake.keep import Intake
from spooler.items import Item
from spooler.store import Store
from spooler.wire.messages import Actor
from spooler.write_off import HallsWrittenOff

CountRequest = Callable[[str, str, str], None]


class Acts(Protocol):
    """What a person may do about a job (`controls`)."""

    def cancel(self, job_id: str, reason: str, actor: Actor) -> Outcome: ...

    def withdraw(self, job_id: str, reason: str, actor: Actor) -> Outcome: ...

    def hold(self, job_id: str, reason: str, actor: Actor) -> Outcome: ...

    def resume(self, job_id: str, reason: str, actor: Actor) -> Outcome: ...

    def decide(self, approval_id: str, accept: bool, reason: str, actor: Actor) -> Pending | Decided | None: ...


class Reader(Protocol):
    """Where sealed documents are read (`documents`)."""

    def read(self, name: str) -> bytes: ...


@dataclass(frozen=True)
class Parts:
    """All that the endpoints use."""

    intake: Intake
    store: Store
    documents: Reader
    acts: Acts
    another_order: AnotherOrder
    written_off: HallsWrittenOff
    callers: Callers
    enrolments: EnrolmentDesk
    registries: frozenset[str]
    hall_names: Mapping[str, str]
    probe: APIRouter
    items: Mapping[str, Item] = field(default_factory=dict)
    verify: APIRouter = field(default_factory=APIRouter)  # the public page
    count_request: CountRequest = lambda registry, channel, code: None
    most_waiting_letters: int = 20_000
    stopping: Event = field(default_factory=Event)  # whoever watches a job is answered to the end
    most_unsealed: int = 1_000
    # A hall asks once, and fetches every few seconds for a while.
    enrolment_limit: Limit = field(default_factory=lambda: Limit(a_minute=30, at_once=20, all_a_second=50))
