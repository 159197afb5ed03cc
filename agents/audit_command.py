"""`certspool-agent audit`: whether the hall's audit log is as it was written, and what is kept here of home's. Needs no agent, no key."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agents.terminal import JsonOption, fail

if TYPE_CHECKING:
    from agents.ledger.audit import AuditReader

ConfigOption = Annotated[Path, typer.Option(exists=True, dir_okay=False, help="配置文件 · The hall's settings (TOML).")]

audit = typer.Typer(
    no_args_is_help=True, help="审计日志 · The log that hangs together, from order to serial (docs/audit.md)."
)


@audit.command()
def verify(
    config: ConfigOption,
    anchors: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="What home keeps: `certspool audit anchors --hall … --json`."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """核验审计日志 · Verify the hall's log: 0 whole, 1 broken, naming the first entry edited, removed, swapped or cut off.

    Example: certspool-agent audit verify --config /etc/certspool/231282-01.toml
    """
    from spooler.wire.chain import anchors_of

    try:
        more = [anchor for path in anchors or () for anchor in anchors_of(path.read_bytes())]
    except ValueError as e:
        fail(f"--anchors: {e}", 2)
    with _opened(config) as (log, _hall):
        verdict = log.verify(more)
    if verdict.fault is None:
        _note(config, verdict.entries)
    typer.echo(json.dumps(verdict.as_json(), ensure_ascii=False) if as_json else verdict.line())
    raise typer.Exit(0 if verdict.fault is None else 1)


def _note(config: Path, entries: int) -> None:
    """For the metrics of the agent (`certspool_audit_verified_timestamp_seconds`)."""
    from datetime import UTC, datetime

    from agents.settings import HallSettings
    from spooler.daemon.settings import load_settings
    from spooler.daemon.verified import note_verified

    if not note_verified(load_settings(HallSettings, config).hall.data_directory, datetime.now(UTC), entries):
        typer.echo("未能记下核验时间 · when it was verified could not be noted beside the data", err=True)


@audit.command()
def anchors(config: ConfigOption, as_json: JsonOption = False) -> None:
    """列出锚点 · What this hall keeps of home's log, for `certspool audit verify --anchors` there.

    Example: certspool-agent audit anchors --config /etc/certspool/231282-01.toml --json
    """
    with _opened(config) as (log, hall):
        kept = [{**asdict(anchor), "keeper": f"hall {hall}"} for anchor in log.anchors("home")]
    if as_json:
        typer.echo(json.dumps({"anchors": kept}))
        return
    for anchor in kept:
        typer.echo(f"{anchor['at']}  {anchor['log']}  {anchor['sequence']:>9}  {anchor['sha256']}")


@contextmanager
def _opened(config: Path) -> "Iterator[tuple[AuditReader, str]]":
    from agents.ledger.audit import AuditReader, View
    from agents.settings import HallSettings
    from spooler.daemon.settings import SettingsError, load_settings

    try:
        hall = load_settings(HallSettings, config).hall
        view = View(hall.data_directory / "ledger.sqlite")
    except SettingsError as e:
        fail(str(e), 2)
    except sqlite3.Error as e:
        fail(f"账本打不开 · the ledger cannot be opened: {e}", 4)
    try:
        yield AuditReader(view), hall.id
    except sqlite3.Error as e:
        fail(f"账本读不出 · the ledger cannot be read: {e}", 4)
    finally:
        view.close()
