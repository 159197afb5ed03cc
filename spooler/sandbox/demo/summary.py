"""What the demo came to: jobs, sheets, serials, and how long each stage took."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from rich.console import Console
from rich.table import Table

from spooler.sandbox.demo.board import WAY
from spooler.sandbox.demo.paper import Side
from spooler.sandbox.demo.stage import Run

History = Mapping[str, datetime]


@dataclass(frozen=True)
class Stretch:
    """From one state to the next: how long it took, in seconds."""

    start: str
    end: str
    median: float
    most: float


@dataclass(frozen=True)
class Summary:
    issued: int
    refused: int
    sides: int
    serials: tuple[str, ...]
    callbacks: int
    stretches: tuple[Stretch, ...]

    def tiles(self, words: Mapping[str, str]) -> list[tuple[str, str]]:
        """Return name and figure of what is worth a glance."""
        return [
            (words["jobs"], str(self.issued)),
            (words["refusals"], str(self.refused)),
            (words["printed_sides"], str(self.sides)),
            (words["blanks_used"], str(len(self.serials))),
            (words["callbacks"], str(self.callbacks)),
            (words["whole"], f"{self.stretches[-1].median:.1f} s"),
        ]


def summarise(run: Run, sides: Sequence[Side], callbacks: int, histories: Sequence[History]) -> Summary:
    """Return the figures of a run that is over."""
    steps = [*pairwise(WAY), (WAY[0], WAY[-1])]
    return Summary(
        issued=run.issued,
        refused=len(run.refusals),
        sides=len(sides),
        serials=tuple(sorted({side.serial for side in sides if side.serial})),
        callbacks=callbacks,
        stretches=tuple(_stretch(start, end, histories) for start, end in steps),
    )


def _stretch(start: str, end: str, histories: Sequence[History]) -> Stretch:
    seconds = [(h[end] - h[start]).total_seconds() for h in histories if start in h and end in h] or [0.0]
    return Stretch(start, end, statistics.median(seconds), max(seconds))


def show(console: Console, summary: Summary, sides: Sequence[Side], words: Mapping[str, str]) -> None:
    """Print it."""
    console.rule(f"[bold]{words['summary']}", align="left", style="dim")
    for name, figure in summary.tiles(words)[:-1]:
        console.print(f"  {name}  [bold]{figure}[/]")
    printed = Counter((side.hall, side.printer) for side in sides)
    for (hall, printer), count in sorted(printed.items()):
        used = sorted({s.serial for s in sides if (s.hall, s.printer) == (hall, printer) and s.serial})
        serials = f"  [red]{used[0]} … {used[-1]}[/]" if used else ""
        console.print(f"  [dim]{hall}/{printer}[/]  {count} {words['sheets']}{serials}", highlight=False)
    console.print(_times(summary, words))


def _times(summary: Summary, words: Mapping[str, str]) -> Table:
    table = Table(box=None, pad_edge=True, header_style="dim")
    table.add_column(words["stage"])
    table.add_column(words["median"], justify="right")
    table.add_column(words["most"], justify="right")
    for stretch in summary.stretches:
        table.add_row(
            f"{words[stretch.start]} → {words[stretch.end]}", f"{stretch.median:.2f} s", f"{stretch.most:.2f} s"
        )
    return table
