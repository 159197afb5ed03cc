"""The short form of the matrix: each point once, many crashes to a job, judged as a whole at the end.

Home and hall are each led from point to point by a lane of its own, at the same time: first through plain jobs, then through the scenes.

python -m tests.crash.tour --rounds 10 [--points scenes]
"""

import argparse
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from spooler.daemon.crash import ASKING, POINTS
from tests.crash.checker import History, Violation, judge, questions
from tests.crash.matrix import AFTER_A_CRASH, AFTER_A_TORN_SHEET, ELSEWHERE, PAUSE_SECONDS, a_place, chosen
from tests.crash.mischief import Mischief
from tests.crash.place import CRASH_FOLDERS, Place
from tests.crash.record import whole_history
from tests.crash.scene import Scene
from tests.crash.scenes import SCENE_OF, SCENES

LONGEST_SECONDS = 90.0  # from a point to the next
LONGEST_END_SECONDS = 180.0  # from the last point to the end of what was begun
KINDS = ("certificate", "proof")


class Lane:
    """The points at which one side is to die, one after the other; the next is armed before what died is started again."""

    def __init__(self, place: Place, points: Iterable[str]) -> None:
        self._place = place
        self._points = deque(points)
        self.seconds: dict[str, float] = {}
        self._arm()

    @property
    def current(self) -> str | None:
        return self._points[0] if self._points else None

    def look(self, dead: Sequence[str]) -> None:
        """Go on to the next point if the current one has killed."""
        point = self.current
        if point is None or not self._place.has_struck(point) or not (dead or point.startswith(ELSEWHERE)):
            return
        self.seconds[point] = round(time.monotonic() - self._since, 2)
        self._points.popleft()
        self._place.disarm(point)
        if point in AFTER_A_TORN_SHEET:
            self._place.fault("clear")
        self._arm()

    def is_stuck(self) -> bool:
        return self.current is not None and time.monotonic() - self._since > LONGEST_SECONDS

    def _arm(self) -> None:
        self._since = time.monotonic()
        if self.current is not None:
            if self.current in AFTER_A_TORN_SHEET:
                self._place.fault("cut:3000", "certificate")
            self._place.arm(self.current)


class Tour:
    """One place."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.scenes: list[Scene] = []
        self.unreached: list[str] = []
        self.seconds: dict[str, float] = {}

    def through(self, points: Sequence[str]) -> History:
        """Crash at each point in turn, then let everything end."""
        self._play([(Scene, kind) for kind in KINDS], steps([p for p in points if p not in SCENE_OF]))
        for scene in SCENES:
            here = [point for point in points if point in scene.points]
            if here and not self.unreached:
                self._play([(scene, "proof")], here)
        self.place.disarm()
        Mischief(self.place).is_mended()
        if not self._until(self._is_quiet, LONGEST_END_SECONDS):
            self.unreached.append("rest")
        return whole_history(self.place, [request for scene in self.scenes for request in scene.requests])

    def _play(self, wanted: Sequence[tuple[type[Scene], str]], points: Iterable[str]) -> None:
        """Play these scenes, again and again until each point has killed, and to their end."""
        lanes = [Lane(self.place, lane) for lane in lanes_of(points)]
        on: list[Scene] = []
        ends = [time.monotonic() + LONGEST_END_SECONDS]

        def is_over(dead: Sequence[str]) -> bool:
            for lane in lanes:
                lane.look(dead)
            self.place.revive(dead)
            for scene in on:
                scene.go_on()
            on[:] = [scene for scene in on if not scene.has_ended]
            if not on and any(lane.current for lane in lanes):
                on.extend(scene(self.place, kind) for scene, kind in wanted)
                self.scenes.extend(on)
            if any(lane.current for lane in lanes):
                ends[:] = [time.monotonic() + LONGEST_END_SECONDS]
            return not on or any(lane.is_stuck() for lane in lanes) or time.monotonic() > ends[0]

        self._until(is_over)
        self.unreached += [lane.current for lane in lanes if lane.current]
        self.unreached += [f"the end of {type(scene).__name__}" for scene in on]
        for lane in lanes:
            self.seconds |= lane.seconds

    def _is_quiet(self, dead: Sequence[str]) -> bool:
        self.place.revive(dead)
        return not dead and self.place.is_ready()

    def _until(self, is_over: Callable[[Sequence[str]], bool], seconds: float = LONGEST_SECONDS * len(POINTS)) -> bool:
        end = time.monotonic() + seconds
        while not is_over(self.place.dead()):  # looked at first: what died by the point has left its hit
            if time.monotonic() > end:
                return False
            time.sleep(PAUSE_SECONDS)
        return True


def lanes_of(points: Iterable[str]) -> list[list[str]]:
    """Part the points by whose they are."""
    lanes: dict[str, list[str]] = {}
    for point in points:
        lanes.setdefault(CRASH_FOLDERS[point.partition(".")[0]], []).append(point)
    return list(lanes.values())


def steps(points: Sequence[str]) -> Iterator[str]:
    """Yield the points, before some of them the crash that leads there.

    The backend's come one by one between the agent's: failed tries in a row make the agent pause ever longer, and a restart forgets that.
    """
    backend = iter([point for point in points if point.startswith("once.")])
    for point in points:
        if point.startswith("once."):
            continue
        if point in AFTER_A_CRASH:
            yield AFTER_A_CRASH[point]
        yield point
        if point.startswith("agent.") and point not in AFTER_A_CRASH:
            yield from islice(backend, 1)
    yield from backend


def broken(history: History, points: Sequence[str], scenes: Sequence[Scene]) -> list[Violation]:
    """What the checker says, and questions beyond those that were needed."""
    needed = len({*points} & {*ASKING, *AFTER_A_TORN_SHEET}) + sum(scene.asks for scene in scenes)
    asked = len(questions(history))
    too_many = [Violation("ASK", "all", f"{asked} questions, {needed} needed")] if asked > needed else []
    wrong = [Violation("scene", scene.first, text) for scene in scenes for text in scene.wrong]
    return [*judge(history), *too_many, *wrong]


ALL = tuple(POINTS)


def main() -> int:
    """Make so many rounds, each in a place of its own."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--points", default="scenes", help="scenes, or the beginnings of names")
    options = parser.parse_args()
    points, is_bad = chosen(options.points), False
    for number in range(1, options.rounds + 1):
        began, keep = time.monotonic(), ["not judged yet"]
        with a_place(300, keep=keep) as place:
            tour = Tour(place)
            history = tour.through(points)
            keep[:] = [
                *map("never reached: {}".format, tour.unreached),
                *map(str, broken(history, points, tour.scenes)),
            ]
            print(
                f"round {number}: {len(tour.seconds)} of {len(points)} points, {len(tour.scenes)} jobs or scenes,"
                f" {len(history.sheets)} sheets, {len(questions(history))} questions, {len(keep)} findings,"
                f" {time.monotonic() - began:.0f} s",
                flush=True,
            )
        is_bad = is_bad or bool(keep)
        for text in keep:
            print(f"  {text}", flush=True)
    return int(is_bad)


if __name__ == "__main__":
    sys.exit(main())
