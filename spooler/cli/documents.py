"""`certspool documents`: which are due to be destroyed, and which a legal hold (诉讼保全) keeps. Works on the home's own store."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spooler.cli.client import Exit, JsonOption, fail

if TYPE_CHECKING:
    from spooler.settings import HomeSettings
    from spooler.store import Store
    from spooler.store.kept import Due, LegalHold
    from spooler.wire.messages import Actor

ConfigOption = Annotated[Path, typer.Option(help="home.toml, on the home's machine.")]
JobArgument = Annotated[str, typer.Argument(help="作业号 · The job's id.")]

app = typer.Typer(no_args_is_help=True, help="文书保存 · Until when documents are kept; legal holds (docs/privacy.md).")


@app.command()
def due(
    config: ConfigOption,
    within_days: Annotated[int, typer.Option(min=0, help="Also what will be due so many days from now.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=10000, help="At most so many.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """列出到期文书 · List ended jobs whose documents are due to be destroyed, the oldest first. What is held is not among them.

    Example: certspool documents due --config /etc/certspool/home.toml --within-days 30
    """
    with _store(config) as (store, settings):
        found = _due(store, settings, within_days, limit)
        not_before = store.kept.not_before()
    if as_json:
        begins = None if not_before is None else not_before.isoformat()
        typer.echo(json.dumps({"due": found, "not_before": begins}, ensure_ascii=False))
        return
    if not_before is not None:
        typer.echo(f"此前不销毁 · nothing is destroyed before {not_before:%Y-%m-%d}")
    for one in found:
        typer.echo("  ".join(str(value) for value in one.values()))


@app.command()
def hold(
    job: JobArgument,
    config: ConfigOption,
    reason: Annotated[str, typer.Option(help="文号或原因 · File number or why; it stays in the store. No names.")],
    as_json: JsonOption = False,
) -> None:
    """诉讼保全 · Keep all documents of a job until it is released, however old it grows.

    Example: certspool documents hold 6f0c1b1e-8f0e-4c3c-9a53-0d6f0c1b1e8f --config /etc/certspool/home.toml --reason "(2026)黑12民初34号"
    """
    if not 1 <= len(reason) <= 200:
        fail("--reason: 1 至 200 个字符 · 1 to 200 characters", Exit.WRONG_USAGE)
    with _store(config) as (store, _), _known(job):
        held = store.kept.hold(job, reason, _actor())
    if held is None:
        fail(f"{job}: 文书已销毁 · its documents are destroyed already")
    typer.echo(json.dumps(_hold(held), ensure_ascii=False) if as_json else f"{job}: 已保全 · held")


@app.command()
def release(job: JobArgument, config: ConfigOption, as_json: JsonOption = False) -> None:
    """解除保全 · Let time go on for a job. If its documents are past their time they are destroyed at the next look.

    Example: certspool documents release 6f0c1b1e-8f0e-4c3c-9a53-0d6f0c1b1e8f --config /etc/certspool/home.toml
    """
    with _store(config) as (store, _), _known(job):
        was_held = store.kept.release(job, _actor())
    if not was_held:
        fail(f"{job}: 未被保全 · not held")
    typer.echo(json.dumps({"job_id": job, "released": True}) if as_json else f"{job}: 已解除 · released")


@app.command()
def holds(config: ConfigOption, as_json: JsonOption = False) -> None:
    """列出保全 · List the legal holds, the oldest first.

    Example: certspool documents holds --config /etc/certspool/home.toml
    """
    with _store(config) as (store, _):
        found = [_hold(one) for one in store.kept.holds()]
    if as_json:
        typer.echo(json.dumps({"holds": found}, ensure_ascii=False))
        return
    for one in found:
        typer.echo("  ".join(str(value) for value in one.values()))


def _due(store: "Store", settings: "HomeSettings", within_days: int, limit: int) -> list[dict[str, str]]:
    from spooler.ground import now

    until = now() + timedelta(days=within_days)
    found = list[dict[str, str]]()
    for what, days, ask in (
        ("documents", settings.home.keep_documents_days, store.kept.due),
        ("electronic", settings.electronic.keep_ended_days, store.kept.electronic_due),
    ):
        if days != "forever":
            keep = timedelta(days=days)
            found += [_view(what, one, keep) for one in ask(until - keep, limit)]
    return found[:limit]


def _view(what: str, one: "Due", keep: timedelta) -> dict[str, str]:
    return {
        "what": what,
        "job_id": one.job_id,
        "registry": one.registry,
        "state": one.state,
        "ended_at": one.since.isoformat(),
        "due_at": (one.since + keep).isoformat(),
    }


def _hold(held: "LegalHold") -> dict[str, Any]:
    return {"job_id": held.job_id, "since": held.since.isoformat(), "by": held.actor_id, "reason": held.reason}


def _actor() -> "Actor":
    """Who works on this machine: there is no token here."""
    from spooler.wire.messages import Actor

    return Actor(id=getuser(), role="operate")


@contextmanager
def _known(job: str) -> Iterator[None]:
    from spooler.store import NoSuchJob

    try:
        yield
    except NoSuchJob:
        fail(f"{job}: 没有该作业 · no such job")


@contextmanager
def _store(config: Path) -> "Iterator[tuple[Store, HomeSettings]]":
    """Open the store that a home.toml names, beside the home that works on it."""
    from spooler.daemon.settings import SettingsError, load_settings
    from spooler.ground import now, open_store
    from spooler.settings import HomeSettings

    try:
        settings = load_settings(HomeSettings, config)
        store = open_store(settings, now)
    except SettingsError as e:
        fail(str(e), Exit.WRONG_USAGE)
    try:
        yield store, settings
    finally:
        store.close()
