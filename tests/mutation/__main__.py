"""`make mutate`: the code that decides, changed in one place at a time, and whether a test fails.

MUTATE="--minutes 10 --only agents/verdict.py": without `--minutes` all mutants; with it as many as there is time for, in an order drawn by
`--seed`. Survivors are printed with their line. The exit code is 1 when fewer than 85 of 100 are seen.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from random import Random
from time import monotonic

from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.trial import Fate, Reached, fate_of, reach, say

LEAST = 0.85

VERIFYING = (
    *("tests/agents/test_verify.py", "tests/agents/test_verify_corners.py", "tests/agents/test_verify_grants.py"),
    *("tests/agents/test_pdf_attacks.py", "tests/agents/test_document_rules.py", "tests/agents/test_seal_file.py"),
)
WIRE = ("tests/spooler/wire/test_golden.py", "tests/spooler/wire/test_strict.py", *VERIFYING)
RECOVERY = frozenset(
    {
        *("recover", "step", "_follow", "_wait_for", "_close", "_signs", "_ask_whether_cups_may_start", "_evidence"),
        *("_take_up", "_pause_before_next", "_tidy", "_sweep", "recall"),
    }
)
# What measures time says nothing of a decision, and the widest tours only repeat what others show.
NOT_THESE = "not refused_at_once and not 100_ms"


@dataclass(frozen=True)
class Room:
    """A module that decides, what of it, and the tests that hold it."""

    path: Path
    tests: tuple[str, ...]
    only: frozenset[str] | None = None


ROOMS = (
    Room(Path("spooler/wire/strict.py"), WIRE),
    Room(Path("spooler/wire/envelope.py"), ("tests/spooler/wire/test_envelope.py", *WIRE)),
    Room(
        Path("spooler/wire/signed.py"),
        ("tests/spooler/wire/test_signed.py", "tests/spooler/wire/test_grants.py", *WIRE),
    ),
    Room(Path("agents/verdict.py"), ("tests/agents/paper/test_verdict.py",)),
    Room(Path("agents/verify.py"), VERIFYING),
    Room(Path("spooler/wire/document.py"), VERIFYING),
    Room(Path("agents/spool.py"), ("tests/agents/paper/test_recovery.py",), RECOVERY),
)


@dataclass
class Score:
    seen: int = 0
    endless: int = 0  # of those that were seen
    survivors: tuple[Mutant, ...] = ()

    @property
    def of_all(self) -> float:
        tried = self.seen + len(self.survivors)
        return self.seen / tried if tried else 1.0


def main() -> int:
    given = argparse.ArgumentParser(prog="make mutate")
    given.add_argument("--minutes", type=float, default=0, help="0: all")
    given.add_argument("--seed", type=int, default=1)
    given.add_argument("--only", action="append", help="a module of ours")
    asked = given.parse_args()
    rooms = [room for room in ROOMS if not asked.only or str(room.path) in asked.only]
    scores = score(rooms, minutes=asked.minutes, seed=asked.seed)
    for path, one in scores.items():
        endless = f", {one.endless} because a test did not end" if one.endless else ""
        say(f"{path}: {one.seen} of {one.seen + len(one.survivors)} seen, {one.of_all:.1%}{endless}")
    whole = overall(scores)
    say(f"in all {whole:.1%}, at least {LEAST:.0%} is asked")
    return 0 if whole >= LEAST else 1


def score(rooms: list[Room], *, minutes: float, seed: int) -> dict[Path, Score]:
    """Try every room's mutants, each room as long as the others."""
    scores = {}
    for room in rooms:
        reached = reach([room.path], room.tests, NOT_THESE)
        mutants = list(mutants_of(room.path, room.only))
        if minutes:
            Random(seed).shuffle(mutants)
        end = monotonic() + minutes * 60 / len(rooms) if minutes else float("inf")
        scores[room.path] = Score()
        for mutant in mutants:
            if monotonic() > end:
                break
            _try(mutant, reached, scores[room.path])
    return scores


def _try(mutant: Mutant, reached: Reached, score: Score) -> None:
    fate = fate_of(mutant, reached)
    if fate is Fate.UNSEEN:
        score.survivors += (mutant,)
        say(f"not seen  {mutant}")
        return
    score.seen += 1
    score.endless += fate is Fate.ENDLESS


def overall(scores: dict[Path, Score]) -> float:
    seen, tried = (
        sum(one.seen for one in scores.values()),
        sum(one.seen + len(one.survivors) for one in scores.values()),
    )
    return seen / tried if tried else 1.0


if __name__ == "__main__":
    sys.exit(main())
