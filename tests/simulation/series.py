"""Many seeds: on all cores, summed up; and one seed that broke a promise, made as short as it goes."""

import gc
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from tests.simulation.bindings import in_memory
from tests.simulation.county import STORM_STEPS, Result, run

CHUNK = 50


@dataclass
class Total:
    """What many seeds came to."""

    seeds: int = 0
    steps: int = 0
    fewest_steps: int = 10**9
    jobs: int = 0
    sheets: int = 0
    dones: int = 0
    asks: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    violations: list[tuple[int, str]] = field(default_factory=list)

    def add(self, result: Result) -> None:
        self.seeds += 1
        self.steps += result.steps
        if result.violation is None:
            self.fewest_steps = min(self.fewest_steps, result.steps)
        self.jobs += result.jobs
        self.sheets += result.sheets
        self.dones += result.dones
        self.asks += result.asks
        self.faults += result.faults
        self.states += result.states
        if result.violation is not None:
            self.violations.append((result.seed, result.violation[1]))

    def join(self, other: "Total") -> None:
        self.seeds += other.seeds
        self.steps += other.steps
        self.fewest_steps = min(self.fewest_steps, other.fewest_steps)
        self.jobs += other.jobs
        self.sheets += other.sheets
        self.dones += other.dones
        self.asks += other.asks
        self.faults += other.faults
        self.states += other.states
        self.violations += other.violations


def run_chunk(seeds: range) -> Total:
    """Run some seeds in this process."""
    total = Total()
    with in_memory(), no_collection():
        for seed in seeds:
            total.add(run_safely(seed))
    return total


def run_safely(seed: int, **how: object) -> Result:
    """An error that no process would survive is a broken promise, too: what it did is not done."""
    try:
        return run(seed, **how)  # type: ignore[arg-type]
    except Exception as e:
        text = f"error: {type(e).__name__}: {e} ({_place(e)})"
        return Result(seed, STORM_STEPS, 0, 0, 0, Counter(), Counter(), Counter(), ("error", text))


def _place(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-2:]
    return ", ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in last)


class no_collection:
    """Garbage is looked for between chunks, and not among what was imported: a run is short, and looks cost a third of it."""

    def __enter__(self) -> None:
        gc.disable()
        gc.freeze()

    def __exit__(self, *_: object) -> None:
        gc.collect()
        gc.unfreeze()
        gc.enable()


def run_all(first: int, seeds: int, jobs: int) -> Iterator[Total]:
    """Yield what each chunk came to, as they are done."""
    chunks: Iterable[range] = [
        range(start, min(start + CHUNK, first + seeds)) for start in range(first, first + seeds, CHUNK)
    ]
    if jobs == 1:
        yield from map(run_chunk, chunks)
        return
    with get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap_unordered(run_chunk, chunks)


def shortened(seed: int) -> Result:
    """Run a seed that broke a promise with the shortest storm that still breaks it, and its trace."""
    with in_memory():
        for steps in range(20, STORM_STEPS, 20):
            result = run_safely(seed, storm_steps=steps, keeps_trace=True)
            if result.violation is not None:
                return result
        return run_safely(seed, keeps_trace=True)
