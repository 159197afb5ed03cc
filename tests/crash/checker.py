"""Judges a history: what was asked, told, and what lies in the trays. Knows the promises, nothing of the product that made them.

I1 never twice · I2 never lost · I3 only what was ordered here · I4 nothing after the end · I5 callbacks whole and in order ·
I6 blanks add up · I7 nothing by itself after an unknown · I8 no names where none belong · I9 never called done before it is.
A torn sheet is a sheet.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

ENDED = {"issued", "cancelled", "withdrawn", "superseded", "refused"}
WITHOUT_PAPER = {"refused", "cancelled", "withdrawn"}
ALLOWS_AGAIN = {"answered spoiled", "answered nothing_printed", "spoiled"}
ON_HAND = {"in-stock", "loaded", "reserved"}
GONE = {"used", "void", "lost", "destroyed", "transferred", "returned"}


@dataclass(frozen=True)
class Request:
    """One thing that the registration system wanted, and every answer that it got for it."""

    request_id: str
    hall: str
    sides: int  # that must be marked
    mark: str  # a word that stands on its paper and on no other's
    answers: tuple[tuple[int, str], ...]  # HTTP status and job id, oldest first


@dataclass(frozen=True)
class Job:
    job_id: str
    request_id: str
    state: str
    reasons: tuple[str, ...] = ()
    refusal: str | None = None
    serial: str | None = None
    orders: tuple[tuple[str, str], ...] = ()  # order id and hall


@dataclass(frozen=True)
class Event:
    """A line of a job's history."""

    job_id: str
    sequence: int
    at: str
    state: str
    side: str = "hall"
    reasons: tuple[str, ...] = ()
    attempt: int = 1
    pass_number: int | None = None
    detail: str = ""


@dataclass(frozen=True)
class Sheet:
    """A side that a device marked."""

    hall: str
    order_id: str
    pass_number: int
    attempt: int
    try_id: str
    complete: bool
    serial: str | None
    at: str
    text: str | None = None


@dataclass(frozen=True)
class Approval:
    """What a second person said."""

    order_id: str
    asked_by: str
    answered_by: str | None
    accepted: bool | None


@dataclass(frozen=True)
class Callback:
    id: str
    job_id: str
    sequence: int


@dataclass(frozen=True)
class Blanks:
    """One stock at one hall: how many were received, ranges by status, and the numbers used."""

    hall: str
    stock: str
    received: int
    ranges: tuple[tuple[str, str, int, str], ...]  # first, last, count, status
    used: tuple[str, ...] = ()


@dataclass(frozen=True)
class History:
    requests: tuple[Request, ...] = ()
    jobs: tuple[Job, ...] = ()
    events: tuple[Event, ...] = ()
    sheets: tuple[Sheet, ...] = ()
    approvals: tuple[Approval, ...] = ()
    due: tuple[Callback, ...] = ()  # what the registration system has to be told
    told: tuple[Callback, ...] = ()  # what it was told, in the order in which it came
    parked: frozenset[str] = frozenset()  # callback ids
    blanks: tuple[Blanks, ...] = ()
    leaks: tuple[tuple[str, str], ...] = ()  # a place, and the word found there
    foreign_texts: bool = field(default=True)  # whether the sheets' texts were read


@dataclass(frozen=True)
class Violation:
    invariant: str
    about: str
    says: str


def judge(history: History) -> list[Violation]:
    """Return every broken promise."""
    return [violation for rule in RULES.values() for violation in rule(history)]


def never_twice(history: History) -> Iterator[Violation]:
    """I1: a pass has one sheet, one more for each answer that allowed it before, and a try never has two."""
    job_of = orders_of(history)
    for (order_id, number), sheets in _by_pass(history).items():
        sheets.sort(key=lambda sheet: sheet.at)
        if len({sheet.try_id for sheet in sheets}) < len(sheets):
            yield Violation("I1", order_id, f"pass {number}: one try marked two sheets")
        for already, sheet in enumerate(sheets):
            allowing = _allowing(history, job_of.get(order_id, ""), number, sheet.at)
            if already > allowing:
                yield Violation("I1", order_id, f"pass {number}: sheet {already + 1} after {allowing} allowing answers")
    yield from _one_person_alone(history, job_of)


def _one_person_alone(history: History, job_of: dict[str, str]) -> Iterator[Violation]:
    """An answer that allows another sheet counts only with a second person."""
    seconds = Counter(
        job_of.get(approval.order_id)
        for approval in history.approvals
        if approval.accepted and approval.answered_by not in (None, approval.asked_by)
    )
    asked = Counter(
        event.job_id for event in history.events if event.detail in ALLOWS_AGAIN and event.detail != "spoiled"
    )
    for job_id, answers in asked.items():
        if answers > seconds[job_id]:
            yield Violation("I1", job_id, f"{answers} answers allow another sheet, {seconds[job_id]} were seconded")


