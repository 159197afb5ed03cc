"""Remedies switched off, one at a time: what the simulation must notice, or it proves nothing."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from agents import book, checks, controls, permit, pipeline, spool, verdict, watch
from agents.accounts import MACHINE
from agents.order import BEFORE_THE_FIRST, PassState
from agents.permit import Claim
from agents.verdict import Judgement, Signs, Verdict
from spooler import another_order
from tests.simulation.world import Remedies

Patch = tuple[Any, str, Any]
_judge = verdict.judge


@dataclass(frozen=True)
class Mutation:
    """One remedy less."""

    remedies: Mapping[str, bool] = field(default_factory=dict)  # of the fakes
    patches: tuple[Patch, ...] = ()  # of the product
    invariants: frozenset[str] = frozenset()  # any of these is broken then
    begin: int = 0  # a seed shortly before one that noticed it: looked at first, to save time

    @contextmanager
    def applied(self) -> Iterator[Remedies]:
        before = [(place, name, getattr(place, name)) for place, name, _ in self.patches]
        for place, name, value in self.patches:
            setattr(place, name, value)
        try:
            yield replace(Remedies(), **self.remedies)
        finally:
            for place, name, value in before:
                setattr(place, name, value)


def _judging(change: Callable[[Signs, Judgement], Judgement]) -> tuple[Patch, ...]:
    return ((spool, "judge", lambda signs: change(signs, _judge(signs))),)


def _again_without_result(signs: Signs, judged: Judgement) -> Judgement:
    return Judgement(Verdict.AGAIN, "no-result") if judged.why in ("no-result", "not-proven") else judged


def _done_by_exit(signs: Signs, judged: Judgement) -> Judgement:
    is_zero = signs.fate.done is not None and signs.fate.done.get("exit") == 0
    return Judgement(Verdict.DONE, "exit 0") if is_zero and judged.verdict is Verdict.UNKNOWN else judged


_done = book.Book.done


def _done_and_wanted_again(self: Any, try_id: Any, evidence: Any) -> None:
    """A machine that takes a sheet for wanted once more."""
    _done(self, try_id, evidence)
    row = self._row(try_id)
    if row.attempt == BEFORE_THE_FIRST:
        with self._journal.act():
            self._journal.move_pass(self._pass(row), PassState.READY, by=MACHINE)


def _blind_to_locks(signs: Signs, judged: Judgement) -> Judgement:
    if signs.fate.claim is Claim.HELD:
        return _judge(replace(signs, fate=replace(signs.fate, claim=Claim.FREE)))
    return judged


def _trusts_cups(signs: Signs, judged: Judgement) -> Judgement:
    """Once CUPS says that it will not start the job, a new try."""
    gone = signs.state is PassState.RELEASING and not signs.cups_may_start and judged.verdict is Verdict.REVOKE
    return Judgement(Verdict.AGAIN, "cups says no") if gone else judged


def _asks_always(signs: Signs, judged: Judgement) -> Judgement:
    if signs.fate.is_ours and judged.verdict is Verdict.AGAIN and signs.state is PassState.RELEASING:
        return Judgement(Verdict.UNKNOWN, "not sure")
    return judged


def _revoke_without_link(self: Any, uuid: Any) -> bool:
    """Looked for first, and then written: whoever claims in between is not seen."""
    is_free = not self._disk.has(f"spent/{uuid}")
    for _ in range(150):  # a slow disk
        self._at()
    if is_free:
        self._disk.folders["spent"][str(uuid)] = b'{"by": "agent"}'
    return is_free


def _unknown_is_sent_again(self: Any, try_id: Any, evidence: Any) -> None:
    self.again(try_id, "no-result", evidence)


def _releases_whatever(self: Any, order: Any, row: Any) -> bool:
    return bool(order.attempt == row.attempt)


MUTATIONS: dict[str, Mutation] = {
    # the permit and its claim
    "claim by rename": Mutation({"claims_by_link": False}, invariants=frozenset({"I1"})),
    "revoke without link": Mutation(
        patches=((permit.PermitDirectory, "revoke", _revoke_without_link),),
        invariants=frozenset({"I1", "I4", "ask"}),
        begin=1430,
    ),
    "permit not bound to its job": Mutation({"checks_job": False}, invariants=frozenset({"I1", "I3", "I4"})),
    "no first": Mutation({"has_first": False}, invariants=frozenset({"I1"})),
    "permit directory not synced": Mutation({"syncs_disk": False}, invariants=frozenset({"I1"}), begin=905),
    "journal not synced": Mutation({"syncs_ledger": False}, invariants=frozenset({"I1", "I2", "I4", "I6"})),
    "locks not inherited": Mutation({"passes_locks_on": False}, invariants=frozenset({"I1", "I7", "ask"}), begin=270),
    "bytes counted in a pipe": Mutation({"counts_by_offset": False}, invariants=frozenset({"I1"})),
    # the judgement
    "again without result": Mutation(patches=_judging(_again_without_result), invariants=frozenset({"I1"})),
    "done by exit code": Mutation(patches=_judging(_done_by_exit), invariants=frozenset({"done"})),
    "blind to locks": Mutation(patches=_judging(_blind_to_locks), invariants=frozenset({"I1", "I7", "ask"})),
    "CUPS believed": Mutation(patches=_judging(_trusts_cups), invariants=frozenset({"I1"}), begin=2800),
    "asks for nothing": Mutation(patches=_judging(_asks_always), invariants=frozenset({"ask"})),
    "asks before the device is quiet": Mutation(
        patches=((watch.Watch, "is_quiet", lambda self: True),), invariants=frozenset({"I7"}), begin=95
    ),
    # the journal and the acts
    "unknown sent again": Mutation(
        patches=((book.Book, "unknown", _unknown_is_sent_again),), invariants=frozenset({"I1"})
    ),
    "released though held": Mutation(
        patches=((book.Book, "_may_go", _releases_whatever),), invariants=frozenset({"I4"}), begin=595
    ),
    "cancelled in mid-pass": Mutation(
        patches=((controls, "_SETTLED", frozenset(PassState)),), invariants=frozenset({"I1", "I4"}), begin=425
    ),
    "no tombstones": Mutation(
        patches=((controls.Controls, "before_arrival", lambda self, order: None),),
        invariants=frozenset({"I2"}),
        begin=1520,
    ),
    "controls hold as they come": Mutation(
        patches=((controls.Controls, "_is_overtaken", lambda self, control: False),),
        invariants=frozenset({"held"}),
        begin=225,
    ),
    "inbox without identity": Mutation({"inbox_knows_orders": False}, invariants=frozenset({"I1", "I2", "I4", "I6"})),
    # the wire and the home
    "letter forgotten before the confirm": Mutation(
        {"keeps_letter_until_confirmed": False}, invariants=frozenset({"I2"}), begin=135
    ),
    "acked before it is durable": Mutation({"acks_after_commit": False}, invariants=frozenset({"I2"}), begin=810),
    "reports taken twice": Mutation({"takes_reports_once": False}, invariants=frozenset({"I2", "I5"}), begin=50),
    "reports taken in any order": Mutation({"keeps_report_order": False}, invariants=frozenset({"I2"})),
    "reports not replayed": Mutation(
        patches=((controls.Controls, "replay", lambda self, control: None),), invariants=frozenset({"I2"})
    ),
    # another order, another hall
    "next order while the last is out": Mutation(
        patches=((another_order, "_hindrance", lambda change, job_id: None),), invariants=frozenset({"I1"})
    ),
    "expired in mid-pass": Mutation(
        patches=((pipeline, "has_begun", lambda passes: False),), invariants=frozenset({"I1", "I4"}), begin=205
    ),
    "a blank is used before the applicant has signed": Mutation(
        patches=((checks.Checks, "is_checked", lambda self, order: None),), invariants=frozenset({"signed"}), begin=3
    ),
    "a check sheet is printed anew by itself": Mutation(
        patches=((book.Book, "done", _done_and_wanted_again),), invariants=frozenset({"I1"}), begin=3
    ),
    "a hall written off is believed": Mutation({"revokes_keys": False}, invariants=frozenset({"I2", "I4"}), begin=35),
    # callbacks
    "callbacks not held back": Mutation({"holds_back_callbacks": False}, invariants=frozenset({"I5"})),
}
