"""`certspool sandbox …`: a whole private installation on one machine, from the command line."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from spooler.sandbox.site import (
    DEFAULT_BLANKS,
    DEFAULT_HALLS,
    DEFAULT_REGISTRIES,
    NoSuchPlace,
    Site,
    choose,
    is_kept,
    load,
)

FAILED, WRONG_USAGE = 1, 2

app = typer.Typer(no_args_is_help=True, help="A whole private installation on one machine, with virtual printers.")


class Clerk(StrEnum):
    AUTO = "auto"
    NONE = "none"


Directory = Annotated[Path, typer.Option("--dir", help="Where all of it lies.", file_okay=False)]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


@app.command("up")
def up_command(
    directory: Directory,
    registries: Annotated[str, typer.Option(help="County codes, with commas.")] = ",".join(DEFAULT_REGISTRIES),
    halls: Annotated[str, typer.Option(help="<county>-NN, with commas.")] = ",".join(DEFAULT_HALLS),
    clerk: Annotated[Clerk, typer.Option(help="auto: a simulated clerk prints and hands over.")] = Clerk.AUTO,
    blanks: Annotated[int, typer.Option(min=1, help="Numbered blanks in each tray.")] = DEFAULT_BLANKS,
    as_json: Json = False,
) -> None:
    """Start it, wait until all is ready, and leave it running. The same --dir again starts a stopped one as it was.

    Example: certspool sandbox up --dir /var/tmp/county --registries 231221,231202 --halls 231282-01
    """
    from spooler.sandbox import up

    site = _site(directory.resolve(), registries.split(","), halls.split(","), clerk, blanks)
    if running := up.running(site):
        raise _stop(f"it is up already: {', '.join(running)}")
    try:
        up.up(site, tell=lambda line: typer.echo(line, err=True))
    except up.NotUp as e:
        raise _stop(str(e)) from e
    if as_json:
        typer.echo(site.plan.read_text())
    else:
        typer.echo(f"# ready: {len(site.halls)} halls; all addresses and tokens are in {site.plan}")
        typer.echo(f"export CERTSPOOL_API={site.home_api} CERTSPOOL_TOKEN={site.token}")


def _site(directory: Path, registries: list[str], halls: list[str], clerk: Clerk, blanks: int) -> Site:
    from spooler.sandbox.foundation import ground_for

    if is_kept(directory):
        return _as_it_was(load(directory), registries, halls)
    try:
        return choose(
            directory, ground_for(directory), registries=registries, halls=halls, clerk=clerk.value, blanks=blanks
        )
    except NoSuchPlace as e:
        raise _stop(str(e), WRONG_USAGE) from e


def _as_it_was(site: Site, registries: list[str], halls: list[str]) -> Site:
    """Return a site that is kept, unless it never came up or something else is asked for by name."""
    if not site.plan.exists():
        raise _stop(f"{site.directory} holds a sandbox that never came up: remove it or take another directory")
    kept = [(registries, site.registries, DEFAULT_REGISTRIES), (halls, [h.hall for h in site.halls], DEFAULT_HALLS)]
    for asked, there, default in kept:
        if asked != list(there) and asked != list(default):
            raise _stop(f"{site.directory} holds a sandbox with {', '.join(there)}", WRONG_USAGE)
    return site


@app.command("status")
def status_command(directory: Directory, as_json: Json = False) -> None:
    """Say which parts run, each by its lock. Exit 1 when one that belongs to it does not.

    Example: certspool sandbox status --dir /var/tmp/county
    """
    from spooler.sandbox import parts, up

    site = _known(directory)
    running = up.running(site)
    pids = {part: running.get(part) for part in parts.names(site)}
    if as_json:
        typer.echo(json.dumps(pids))
    else:
        for part, pid in pids.items():
            typer.echo(f"{part:<18} {'down' if pid is None else pid}")
    if None in pids.values():
        raise typer.Exit(FAILED)


@app.command("fault")
def fault_command(
    directory: Directory,
    printer: Annotated[str, typer.Argument(help="HALL/PRINTER, as 231282-01/booklet-1.")],
    fault: Annotated[
        str,
        typer.Argument(
            help="jam, out-of-stock, offline, stall, cut:BYTES, drain, answer-lost, double-feed, wrong-blank, "
            "misplace:RIGHT,DOWN,WIDER,TALLER,TURN (mm, mm, %, %, degrees clockwise), or clear."
        ),
    ],
) -> None:
    """Make a printer misbehave until it is cleared.

    Example: certspool sandbox fault --dir /var/tmp/county 231282-01/booklet-1 cut:20000
    Example: certspool sandbox fault --dir /var/tmp/county 231282-01/booklet-1 misplace:4.5,-3,1.2,-0.8,0.7
    """
    from spooler.sandbox.virtual_printer import Printer

    site = _known(directory)
    hall, _, name = printer.partition("/")
    places = {(h.hall, p.name): p.directory for h in site.halls for p in h.printers}
    if (hall, name) not in places:
        raise _stop(f"no printer {printer}; there are {', '.join('/'.join(key) for key in places)}", WRONG_USAGE)
    try:
        Printer(places[hall, name]).set_fault(fault)
    except ValueError as e:
        raise _stop(str(e), WRONG_USAGE) from e


@app.command("down")
def down_command(directory: Directory) -> None:
    """End all of it, and nothing else. Sheets, logs and data stay where they are.

    Example: certspool sandbox down --dir /var/tmp/county
    """
    from spooler.sandbox.down import down

    down(_known(directory))


def _known(directory: Path) -> Site:
    try:
        return load(directory.resolve())
    except FileNotFoundError:
        raise _stop(f"there is no sandbox in {directory}", WRONG_USAGE) from None


def _stop(message: str, code: int = FAILED) -> typer.Exit:
    print(f"certspool sandbox: {message}", file=sys.stderr)
    return typer.Exit(code)
