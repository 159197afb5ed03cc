"""What will strike, and when: decided by the seed alone, before anything runs."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

DAEMONS = ("agent", "home", "cups", "broker")
IN_A_PASS = ("once", "sender", "backend", "filter")  # they live for moments: a strike waits until one is seen
PRINTER_FAULTS = ("offline", "jam", "out-of-stock", "stall", "cut", "answer-lost")
DRAINS = "drains-slowly"  # and who sent it dies meanwhile
OPERATOR = ("restart-job", "disable-enable", "hold-resume", "move-job", "restart-in-mid-print")
THEFT = "steal-uuid"
NETWORK = ("latency", "half-open", "cut", "refuse")
SIDES = ("home", "hall")  # of the broker, each behind a network of its own
DISKS = ("home", "hall", "cups")
LONGEST_CUT = 40_000
LONGEST_LEAD_SECONDS = 0.08


Kind = tuple[str, str] | tuple[str, str, str]


@dataclass(frozen=True)
class Strike:
    """One fault at one moment of the storm."""

    at: float  # seconds after the first job
    group: str  # kill, printer, drain, operator, theft, network, disk
    what: str  # which process, fault, act or disk
    side: str = ""  # of the network
    signal: str = ""
    lead: float = 0.0  # seconds between a process of a pass being seen and being struck
    lasts: float = 0.0  # seconds until the printer is seen to, or the operator takes it back
    where: float = 0.0  # 0..1: which printer, which job
    amount: int = 0  # bytes that a cut lets through

    @property
    def kind(self) -> str:
        group = {"network": "network", "disk": "disk full"}.get(self.group, "")
        return " ".join(filter(None, (self.signal, group, self.what, self.side)))


def storm(seed: int, seconds: float, every: float) -> tuple[Strike, ...]:
    """Return strikes of all kinds, one in `every` seconds, each kind once before any comes again."""
    chance = random.Random(seed)
    count = max(1, round(seconds / every))
    kinds: list[Kind] = []
    while len(kinds) < count:
        kinds += _each_kind_once(chance)
    return tuple(
        _strike(chance, (number + chance.random()) * every, *kind) for number, kind in enumerate(kinds[:count])
    )


def _each_kind_once(chance: random.Random) -> Sequence[Kind]:
    kinds: list[Kind] = [("kill", part) for part in (*DAEMONS, *IN_A_PASS)]
    kinds += [("printer", fault) for fault in PRINTER_FAULTS]
    kinds += [("operator", act) for act in OPERATOR]
    kinds += [("network", fault, side) for fault in NETWORK for side in SIDES]
    kinds += [("disk", place) for place in DISKS]
    kinds += [("drain", DRAINS), ("theft", THEFT)]
    chance.shuffle(kinds)
    return kinds


def _strike(chance: random.Random, at: float, group: str, what: str, side: str = "") -> Strike:
    return Strike(
        at,
        group,
        what,
        side,
        signal=chance.choice(("SIGKILL", "SIGTERM")) if group == "kill" else "",
        lead=chance.uniform(0, LONGEST_LEAD_SECONDS),
        lasts=chance.uniform(0.5, 2.5),
        where=chance.random(),
        amount=chance.randint(1, LONGEST_CUT),
    )


def kills(seed: int, seconds: float) -> tuple[Strike, ...]:
    """Return the weather of the comparison: agent or cupsd is killed (SIGKILL) every 1 to 3 seconds."""
    chance = random.Random(seed)
    strikes, at = [], 0.0
    while (at := at + chance.uniform(1, 3)) < seconds:
        strikes.append(Strike(at, "kill", chance.choice(("agent", "cups")), signal="SIGKILL"))
    return tuple(strikes)
