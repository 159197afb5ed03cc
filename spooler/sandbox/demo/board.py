"""The demo's board: a live table with a progress bar in a terminal, plain lines anywhere else."""

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from spooler.sandbox.demo.script import Errand
from spooler.sandbox.demo.stage import ENDED, Run

WAY = ("accepted", "sealed", "sent", "received", "printing", "printed", "issued")
COLOURS = {
    "accepted": "white",
    "sealed": "cyan",
    "sent": "cyan",
    "received": "blue",
    "printing": "yellow",
    "printed": "green",
}
LINES_AROUND = 9  # heading, bar and the lines of the terminal that stay free


class Board:
    """Shows a run as it goes on."""

    def __init__(self, console: Console, words: Mapping[str, str]) -> None:
        self._console = console
        self._words = words
        self._seen: dict[str, str] = {}

    def follow(self, run: Run, steps: Iterable[None]) -> None:
        """Take the steps, and show the run after each."""
        if not self._console.is_terminal:
            for _ in steps:
                self._tell_changes(run)
            return
        bar = self._bar(run)
        with Live(console=self._console, refresh_per_second=8) as live:
            for _ in steps:
                bar.update(bar.task_ids[0], completed=run.issued, sides=run.sides)
                live.update(Group(self._table(run), Text(), bar))

    def _tell_changes(self, run: Run) -> None:
        for errand in run.errands:
            job = run.job(errand)
            if job is not None and self._seen.get(errand.request_id) != job["state"]:
                self._seen[errand.request_id] = job["state"]
                at = time.monotonic() - run.started
                self._console.print(f"{at:6.1f} s  {self._words[job['state']]}  {errand.number}  {errand.route}")

    def _bar(self, run: Run) -> Progress:
        bar = Progress(
            TextColumn(self._words["done"]),
            BarColumn(bar_width=40, complete_style="green", finished_style="green"),
            MofNCompleteColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[sides]} " + self._words["sheets"]),
            TimeElapsedColumn(),
            console=self._console,
        )
        bar.add_task("", total=len(run.errands), sides=0)
        return bar

    def _table(self, run: Run) -> RenderableType:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for name in ("number", "route", "state"):
            table.add_column(self._words[name], no_wrap=True)
        table.add_column(self._words["serial"], no_wrap=True, style="red")
        table.add_column(self._words["seconds"], justify="right", no_wrap=True)
        for errand in self._visible(run):
            self._row(table, errand, run.job(errand))
        return table

    def _visible(self, run: Run) -> list[Errand]:
        """Return what fits into the terminal: who is on the way first, then who came last to an end."""
        room = max(self._console.height - LINES_AROUND, 3)
        posted = [errand for errand in run.errands if run.job(errand)]
        ended = [errand for errand in posted if _state(run.job(errand)) in ENDED]
        shown = [errand for errand in posted if errand not in ended][:room]
        shown += ended[max(0, len(ended) - (room - len(shown))) :] if room > len(shown) else []
        return [errand for errand in posted if errand in shown]

    def _row(self, table: Table, errand: Errand, job: dict[str, Any] | None) -> None:
        if job is None:
            return
        table.add_row(errand.number, errand.route, self._way(job), job["serial"] or "", f"{_seconds(job):.1f} s")

    def _way(self, job: dict[str, Any]) -> Text:
        """Return the state as a way of seven steps and its word; reasons stand beside it."""
        state = job["state"]
        style = COLOURS.get(state, "bold green" if state == "issued" else "red")
        gone = WAY.index(state) + 1 if state in WAY else 0
        text = Text("●" * gone, style=style) + Text("·" * (len(WAY) - gone), style="dim")
        return text.append(f" {self._words[state]}", style=style)


def _state(job: dict[str, Any] | None) -> str:
    return job["state"] if job else ""


def _seconds(job: dict[str, Any]) -> float:
    start = datetime.fromisoformat(job["created_at"])
    end = datetime.fromisoformat(job["updated_at"]) if job["state"] in ENDED else datetime.now(UTC)
    return (end - start).total_seconds()
