"""`certspool callbacks`: what the registration systems have not taken yet, and trying it again. Works on the home's own store."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spooler.cli.client import Exit, JsonOption, fail

if TYPE_CHECKING:
    from spooler.store import Store
    from spooler.store.callbacks import CallbackDelivery

ConfigOption = Annotated[Path, typer.Option(exists=True, dir_okay=False, help="home.toml, on the home's machine.")]

app = typer.Typer(no_args_is_help=True, help="回调 · Callbacks that wait or are parked.")


@app.command("list")
def list_(
    config: ConfigOption,
    endpoint: Annotated[str | None, typer.Option(help="Only of this endpoint.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10000, help="At most so many.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """列出回调 · List callbacks that are parked, then those that wait. A parked one holds back its job's later ones.

    Example: certspool callbacks list --config /etc/certspool/home.toml
    """
    with _store(config) as store:
        found = [*store.callbacks.parked(endpoint, limit), *store.callbacks.pending(endpoint, limit)][:limit]
    if as_json:
        typer.echo(json.dumps({"callbacks": [_view(delivery) for delivery in found]}, ensure_ascii=False))
        return
    for delivery in found:
        shown = _view(delivery)
        typer.echo("  ".join(str(shown[name] or "-") for name in shown))


@app.command()
def replay(
    config: ConfigOption,
    endpoint: Annotated[str, typer.Option(help="端点名 · The endpoint's name in home.toml.")],
    job: Annotated[str | None, typer.Option(help="Only of this job.")] = None,
    as_json: JsonOption = False,
) -> None:
    """重发回调 · Try parked callbacks again from now on, in order within each job.

    Example: certspool callbacks replay --config /etc/certspool/home.toml --endpoint records-office
    """
    with _store(config, must_know=endpoint) as store:
        count = store.callbacks.replay(endpoint, job)
    typer.echo(json.dumps({"replayed": count}) if as_json else f"{endpoint}: {count} 条将重发 · will be tried again")


@contextmanager
def _store(config: Path, must_know: str | None = None) -> "Iterator[Store]":
    """Open the store that a home.toml names."""
    from spooler.daemon.settings import SettingsError, load_settings
    from spooler.ground import now, open_store
    from spooler.settings import HomeSettings

    try:
        settings = load_settings(HomeSettings, config)
    except SettingsError as e:
        fail(str(e), Exit.WRONG_USAGE)
    if must_know is not None and must_know not in {one.name for one in settings.callbacks}:
        fail(f"{must_know}: {config} 中没有该端点 · no such endpoint", Exit.WRONG_USAGE)
    store = open_store(settings, now)
    try:
        yield store
    finally:
        store.close()


def _view(delivery: "CallbackDelivery") -> dict[str, Any]:
    return {
        "state": delivery.state,
        "endpoint": delivery.endpoint,
        "job_id": delivery.event.data.get("job_id"),
        "type": delivery.event.type,
        "at": delivery.event.at.isoformat(),
        "tries": delivery.tries,
        "next_try_at": delivery.next_try_at.isoformat(),
        "last_error": delivery.last_error,
    }
