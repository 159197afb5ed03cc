"""When `audit verify` last found the log whole: noted beside the data by the command, read for the metrics by the daemon."""

import json
import os
from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge

NAME = "audit-verified.json"


def note_verified(data_directory: Path, at: datetime, entries: int) -> bool:
    """Note it, by rename, readable by the daemon; False where whoever verifies may not write there."""
    aside = data_directory / f"{NAME}.new"
    try:
        aside.write_text(json.dumps({"at": at.isoformat(), "entries": entries}) + "\n")
        aside.chmod(0o644)
        os.replace(aside, data_directory / NAME)
    except OSError:
        return False
    return True


def last_verified(data_directory: Path) -> datetime | None:
    """Return when that was; None when it never was, or what stands there is no such note."""
    try:
        return datetime.fromisoformat(json.loads((data_directory / NAME).read_bytes())["at"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def watch_verified(registry: CollectorRegistry, data_directory: Path) -> None:
    """Let whoever scrapes be told; 0 means never, so that an alarm on its age goes off too."""

    def seconds() -> float:
        at = last_verified(data_directory)
        return 0.0 if at is None else at.timestamp()

    gauge = Gauge(
        "certspool_audit_verified_timestamp_seconds", "When audit verify last found the log whole.", registry=registry
    )
    gauge.set_function(seconds)
