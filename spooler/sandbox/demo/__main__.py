"""Runs the demo: `python -m spooler.sandbox.demo [--lang zh|en] [--dir DIR]`. Its last line is the contact sheet's path."""

import argparse
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.live import Live

from spooler.sandbox.demo import contact_sheet, paper, script, summary
from spooler.sandbox.demo.board import Board
from spooler.sandbox.demo.stage import NotAsExpected, Run, Stage
from spooler.sandbox.demo.words import LANGUAGES
from spooler.sandbox.down import down
from spooler.sandbox.site import Site
from spooler.sandbox.up import NotUp, up

INTERRUPTED = 130
ENDINGS = (signal.SIGTERM, signal.SIGHUP)


def main(arguments: Sequence[str]) -> int:
    """Set the stage, play, show what came out, and leave nothing running."""
    options = _options(arguments)
    words = LANGUAGES[options.lang]
    console = Console(highlight=False, soft_wrap=True)
    for number in ENDINGS:
        signal.signal(number, _interrupt)
    directory: Path = options.dir.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    try:
        page = _perform(directory, console, words)
    except KeyboardInterrupt:
        if not any(directory.iterdir()):
            directory.rmdir()
        return INTERRUPTED
    except (NotUp, NotAsExpected) as e:
        Console(stderr=True, highlight=False).print(f"[red]{e}[/]")
        return 1
    print(page, flush=True)
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="demo", description="The main job, start to end, on virtual printers.")
    parser.add_argument("--lang", choices=LANGUAGES, default="zh", help="zh (default) or en")
    default = Path(f"demo-{datetime.now():%Y%m%d-%H%M%S}")
    parser.add_argument("--dir", type=Path, default=default, help="where the contact sheet is kept")
    return parser.parse_args(arguments)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _perform(directory: Path, console: Console, words: Mapping[str, str]) -> Path:
    """Return the contact sheet. It is kept, the sandbox is not, unless there is something to find out in it."""
    console.print(f"[bold]{words['title']}[/]\n[dim]{words['intro']}[/]\n")
    site = script.site(directory / "sandbox")
    is_of_use = False
    try:
        _bring_up(site, console, words)
        run = _play(site, console, words)
        return _develop(site, run, directory, console, words)
    except Exception:
        is_of_use = True
        raise
    finally:
        _end(site, console, words)
        if not is_of_use:
            _remove(site)


def _end(site: Site, console: Console, words: Mapping[str, str]) -> None:
    """Leave nothing running; a second Ctrl-C waits until the first is done with."""
    console.print(f"[dim]{words['ending']} …[/]")
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, *ENDINGS})
    down(site)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, *ENDINGS})


def _bring_up(site: Site, console: Console, words: Mapping[str, str]) -> None:
    if not console.is_terminal:
        up(site, tell=lambda line: console.print(f"{words['laying']}: {line}"))
        return
    # No refreshing thread: parts are forked meanwhile.
    with Live(console=console, auto_refresh=False, transient=True) as live:
        up(site, tell=lambda line: live.update(f"{words['laying']} [dim]{line}[/]", refresh=True))


def _play(site: Site, console: Console, words: Mapping[str, str]) -> Run:
    stage = Stage(site)
    run = Run(script.errands())
    for errand, field in script.wrong_errands():
        stage.post_wrong(run, errand, field)
        console.print(f"[red]✗[/] {errand.number}  [dim]{words['refused_sample']}: {run.refusals[-1][1]}[/]")
    Board(console, words).follow(run, stage.play(run))
    if run.issued < len(run.errands):
        raise NotAsExpected(f"{words['unfinished']}: {run.issued}/{len(run.errands)}")
    return run


def _develop(site: Site, run: Run, directory: Path, console: Console, words: Mapping[str, str]) -> Path:
    stage = Stage(site)
    sides = paper.sides(site)
    histories = [stage.history(job) for job in run.jobs.values()]
    told = sum(1 for _ in site.received.open(encoding="utf-8"))
    figures = summary.summarise(run, sides, told, histories)
    summary.show(console, figures, sides, words)
    count, page_of_first = stage.electronic(run)
    console.print(f"  {words['electronic']}  [bold]{count}[/]  [dim]{page_of_first} {words['genuine']}[/]")
    page = directory / "contact-sheet.html"
    console.print(f"[dim]{words['developing']} …[/]")
    contact_sheet.write(
        page,
        [_card(run, errand, sides, words) for errand in run.errands],
        title=words["contact"],
        lead=words["intro"],
        tiles=figures.tiles(words),
        words=words,
    )
    return page


def _card(run: Run, errand: script.Errand, sides: Sequence[paper.Side], words: Mapping[str, str]) -> contact_sheet.Card:
    job = run.jobs[errand.request_id]
    orders = {order["order_id"] for order in job["orders"]}
    own = sorted((side for side in sides if side.order_id in orders), key=lambda side: side.number)
    serial = f"{words['serial']} {job['serial']}" if job["serial"] else words["plain"]
    lines = (words[errand.kind], errand.route, serial, errand.name)
    return contact_sheet.Card(errand.number, lines, errand.kind, tuple(own))


def _remove(site: Site) -> None:
    for place in {site.directory, site.ground}:
        shutil.rmtree(place)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
