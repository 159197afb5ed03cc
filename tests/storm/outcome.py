"""What a storm did, and what the checker says of it."""

from collections import Counter
from dataclasses import dataclass, field

from tests.crash.checker import History, Violation, judge, questions

INVARIANTS = tuple(f"I{number}" for number in range(1, 10))


@dataclass
class Outcome:
    """Struck while it blew; judged when it had settled."""

    seed: int
    struck: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    jobs: int = 0
    ended_in_time: int = 0  # jobs over by the end of the weather
    settled_seconds: float = 0.0  # until all were over after it
    passes: int = 0
    sheets: int = 0
    asked: int = 0
    violations: list[Violation] = field(default_factory=list)

    def judged(self, history: History) -> "Outcome":
        self.jobs, self.sheets = len(history.jobs), len(history.sheets)
        self.passes = len({(e.job_id, e.attempt, e.pass_number) for e in history.events if e.pass_number is not None})
        self.asked = len(questions(history))
        self.violations += judge(history)
        return self

    @property
    def share_asked(self) -> float:
        return self.asked / max(1, self.passes)

    def broken(self, invariant: str) -> int:
        return len({v.about for v in self.violations if v.invariant == invariant})

    def __str__(self) -> str:
        figures = {
            "jobs": self.jobs,
            "lost": self.broken("I2"),
            "twice": self.broken("I1"),
            "asked": self.asked,
            "false done": self.broken("I9"),
            "other": len({(v.invariant, v.about) for v in self.violations if v.invariant not in {"I1", "I2", "I9"}}),
        }
        lines = [f"seed {self.seed}: {self.struck.total()} faults, {self.sheets} sheets, {self.passes} passes"]
        lines += [f"  {kind:<26}{many:>5}" for kind, many in sorted(self.struck.items())]
        lines += [f"  {'(found nothing to hit)':<26}{self.missed.total():>5}  {dict(self.missed) or ''}"]
        lines += ["  ".join(f"{name} {value}" for name, value in figures.items())]
        lines += ["  ".join(f"{invariant} {self.broken(invariant)}" for invariant in INVARIANTS)]
        lines += [f"asked {self.asked} of {self.passes} passes: {100 * self.share_asked:.1f} %"]
        lines += [
            f"over when the weather ended: {self.ended_in_time} of {self.jobs}; settled {self.settled_seconds:.0f} s later"
        ]
        return "\n".join([*lines, *(f"BROKEN {v.invariant} {v.about}: {v.says}" for v in self.violations)])
