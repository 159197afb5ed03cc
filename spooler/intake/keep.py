"""Step 1, the end of it: a checked request becomes a job. First its documents are on disk, then the store accepts it once."""

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from spooler.catalog import KINDS, number_key
from spooler.daemon.crash import crash_point
from spooler.documents import Private
from spooler.electronic.opening import NONE_ISSUED, Openings
from spooler.intake.check import Checked, Checker, Received
from spooler.intake.request import Request
from spooler.store.values import Accepted, Different, InTheWay, NewJob, Outcome, Replaced, Same, Wanted
from spooler.wire.messages import Actor, Case, Party

# An event's detail has 200 characters.
MOST_WARNINGS_TOLD = 3
LONGEST_LOOK = 165


class Pile(Protocol):
    """The documents of one request, kept by their hash."""

    def keep(self, content: bytes) -> str: ...

    def keep_private(self, private: Private) -> str: ...

    def drop(self, is_used: Callable[[str], bool]) -> None: ...


class Shelf(Protocol):
    """Where content is kept (`documents`)."""

    def batch(self) -> AbstractContextManager[Pile]: ...


class Book(Protocol):
    """Where jobs are accepted once (`store.jobs`)."""

    def answered(self, registry: str, request_id: str, request_sha256: str) -> Same | Different | None: ...

    def standing(self, new: Wanted) -> InTheWay | None: ...

    def accept(self, new: NewJob, actor: Actor) -> Outcome: ...

    def uses(self, document: str) -> bool: ...


class Intake:
    """Reads, judges and keeps requests, whichever way they come."""

    def __init__(self, *, checker: Checker, book: Book, shelf: Shelf, openings: Openings = NONE_ISSUED) -> None:
        self._checker = checker
        self._book = book
        self._shelf = shelf
        self._openings = openings

    def read(self, body: bytes, parts: Mapping[str, bytes] | None = None) -> Received:
        """Return what the body says, or raise RequestRefused."""
        return self._checker.read(body, parts)

    def check(self, received: Received) -> Checked:
        """Judge without keeping, or raise RequestRefused."""
        return self._checker.check(received)

    def accept(self, received: Received, actor: Actor) -> Outcome:
        """Keep the request as a job, or say what stands in its place. A repeat is answered without judging it again."""
        request = received.request
        answered = self._book.answered(request.registry, request.request_id, received.digest)
        if answered is not None:
            return answered
        checked = self._checker.check(received)
        # Looked for before anything is written to disk; `accept` looks again, in its transaction.
        return self._book.standing(_wanted(checked)) or self._keep(checked, actor)

    def _keep(self, checked: Checked, actor: Actor) -> Outcome:
        with self._shelf.batch() as pile:
            new_job = _new_job(checked, pile, self._openings)
            crash_point("home.after-documents-kept")
            outcome = self._book.accept(new_job, actor)
            crash_point("home.after-accept-commit")
            if not isinstance(outcome, Accepted):
                # Somebody was quicker: no job wants these.
                pile.drop(self._book.uses)
            return outcome


def _new_job(checked: Checked, pile: Pile, openings: Openings) -> NewJob:
    request, rendered = checked.request, checked.rendered
    return NewJob(
        registry=request.registry,
        request_id=request.request_id,
        request_sha256=checked.digest,
        hall=request.hall,
        kind=request.document.kind,
        number=checked.number,
        number_key=number_key(checked.number),
        version=request.document.version,
        case=Case(**request.case.model_dump()),
        template=rendered.template,
        passes=rendered.passes,
        seal=request.seal,
        booked_on=request.document.booked_on,
        deadline=checked.deadline,
        unsigned_sha256=pile.keep(rendered.pdf),
        private_sha256=pile.keep_private(_private(request)),
        annexes=tuple(pile.keep(content) for content in checked.annexes),
        applied_at=request.applied_at,
        channel=request.channel,
        window=request.window,
        replaces=_replaced(request),
        takes_back_old=checked.takes_back_old,
        electronic=openings.of(request.registry, request.document.kind),
        to_look_at=_to_look_at(checked),
    )


def _to_look_at(checked: Checked) -> str | None:
    """Return the warnings in short, for the job's first event: `document.fields.holder fallback-face ×2`.

    The characters themselves are part of a name, and stand only in the answer of validate.
    """
    counted = Counter((warning.field, str(warning.code)) for warning in checked.warnings)
    told = [f"{field} {code}" + (f" ×{times}" if times > 1 else "") for (field, code), times in counted.items()]
    if len(told) > MOST_WARNINGS_TOLD:
        told[MOST_WARNINGS_TOLD:] = [f"and {len(told) - MOST_WARNINGS_TOLD} more"]
    return ", ".join(told)[:LONGEST_LOOK] or None


def _wanted(checked: Checked) -> Wanted:
    request = checked.request
    return Wanted(
        registry=request.registry,
        request_id=request.request_id,
        request_sha256=checked.digest,
        kind=request.document.kind,
        number_key=number_key(checked.number),
        version=request.document.version,
        case=Case(**request.case.model_dump()),
        replaces=_replaced(request),
    )


def _private(request: Request) -> Private:
    return Private(
        holder=request.document.fields[KINDS[request.document.kind].named_for],
        parties=tuple(Party(**party.model_dump()) for party in request.parties),
        request=request.model_dump(mode="json"),
    )


def _replaced(request: Request) -> Replaced | None:
    issuance = request.document.issuance
    if issuance is None or issuance.replaces is None:
        return None
    return Replaced(number_key(issuance.replaces.number), issuance.replaces.version)
