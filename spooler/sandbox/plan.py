"""DIR/sandbox.json: what tests and people need to find their way in a sandbox; replaced by rename, never half-written."""

import fcntl
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spooler.sandbox import locks, parts
from spooler.sandbox.site import VIRTUAL_HOST, HallSite, PrinterSite, Site
from spooler.wire.topology import hall_queue

if TYPE_CHECKING:
    from spooler.sandbox.broker import PrivateBroker


def write(site: Site) -> None:
    """Write the whole plan, each pid as its lock tells."""
    with _alone(site):
        _replace(site.plan, _whole(site))


def note_pid(site: Site, part: str, pid: int) -> None:
    """Put a part's new pid into the plan, if there is one yet."""
    with _alone(site):
        if site.plan.exists():
            plan = json.loads(site.plan.read_text())
            _place_of(plan, part, pid)
            _replace(site.plan, plan)


def _place_of(plan: dict[str, Any], part: str, pid: int) -> None:
    kind, _, hall = part.partition(":")
    if kind == "broker":
        plan["broker"]["pid"] = pid
    elif kind == "home":
        plan["homes"][0]["pid"] = pid
    elif kind in ("agent", "cups"):
        entry = next(h for h in plan["halls"] if h["hall"] == hall)
        entry["pid" if kind == "agent" else "cups_pid"] = pid


def _whole(site: Site) -> dict[str, Any]:
    from spooler.sandbox import broker  # and pika and httpx: a part that starts again only notes its pid

    private = broker.prepare(site.broker)
    return {
        "broker": {
            "url": _broker_url(private),
            "management": private.management_url,
            "pid": _pid(site, "broker"),
            "queues": {h.hall: hall_queue(h.hall) for h in site.halls},
        },
        "homes": [_home(site)],
        "halls": [_hall(site, hall) for hall in site.halls],
        "restart": {part: restart_argv(site, part) for part in parts.names(site) if parts.is_public(part)},
    }


def _broker_url(private: "PrivateBroker") -> str:
    way_in = private.address(VIRTUAL_HOST)
    return f"amqp://{way_in.user}:{way_in.password}@{way_in.host}:{way_in.port}/{way_in.virtual_host}"


def _home(site: Site) -> dict[str, Any]:
    return {
        "api": site.home_api,
        "token": site.token,
        "approver_token": site.approver_token,
        "registries": list(site.registries),
        "pid": _pid(site, "home"),
        "config": str(site.home_config),
        "callback": {"received": str(site.received), "secret": site.callback_secret},
    }


def _hall(site: Site, hall: HallSite) -> dict[str, Any]:
    return {
        "hall": hall.hall,
        "api": hall.api,
        "token": hall.token,
        "approver_token": hall.approver_token,
        "pid": _pid(site, f"agent:{hall.hall}"),
        "cups_pid": _pid(site, f"cups:{hall.hall}"),
        "cups_socket": str(parts.cups_of(hall).socket),
        "config": str(hall.config),
        "printers": [_printer(printer) for printer in hall.printers],
    }


def _printer(printer: PrinterSite) -> dict[str, str]:
    return {
        "name": printer.name,
        "stock": printer.stock.value,
        "sheets": str(printer.sheets),
        "real_uri": printer.real_uri,
    }


def restart_argv(site: Site, part: str) -> list[str]:
    """Return the command that runs this part again, as soon as its predecessor has gone; it needs no environment."""
    return [sys.executable, "-P", "-m", "spooler.sandbox.part", str(site.directory), part]


def _pid(site: Site, part: str) -> int | None:
    return locks.holder(site.lock(part))


@contextmanager
def _alone(site: Site) -> Iterator[None]:
    """Two parts that restart at once do not overwrite each other's pid."""
    with open(site.lock("plan"), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _replace(path: Path, plan: dict[str, Any]) -> None:
    beside = path.with_suffix(".new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(plan, file, indent=1, ensure_ascii=False)
    beside.replace(path)
