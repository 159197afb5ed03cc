"""The crash matrix: kill at each point, start again, let the simulated clerk finish, and let the checker judge.

python -m tests.crash.matrix --kills 25 --workers 2 [--points once.] [--seed N] [--results FILE]

A line for each kill goes to the results file as it happens; the same file given again goes on where it stopped.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from spooler.daemon.crash import ASKING, POINTS
from tests.crash.checker import Request, Violation, judge
from tests.crash.place import Place
from tests.crash.record import history_of, whole_history
from tests.crash.scene import SIDES, Scene
from tests.crash.scenes import SCENE_OF

LONGEST_KILL_SECONDS = 120.0
LONGEST_SCENE_SECONDS = 120.0
PAUSE_SECONDS = 0.03
# Not passed by a daemon: that one dies is all there is to see.
ELSEWHERE = ("once.", "callback.before-replayed")

# Points that only a second crash, or a fault of the printer, leads to.
AFTER_A_CRASH = {
    "agent.before-revoke-link": "agent.after-permit",
    "agent.after-revoke": "agent.after-permit",
    "agent.before-again-commit": "agent.after-permit",
    "agent.after-again-commit": "agent.after-permit",
}
AFTER_A_TORN_SHEET = {"agent.before-unknown-commit", "agent.after-unknown-commit"}
# How often one certificate passes a point, where that is not once.
HITS = {
    "home.before-document-rename": 3,
    "home.before-publish": 4,
    "home.after-confirm": 6,
    "home.before-sent-commit": 6,
    "home.after-sent-commit": 6,
    "home.before-report": 6,
    "home.before-report-commit": 6,
    "home.after-report-commit": 6,
    "callback.before-post": 6,
    "callback.after-post": 6,
    "callback.before-delivered-commit": 6,
    "callback.after-delivered-commit": 6,
    "home.before-control-commit": 4,
    "home.after-act-commit": 3,
    "home.before-answer-commit": 4,
    "home.before-another-order-commit": 2,
    "home.after-another-order-commit": 2,
    "home.before-approval-commit": 2,
    "agent.before-control": 4,
    "agent.before-control-commit": 4,
    "agent.after-control-commit": 4,
    "home.before-any-commit": 20,
    "home.after-any-commit": 20,
    "agent.before-act-commit": 4,
    "agent.after-act-commit": 4,
    "agent.before-publish": 4,
    "agent.after-confirm": 6,
    "agent.after-sent-commit": 6,
    "agent.before-any-commit": 20,
    "agent.after-any-commit": 20,
}


@dataclass(frozen=True)
class Kill:
    """One kill that is to be made."""

    point: str
    number: int
    kind: str
    nth: int
    twice: bool  # the same point kills once more while what the first kill left is taken up


@dataclass(frozen=True)
class Result:
    """What became of it."""

    point: str
    number: int
    nth: int
    struck: bool
    asked: int
    violations: tuple[str, ...]
    seconds: float


def plan(points: Iterable[str], kills: int, seed: int) -> list[Kill]:
    """Return the kills, the same ones for the same seed."""
    return [
        _kill(point, number, random.Random(f"{seed}/{point}/{number}")) for number in range(kills) for point in points
    ]


def _kill(point: str, number: int, chance: random.Random) -> Kill:
    kind = chance.choice(["certificate", "proof"])
    led_to = point in AFTER_A_CRASH or point in AFTER_A_TORN_SHEET or point in SCENE_OF
    once_a_pass = point.startswith(("once.", "agent.")) and not led_to
    default = SIDES[kind] if once_a_pass and "received" not in point and not _is_arrival(point) else 1
    most = HITS.get(point, default)
    # A proof has fewer passes, acts and reports than a certificate; what a scene asks is the same for both.
    nth = chance.randint(1, most if kind == "certificate" or point in SCENE_OF else max(1, most // 2))
    return Kill(point, number, kind, 1 if number == 0 else nth, number > 0 and chance.random() < 0.25)


def _is_arrival(point: str) -> bool:
    return point in {
        "agent.before-order",
        "agent.after-verify",
        "agent.before-document-rename",
        "agent.after-document-kept",
    }


class Run:
    """Kills in one place, one after the other."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.requests: list[Request] = []

    def kill(self, kill: Kill) -> Result:
        """Make one kill and judge what came of its job."""
        began = time.monotonic()
        first = AFTER_A_CRASH.get(kill.point)
        if kill.point in AFTER_A_TORN_SHEET:
            self.place.fault("cut:3000")
        self.place.arm(first or kill.point, 1 if first else kill.nth)
        scene = SCENE_OF.get(kill.point, Scene)(self.place, kill.kind)
        longest = LONGEST_SCENE_SECONDS if kill.point in SCENE_OF else LONGEST_KILL_SECONDS
        struck = self._follow(kill, scene, first, began + longest)
        self.place.disarm()
        scene.mischief.is_mended()
        self.requests += scene.requests
        history = history_of(self.place, scene.requests)
        asked = sum(event.detail == "a person is asked" for event in history.events)
        wrong = [Violation("scene", scene.first, text) for text in scene.wrong]
        violations = [*judge(history), *_unneeded(kill, asked, scene), *wrong]
        return Result(
            kill.point,
            kill.number,
            kill.nth,
            struck,
            asked,
            tuple(f"{v.invariant} {v.about}: {v.says}" for v in violations),
            round(time.monotonic() - began, 2),
        )

    def _follow(self, kill: Kill, scene: Scene, first: str | None, until: float) -> bool:
        """Play the scene, revive what dies, and return once it is over; say whether the point killed."""
        struck, again = False, kill.twice
        while time.monotonic() < until:
            dead = self.place.dead()  # looked at first: what died by the point has left its hit
            hit = self.place.has_struck(first or kill.point, 1 if first else kill.nth)
            struck = struck or (hit and kill.point.startswith(ELSEWHERE))
            if hit and dead:
                struck = struck or first is None
                if kill.point in AFTER_A_TORN_SHEET:
                    self.place.fault("clear")
                if first or again:
                    self.place.arm(kill.point)
                    first, again = None, first is not None and again
                    kill = replace(kill, nth=1)
            self.place.revive(dead)
            if scene.go_on() and (struck or self._stays_unstruck(kill, until)):
                return struck
            time.sleep(PAUSE_SECONDS)
        return struck

    def _stays_unstruck(self, kill: Kill, until: float) -> bool:
        """All is told and the point was not passed: a moment more for what comes after the last callback."""
        end = min(until, time.monotonic() + 1.0)
        while time.monotonic() < end:
            if self.place.dead() or self.place.has_struck(kill.point, kill.nth):
                return False
            time.sleep(PAUSE_SECONDS)
        return True