def never_lost(history: History) -> Iterator[Violation]:
    """I2: what was answered as taken is there once, and has ended or waits for a named person."""
    jobs = {job.job_id: job for job in history.jobs}
    for request in history.requests:
        given = {job_id for status, job_id in request.answers if status in (200, 201)}
        if len(given) > 1:
            yield Violation("I2", request.request_id, "was given two jobs")
        for job_id in given:
            yield from _ends_well(jobs.get(job_id), job_id)
    for request_id, many in Counter(job.request_id for job in history.jobs).items():
        if many > 1:
            yield Violation("I2", request_id, f"{many} jobs for one request")


def _ends_well(job: Job | None, job_id: str) -> Iterator[Violation]:
    if job is None:
        yield Violation("I2", job_id, "has vanished")
    elif job.state == "refused" and not job.refusal:
        yield Violation("I2", job_id, "refused without a reason")
    elif job.state not in ENDED and "outcome-unknown" not in job.reasons:
        yield Violation("I2", job_id, f"is left {job.state} {list(job.reasons)}")


def only_what_was_ordered_here(history: History) -> Iterator[Violation]:
    """I3: a sheet belongs to an order that home sent to this hall, and carries that document and no other."""
    halls = {order_id: hall for job in history.jobs for order_id, hall in job.orders}
    requests = {request.request_id: request for request in history.requests}
    marks = {request.mark for request in history.requests}
    wanted = {order_id: requests.get(job.request_id) for job in history.jobs for order_id, _ in job.orders}
    for sheet in history.sheets:
        if halls.get(sheet.order_id) != sheet.hall:
            yield Violation("I3", sheet.order_id, f"no order of this id was sent to {sheet.hall}")
    texts = defaultdict(str)
    for sheet in history.sheets:
        texts[sheet.order_id] += sheet.text or ""
    for order_id, text in texts.items():
        request = wanted.get(order_id)
        own = request.mark if request else ""
        if any(mark != own and mark in text for mark in marks):
            yield Violation("I3", order_id, "another job's document is on its paper")
        if text and request and own not in text and _is_whole(history, order_id, request.sides):
            yield Violation("I3", order_id, "its own document is not on its paper")


def _is_whole(history: History, order_id: str, sides: int) -> bool:
    """Say whether every side is out, and all of each: the mark stands on one of them."""
    sheets = [sheet for sheet in history.sheets if sheet.order_id == order_id]
    return all(sheet.complete for sheet in sheets) and len({sheet.pass_number for sheet in sheets}) >= sides


def nothing_after_the_end(history: History) -> Iterator[Violation]:
    """I4: after refused, cancelled, withdrawn or expired no sheet of that order comes."""
    ends = _ends_of_orders(history)
    for job in history.jobs:
        for place, (order_id, _) in enumerate(job.orders):
            late = [s for s in history.sheets if s.order_id == order_id and s.at > ends.get((job.job_id, place), "9")]
            if late:
                yield Violation("I4", order_id, f"{len(late)} sheets after its end")


def _ends_of_orders(history: History) -> dict[tuple[str, int], str]:
    """Return when each order of a job ended without paper; the first that ended did so before another was opened."""
    ends: dict[tuple[str, int], str] = {}
    opened: Counter[str] = Counter()
    for event in sorted(history.events, key=lambda event: (event.job_id, event.sequence)):
        opened[event.job_id] += event.detail.startswith("another order")
        if event.state in WITHOUT_PAPER or "order-expired" in event.reasons:
            ends.setdefault((event.job_id, opened[event.job_id]), event.at)
    return ends


def callbacks_whole_and_in_order(history: History) -> Iterator[Violation]:
    """I5: each event at least once or parked; a job's events for the first time in their order, repeats only of the last."""
    told = {callback.id for callback in history.told}
    for callback in history.due:
        if callback.id not in told | history.parked:
            yield Violation("I5", callback.job_id, f"event {callback.sequence} was never told")
    by_job: dict[str, list[Callback]] = defaultdict(list)
    for callback in history.told:
        by_job[callback.job_id].append(callback)
    for job_id, callbacks in by_job.items():
        for before, after in pairwise(callbacks):
            if after.id != before.id and after.sequence <= before.sequence:
                yield Violation("I5", job_id, f"event {after.sequence} came after {before.sequence}")


def blanks_add_up(history: History) -> Iterator[Violation]:
    """I6: used, void and on hand are what was received; no number twice; the paper carries the numbers that the books say."""
    for stock in history.blanks:
        place = f"{stock.hall} {stock.stock}"
        counted = sum(count for _, _, count, status in stock.ranges if status in ON_HAND | GONE)
        if counted != stock.received:
            yield Violation("I6", place, f"{stock.received} received, {counted} accounted for")
        for serial, times in Counter(stock.used).items():
            if times > 1:
                yield Violation("I6", place, f"{serial} used {times} times")
        for before, after in pairwise(sorted(stock.ranges)):
            if after[0] <= before[1]:
                yield Violation("I6", place, f"{after[0]} stands in two ranges")
    yield from _paper_says_the_same(history)


