"""What became of a try, judged from the permit's fate: pure, the heart of step 5.

Only these signs count (design §4): who holds the claim, whether its lock is free, `first`, `done`. CUPS is asked one thing, whether the
job may still start by itself. Whatever is not proven is `unknown`, and only a person closes that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agents.order import PassState
from agents.permit import Claim, Fate


class Verdict(StrEnum):
    """What the spool does next with an open try."""

    WAIT = "wait"  # a sender is at it, or CUPS may start one
    REVOKE = "revoke"  # win the permit back, then judge again
    AGAIN = "again"  # proven: nothing left and nothing will; a new try may begin
    DONE = "done"
    UNKNOWN = "unknown"  # a person is asked, once the device is quiet


@dataclass(frozen=True)
class Signs:
    """All that a try is judged by."""

    state: PassState  # as journalled: intent, created, spooled or releasing
    fate: Fate
    cups_may_start: bool  # False: CUPS says that the job has ended, is held or is not there
    is_ipp: bool  # then the printer's own word on its own job is needed, too


@dataclass(frozen=True)
class Judgement:
    verdict: Verdict
    why: str


def judge(signs: Signs) -> Judgement:
    """Return what the signs prove, in the order of design §4 ("Recovery at start, and whenever a try ends")."""
    if signs.state in (PassState.INTENT, PassState.CREATED):
        return Judgement(Verdict.AGAIN, "not-released")  # its permit was never issued
    if not signs.fate.is_ours:
        return Judgement(Verdict.UNKNOWN, "permits-lost")
    match signs.fate.claim:
        case Claim.HELD:
            return Judgement(Verdict.WAIT, "sending")
        case Claim.REVOKED:
            return _judge_revoked(signs.fate)
        case Claim.NONE:
            return _judge_unclaimed(signs)
    return _judge_claimed(signs.fate, is_ipp=signs.is_ipp)


def _judge_revoked(fate: Fate) -> Judgement:
    if fate.is_first or fate.done is not None:
        return Judgement(Verdict.UNKNOWN, "contradiction")
    return Judgement(Verdict.AGAIN, "revoked")


def _judge_unclaimed(signs: Signs) -> Judgement:
    if signs.fate.is_first or signs.fate.done is not None:
        return Judgement(Verdict.UNKNOWN, "contradiction")
    if signs.state is PassState.SPOOLED:
        return Judgement(Verdict.REVOKE, "not-released")  # its permit may or may not have been issued
    if not signs.fate.is_issued:
        return Judgement(Verdict.UNKNOWN, "permit-lost")
    if signs.cups_may_start:
        return Judgement(Verdict.WAIT, "released")
    return Judgement(Verdict.REVOKE, "cups-will-not-start")


def _judge_claimed(fate: Fate, *, is_ipp: bool) -> Judgement:
    """Judge a claim that nobody holds any more. Its permit file proves nothing now and may be gone."""
    if not fate.is_first:
        if fate.done is not None:
            return Judgement(Verdict.UNKNOWN, "contradiction")
        return Judgement(Verdict.AGAIN, "never-started")
    if fate.done is None:
        return Judgement(Verdict.UNKNOWN, "no-result")
    if _is_number(fate.done.get("bytes")) and fate.done["bytes"] == 0:
        return Judgement(Verdict.AGAIN, "no-bytes")
    if _is_good(fate.done, is_ipp=is_ipp):
        return Judgement(Verdict.DONE, "sent-whole")
    return Judgement(Verdict.UNKNOWN, "not-proven")


def _is_good(done: Mapping[str, Any], *, is_ipp: bool) -> bool:
    """Exit 0, no signal, no SIGTERM passed on, all bytes, and for IPP the printer says completed."""
    ended_well = done.get("exit") == 0 and _is_number(done["exit"])
    untouched = done.get("signal", 0) is None and done.get("terminated") is False
    whole = _is_number(done.get("bytes")) and _is_number(done.get("length")) and done["bytes"] == done["length"]
    said_so = done.get("remote_state") == "completed" if is_ipp else True
    return ended_well and untouched and whole and said_so


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
