"""`certspool audit`: is the home's audit log as it was written, and what is kept here of the halls' logs. Needs no daemon, no key."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from spooler.cli.client import Exit, JsonOption, fail

if TYPE_CHECKING:
    from spooler.store.audit import Audit
    from spooler.wire.chain import Anchor

ConfigOption = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="home.toml")]
DatabaseOption = Annotated[str | None, typer.Option(help="数据库地址 · The store's URL, in the place of --config.")]

app = typer.Typer(
    no_args_is_help=True, help="审计日志 · The log that hangs together, from request to serial (docs/audit.md)."
)


@app.command()
def verify(
    config: ConfigOption = None,
    database: DatabaseOption = None,
    anchors: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="What a hall keeps: `certspool-agent audit anchors --json`."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """核验审计日志 · Verify the home's log: 0 whole, 1 broken, naming the first entry edited, removed, swapped or cut off.

    Example: certspool audit verify --config /etc/certspool/home.toml --anchors from-hall-231282-01.json
    """
    from spooler.wire.chain import anchors_of

    try:
        more = [anchor for path in anchors or () for anchor in anchors_of(path.read_bytes())]
    except ValueError as e:
        fail(f"--anchors: {e}", Exit.WRONG_USAGE)
    with _opened(config, database) as audit:
        verdict = audit.verify(more)
    if config is not None and verdict.fault is None:
        _note(config, verdict.entries)
    typer.echo(json.dumps(verdict.as_json(), ensure_ascii=False) if as_json else verdict.line())
    raise typer.Exit(Exit.DONE if verdict.fault is None else Exit.FAILED)


def _note(config: Path, entries: int) -> None:
    """For the metrics of the daemon (`certspool_audit_verified_timestamp_seconds`)."""
    from datetime import UTC, datetime

    from spooler.daemon.settings import load_settings
    from spooler.daemon.verified import note_verified
    from spooler.settings import HomeSettings

    if not note_verified(load_settings(HomeSettings, config).home.data_directory, datetime.now(UTC), entries):
        typer.echo("未能记下核验时间 · when it was verified could not be noted beside the data", err=True)


@app.command()
def anchors(
    hall: Annotated[str, typer.Option(help="大厅 · Whose log.")],
    config: ConfigOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """列出锚点 · What this home keeps of a hall's log, for `certspool-agent audit verify --anchors` there.

    Example: certspool audit anchors --hall 231282-01 --config /etc/certspool/home.toml --json
    """
    with _opened(config, database) as audit:
        kept: list[Anchor] = list(audit.anchors("hall", hall))
    if as_json:
        typer.echo(json.dumps({"anchors": [asdict(anchor) for anchor in kept]}))
        return
    for anchor in kept:
        typer.echo(f"{anchor.at}  {anchor.log}  {anchor.sequence:>9}  {anchor.sha256}")


@contextmanager
def _opened(config: Path | None, database: str | None) -> "Iterator[Audit]":
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    from spooler.store.audit import Audit
    from spooler.store.database import Database
    from spooler.store.transactions import Transactions

    try:
        opened = Database(_url(config, database))
    except (ArgumentError, ImportError) as e:
        fail(f"数据库不可用 · not a database: {e}", Exit.WRONG_USAGE)
    try:
        yield Audit(Transactions(opened, _no_clock))
    except SQLAlchemyError as e:
        fail(f"数据库读不出 · the store cannot be read: {getattr(e, 'orig', e)}", Exit.NOT_REACHABLE)
    finally:
        opened.close()


def _url(config: Path | None, database: str | None) -> str:
    from spooler.daemon.settings import SettingsError, load_settings
    from spooler.settings import HomeSettings

    if (config is None) == (database is None):
        fail("give --config or --database", Exit.WRONG_USAGE)
    if config is None:
        return str(database)
    try:
        return load_settings(HomeSettings, config).home.database
    except SettingsError as e:
        fail(str(e), Exit.WRONG_USAGE)


def _no_clock() -> NoReturn:
    raise AssertionError("nothing is written here")