def _paper_says_the_same(history: History) -> Iterator[Violation]:
    holders: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for sheet in history.sheets:
        if sheet.serial is not None:
            holders[f"{sheet.hall} {sheet.serial}"].add((sheet.order_id, sheet.attempt))
    for serial, attempts in holders.items():
        if len(attempts) > 1:
            yield Violation("I6", serial, f"this blank was in {len(attempts)} attempts")
    for job in history.jobs:
        faces = _last_faces(history, job)
        if job.state in {"printed", "issued"} and faces and {sheet.serial for sheet in faces} != {job.serial}:
            yield Violation("I6", job.job_id, "the serial in the books is not the one on the paper")


def nothing_by_itself_after_an_unknown(history: History) -> Iterator[Violation]:
    """I7: from the question to its answer no pass of the order is sent, and none is called done."""
    orders = {job.job_id: {order_id for order_id, _ in job.orders} for job in history.jobs}
    for job_id, asked, answered in questions(history):
        between = [s for s in history.sheets if s.order_id in orders.get(job_id, ()) and asked < s.at < answered]
        done = [e for e in history.events if e.job_id == job_id and e.detail == "done" and asked < e.at < answered]
        if between:
            yield Violation("I7", job_id, f"{len(between)} sheets between question and answer")
        if done:
            yield Violation("I7", job_id, "called done between question and answer")


def no_names_where_none_belong(history: History) -> Iterator[Violation]:
    """I8: the words of the requests are in no log, metric, callback, broker store or spool."""
    for place, word in history.leaks:
        yield Violation("I8", place, f"a name lies here in the clear ({len(word)} characters)")


def never_called_done_before_it_is(history: History) -> Iterator[Violation]:
    """I9: a pass called done has its whole sheet by then; a job called printed has a whole sheet for each side."""
    orders = {job.job_id: {order_id for order_id, _ in job.orders} for job in history.jobs}
    for event in history.events:
        if event.detail in {"done", "answered printed"} and event.pass_number is not None:
            whole = [s for s in history.sheets if s.complete and s.order_id in orders.get(event.job_id, ())]
            if not any(
                (s.pass_number, s.attempt) == (event.pass_number, event.attempt) and s.at <= event.at for s in whole
            ):
                yield Violation("I9", event.job_id, f"pass {event.pass_number} called done without a whole sheet")
    sides = {request.request_id: request.sides for request in history.requests}
    for job in history.jobs:
        marked = {sheet.pass_number for sheet in _last_faces(history, job) if sheet.complete}
        if job.state in {"printed", "issued"} and len(marked) < sides.get(job.request_id, 1):
            yield Violation("I9", job.job_id, f"{job.state} with {len(marked)} whole sides")


RULES: dict[str, Callable[[History], Iterator[Violation]]] = {
    "I1": never_twice,
    "I2": never_lost,
    "I3": only_what_was_ordered_here,
    "I4": nothing_after_the_end,
    "I5": callbacks_whole_and_in_order,
    "I6": blanks_add_up,
    "I7": nothing_by_itself_after_an_unknown,
    "I8": no_names_where_none_belong,
    "I9": never_called_done_before_it_is,
}


def questions(history: History) -> list[tuple[str, str, str]]:
    """Return each question to a person: the job, when it was asked, and when answered (far off if it is open)."""
    found = []
    for event in history.events:
        if event.detail == "a person is asked":
            answers = [
                e.at for e in history.events
                if e.job_id == event.job_id and e.sequence > event.sequence and e.pass_number == event.pass_number
                and e.detail.startswith("answered")
            ]  # fmt: skip
            found.append((event.job_id, event.at, min(answers, default="9")))
    return found


def orders_of(history: History) -> dict[str, str]:
    return {order_id: job.job_id for job in history.jobs for order_id, _ in job.orders}


def _by_pass(history: History) -> dict[tuple[str, int], list[Sheet]]:
    found: dict[tuple[str, int], list[Sheet]] = defaultdict(list)
    for sheet in history.sheets:
        found[sheet.order_id, sheet.pass_number].append(sheet)
    return found


def _allowing(history: History, job_id: str, number: int, before: str) -> int:
    """Count the answers that allowed this pass another sheet: `nothing printed` for itself, `spoiled` for the whole attempt."""
    attempts = set()
    nothing = 0
    for event in history.events:
        if event.job_id == job_id and event.detail in ALLOWS_AGAIN and event.at <= before:
            if event.detail != "answered nothing_printed":
                attempts.add(event.attempt)
            elif event.pass_number == number:
                nothing += 1
    return nothing + len(attempts)


def _last_faces(history: History, job: Job) -> list[Sheet]:
    """Return the sides on the blank of the job's last attempt."""
    orders = {order_id for order_id, _ in job.orders}
    faces = [sheet for sheet in history.sheets if sheet.order_id in orders and sheet.serial is not None]
    last = max((sheet.attempt for sheet in faces), default=0)
    return [sheet for sheet in faces if sheet.attempt == last]
