"""The parts of a sandbox and what each one is: the real program with the real configuration, by name.

broker · cups:<hall> · home · agent:<hall> · receiver (the registration system's end of the callbacks) · clerk (simulated)
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from spooler.sandbox.cups import PrivateCups
from spooler.sandbox.site import HallSite, Site

# Nothing of the caller's environment reaches a part: a restart needs none, and CERTSPOOL_… settings are meant for others.
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


def names(site: Site) -> list[str]:
    """Return all parts, in the order in which they may be stopped backwards."""
    halls = [hall.hall for hall in site.halls]
    return [
        "broker",
        *(f"cups:{hall}" for hall in halls),
        "receiver",
        "home",
        *(f"agent:{hall}" for hall in halls),
        *(["clerk"] if site.clerk == "auto" else []),
    ]


def is_public(part: str) -> bool:
    """Say whether others may kill and restart this part; the receiver and the clerk play people and stay."""
    return part not in ("receiver", "clerk")


def cups_of(hall: HallSite) -> PrivateCups:
    return PrivateCups(directory=hall.cups, permits=hall.permits)


def become(site: Site, part: str) -> NoReturn:
    """Become that part: this process's pid and lock are now its own."""
    kind, _, hall = part.partition(":")
    match kind:
        case "broker":
            from spooler.sandbox import broker  # and pika and httpx, which no other part waits for

            broker.become(broker.prepare(site.broker))
        case "home":
            _execute(site.home, [script("certspool"), "serve", "--config", str(site.home_config)])
        case "agent":
            place = site.hall(hall)
            _execute(place.agent, [script("certspool-agent"), "serve", "--config", str(place.config)])
        case "cups":
            cups = cups_of(site.hall(hall))
            _execute(cups.directory, cups.argv, cups.environment)
        case _:
            _execute(site.directory, [sys.executable, "-P", "-m", f"spooler.sandbox.{kind}", str(site.directory)])
    raise AssertionError("exec returned")


def _execute(place: Path, argv: Sequence[str], environment: dict[str, str] | None = None) -> None:
    os.chdir(place)
    os.execve(argv[0], list(argv), environment or {**ENVIRONMENT, "HOME": str(place)})


def script(name: str) -> str:
    """Return the path of one of our commands, beside the Python that runs this."""
    return str(Path(sys.executable).with_name(name))