def _unneeded(kill: Kill, asked: int, scene: Scene) -> Iterator[Violation]:
    """A person is asked only where the backend was started and left no result, or where the printer itself failed."""
    allowed = (2 if kill.twice else 1) if kill.point in ASKING | AFTER_A_TORN_SHEET else scene.asks
    if asked > allowed:
        yield Violation("ASK", scene.first, f"a person was asked {asked} times, {allowed} needed")


# ---- All of it ----


@contextmanager
def a_place(blanks: int, *, keep: list[str] | None = None) -> Iterator[Place]:
    """A place that goes when done; kept when `keep` has been filled (with what went wrong)."""
    directory = Path(tempfile.mkdtemp(prefix="certspool-crash-", dir="/var/tmp"))
    place = Place(directory, blanks=blanks)
    try:
        place.up()
        yield place
    finally:
        place.down()
        if not keep:
            shutil.rmtree(directory)


def run_all(
    kills: Sequence[Kill], results: Path | None = None, tell: Any = lambda result: None
) -> tuple[list[Result], list[str]]:
    """Make these kills in one place; return each result and what the whole history breaks."""
    found: list[Result] = []
    broken: list[str] = []
    with a_place(len(kills) * 3 + 50, keep=broken) as place:
        run = Run(place)
        try:
            for kill in kills:
                found.append(result := run.kill(kill))
                broken += result.violations
                tell(result)
                if results is not None:
                    with results.open("a") as file:
                        file.write(json.dumps(asdict(result)) + "\n")
            broken += _judge_whole(place, run.requests)
        except BaseException as e:
            broken.append(f"{type(e).__name__}: {e}")
            raise
        finally:
            if broken:
                print(f"kept for a look: {place.directory}", file=sys.stderr)
    return found, broken


