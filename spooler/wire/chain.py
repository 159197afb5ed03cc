"""The audit log's chain, the same at home and in a hall: each hash hangs on the one before, and `check` names the first entry touched.

An entry names a row that was written in the same transaction (an event, a movement of blanks), and its hash covers that row as well. What
the other side keeps of the log (an anchor) tells of an end that was cut off, and of a chain that was made anew.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from spooler.wire import strict
from spooler.wire.errors import BadMessage

BEGIN = "begin"
BEFORE_THE_FIRST = "0" * 64

_LARGEST_FILE = 1 << 28

Fact = Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """One entry, and the row that it is about as that stands now (None: it is gone)."""

    sequence: int
    what: str
    about: str  # which row; of the first entry the log's id and how many rows are older than the log
    sha256: str
    fact: Fact | None


@dataclass(frozen=True)
class Anchor:
    """What another side was told of the log, and keeps."""

    keeper: str
    log: str
    sequence: int
    sha256: str
    at: str


@dataclass(frozen=True)
class Fault:
    """The first entry that is not as it was written."""

    entry: int
    code: str  # edited, removed, swapped, truncated, added, rewritten, replaced
    about: str
    message: str


@dataclass(frozen=True)
class Verdict:
    """What a log is worth: whole, or from where on it is not to be believed."""

    log: str | None
    entries: int  # that hold
    head: str | None
    anchored: int  # the last entry that another side vouches for
    fault: Fault | None

    def as_json(self) -> dict[str, Any]:
        return {"ok": self.fault is None} | asdict(self)

    def line(self) -> str:
        """Say it to a person."""
        if self.fault is not None:
            return f"审计日志不完整 · broken, {self.fault.code}: {self.fault.message}"
        return f"审计日志完整 · whole: {self.entries} entries, the first {self.anchored} vouched for by the other side"


def anchors_of(text: bytes) -> list[Anchor]:
    """Return the anchors in a file that the other side wrote (`audit anchors --json`), or raise ValueError."""
    try:
        return [Anchor(**one) for one in strict.parse(text, max_bytes=_LARGEST_FILE)["anchors"]]
    except (BadMessage, KeyError, TypeError) as e:
        raise ValueError("not a file of anchors") from e


def link(previous: str, sequence: int, what: str, about: str, fact: Fact) -> str:
    """Return the hash of an entry that follows the one with hash `previous`."""
    return sha256(strict.canonical([previous, sequence, what, about, dict(fact)])).hexdigest()


def first_about(log: str, older: int) -> str:
    return f"{log}/{older}"


def log_of(about: str) -> str:
    return about.partition("/")[0]


def check(entries: Callable[[], Iterable[Entry]], anchors: Sequence[Anchor], rows_without_entry: int) -> Verdict:
    """Go through the log from its first entry to its end."""
    held = _Held()
    for entry in entries():
        fault = _fault_of(entry, held, entries) or held.take(entry, anchors)
        if fault is not None:
            return held.verdict(fault)
    return held.verdict(_cut_off(held, anchors) or _strangers(held, rows_without_entry))


class _Held:
    """The part of the log that holds."""

    def __init__(self) -> None:
        self.sequence = 0
        self.sha256 = BEFORE_THE_FIRST
        self.log: str | None = None
        self.older = 0
        self.anchored = 0

    def take(self, entry: Entry, anchors: Iterable[Anchor]) -> Fault | None:
        """Lengthen it by an entry that follows; a fault when another side keeps another hash of it."""
        if entry.what == BEGIN:
            self.log, older = log_of(entry.about), entry.about.partition("/")[2]
            self.older = int(older or 0)
        for anchor in anchors:
            if (anchor.log, anchor.sequence) == (self.log, entry.sequence):
                if anchor.sha256 != entry.sha256:
                    return _rewritten(self, entry, anchor)
                self.anchored = entry.sequence
        self.sequence, self.sha256 = entry.sequence, entry.sha256
        return None

    def verdict(self, fault: Fault | None) -> Verdict:
        head = self.sha256 if self.sequence else None
        return Verdict(self.log, self.sequence, head, self.anchored, fault)


def _fault_of(entry: Entry, held: _Held, entries: Callable[[], Iterable[Entry]]) -> Fault | None:
    wanted = held.sequence + 1
    if entry.sequence != wanted:
        return Fault(
            wanted, "removed", entry.about, f"entry {wanted} is gone: after {held.sequence} comes {entry.sequence}"
        )
    if (entry.what == BEGIN) is not (wanted == 1):
        return Fault(wanted, "edited", entry.about, f"entry {wanted} is of a kind that does not stand there")
    if entry.fact is None:
        return Fault(
            wanted, "removed", entry.about, f"entry {wanted} is about {entry.what} {entry.about}, which is gone"
        )
    if link(held.sha256, wanted, entry.what, entry.about, entry.fact) == entry.sha256:
        return None
    other = next(_that_fit(held, entries()), None)
    if other is not None:
        return Fault(
            wanted, "swapped", other.about, f"entry {wanted} stands where {other.sequence} stands: they were swapped"
        )
    said = f"entry {wanted} or {entry.what} {entry.about}, which it covers, is not what was written"
    return Fault(wanted, "edited", entry.about, said)


def _that_fit(held: _Held, entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yield the entries that stand elsewhere and belong right behind what holds."""
    wanted = held.sequence + 1
    for one in entries:
        is_later = one.sequence > wanted and one.fact is not None
        if is_later and link(held.sha256, wanted, one.what, one.about, one.fact or {}) == one.sha256:
            yield one


def _rewritten(held: _Held, entry: Entry, anchor: Anchor) -> Fault:
    said = (
        f"the chain was made anew between entry {held.anchored + 1} and {entry.sequence}: "
        f"{anchor.keeper} keeps another hash of entry {entry.sequence}, told at {anchor.at}"
    )
    return Fault(held.anchored + 1, "rewritten", entry.about, said)


def _cut_off(held: _Held, anchors: Iterable[Anchor]) -> Fault | None:
    """Say what another side was told of and is not here."""
    newest: dict[str, Anchor] = {}
    for anchor in sorted(anchors, key=lambda anchor: anchor.at):
        newest[anchor.keeper] = anchor
    for anchor in newest.values():
        if anchor.log != held.log and held.log is not None:
            said = f"{anchor.keeper} keeps entry {anchor.sequence} of another log, told at {anchor.at}"
            return Fault(1, "replaced", anchor.log, said)
    ends = [anchor for anchor in anchors if anchor.sequence > held.sequence and anchor.log == (held.log or anchor.log)]
    if not ends:
        return None
    last = max(ends, key=lambda anchor: anchor.sequence)
    gone = f"entries {held.sequence + 1} to {last.sequence} (at least) are gone"
    said = f"{gone}: {last.keeper} keeps the hash of entry {last.sequence}, told at {last.at}"
    return Fault(held.sequence + 1, "truncated", last.log, said)


def _strangers(held: _Held, rows_without_entry: int) -> Fault | None:
    """Compare how many rows have no entry with how many were there before the log began."""
    more = rows_without_entry - held.older
    if more > 0:
        said = f"{more} rows stand in no entry: they were added, or the log was cut off after entry {held.sequence}"
        return Fault(held.sequence + 1, "added", "", said)
    if more < 0:
        return Fault(1, "removed", "", f"{-more} rows that are older than the log are gone")
    return None