def _judge_whole(place: Place, requests: Sequence[Request]) -> list[str]:
    place.revive()
    place.until(place.is_ready, 30, "not ready at the end")
    return [f"{v.invariant} {v.about}: {v.says}" for v in judge(whole_history(place, requests))]


def table(results: Sequence[Result], broken: Sequence[str]) -> str:
    """One line a point, and the closing line."""
    lines = [f"{'point':<34}{'kills':>6}{'lost':>6}{'twice':>6}{'false done':>11}{'other':>6}{'asked':>6}{'s/kill':>8}"]
    for point in dict.fromkeys(result.point for result in results):
        lines.append(_line(point, [result for result in results if result.point == point]))
    lines.append(_line("all", results))
    whole = [text for text in broken if not any(text in result.violations for result in results)]
    closing = [f"{len({r.point for r in results if r.struck})} of {len(POINTS)} points struck"]
    closing += [f"whole history: {text}" for text in whole] or [
        f"whole history: {'nothing more' if broken else 'I1–I9 hold'}"
    ]
    return "\n".join([*lines, *closing])


def _line(name: str, results: Sequence[Result]) -> str:
    broken = Counter(text.split()[0] for result in results for text in result.violations)
    lost, twice, false = broken.pop("I2", 0), broken.pop("I1", 0), broken.pop("I9", 0)
    kills, asked = sum(result.struck for result in results), sum(result.asked for result in results)
    pace = sum(result.seconds for result in results) / max(1, len(results))
    return f"{name:<34}{kills:>6}{lost:>6}{twice:>6}{false:>11}{broken.total():>6}{asked:>6}{pace:>8.1f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=25, help="kills at each point")
    parser.add_argument("--workers", type=int, default=2, help="places side by side")
    parser.add_argument(
        "--points", default="", help="only points whose names begin so: agent.,home.before-lease or scenes"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", type=Path, help="results as they come, and those to go on from")
    options = parser.parse_args()
    points = chosen(options.points)
    before = _earlier(options.results)
    done = {(result.point, result.number) for result in before}
    kills = [kill for kill in plan(points, options.kills, options.seed) if (kill.point, kill.number) not in done]
    print(f"seed {options.seed}: {len(kills)} kills at {len(points)} points, {options.workers} places", flush=True)
    shares = [share for n in range(options.workers) if (share := kills[n :: options.workers])]
    with ThreadPoolExecutor(options.workers) as pool:
        parts = list(pool.map(lambda share: run_all(share, options.results, _tell), shares))
    results = sorted([*before, *(r for found, _ in parts for r in found)], key=lambda r: list(POINTS).index(r.point))
    broken = [text for _, texts in parts for text in texts] + [text for r in before for text in r.violations]
    print(table(results, broken))
    unreached = set(points) - {result.point for result in results if result.struck}
    for text in dict.fromkeys(broken):
        print(f"BROKEN {text}")
    for point in sorted(unreached):
        print(f"NEVER REACHED {point}")
    return 1 if broken or unreached else 0


def chosen(names: str) -> list[str]:
    """Return the points whose names begin so, or those of all scenes."""
    if names == "scenes":
        return list(SCENE_OF)
    return [point for point in POINTS if point.startswith(tuple(names.split(",")))]


def _tell(result: Result) -> None:
    if result.violations or not result.struck:
        print(f"{result.point}:{result.nth} struck={result.struck} {'; '.join(result.violations)}", flush=True)


def _earlier(path: Path | None) -> list[Result]:
    if path is None or not path.exists():
        return []
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [Result(**{**row, "violations": tuple(row["violations"])}) for row in rows]


if __name__ == "__main__":
    sys.exit(main())
