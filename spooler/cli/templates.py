"""`certspool templates`: which there are, whether they are sound, and how the next version begins. Needs no daemon, no key."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spooler.cli.client import Exit, JsonOption, fail

if TYPE_CHECKING:
    from spooler.render.library import Entry
    from spooler.render.trial import Trial

OwnOption = Annotated[
    Path | None,
    typer.Option(
        "--own",
        file_okay=False,
        help="自有模板目录 · Your own templates, as home.templates_directory names them; a kind found there replaces ours.",
    ),
]

app = typer.Typer(no_args_is_help=True, help="模板 · What is printed where: list, check, begin the next version.")


@app.command("list")
def list_(own: OwnOption = None, as_json: JsonOption = False) -> None:
    """列出模板 · List what a home would print and draw, the newest version of each kind marked: documents, the sheets that go with
    them (collateral-list, check-sheet), and the faces of electronic certificates.

    Example: certspool templates list --own /etc/certspool/templates
    """
    from spooler.render.library import newest

    entries = _load(own, as_json=as_json)
    rows = [{**_view(entry), "newest": newest(entries, entry.kind) is entry} for entry in entries.values()]
    if as_json:
        typer.echo(json.dumps({"templates": rows}, ensure_ascii=False))
        return
    for row in rows:
        sides = " ".join(f"{side['name']} {side['width_mm']:g}×{side['height_mm']:g}" for side in row["passes"])
        mark = "*" if row["newest"] else " "
        typer.echo(
            f"{mark} {row['name']}  {row['title']}  {row['stock']}  {sides} mm  {row['sha256'][:12]}  {row['directory']}"
        )


@app.command()
def check(
    names: Annotated[
        list[str] | None, typer.Argument(help="如 certificate/2 · Such as certificate/2; else all.")
    ] = None,
    own: OwnOption = None,
    as_json: JsonOption = False,
) -> None:
    """检查模板 · Check templates as a home does when it starts, then print their samples; exit 1 if anything is wrong.

    Example: certspool templates check certificate/2 --own /etc/certspool/templates
    """
    entries = _load(own, as_json=as_json)
    unknown = sorted(set(names or ()) - entries.keys())
    if unknown:
        fail(f"没有模板 · no such template: {', '.join(unknown)}; {', '.join(entries)}", Exit.WRONG_USAGE)
    trials = _trials([entries[name] for name in names or entries], entries, own)
    faults = [fault for trial in trials.values() for fault in trial.faults]
    notes = [note for trial in trials.values() for note in trial.notes]
    _tell(list(trials), faults, notes, as_json)


def _trials(chosen: "list[Entry]", entries: "dict[str, Entry]", own: Path | None) -> "dict[str, Trial]":
    """Print every sample, on paper or for the screen."""
    from spooler.render import Renderer, find_templates
    from spooler.render.electronic import ElectronicRenderer
    from spooler.render.face import Face
    from spooler.render.library import newest
    from spooler.render.running import Sheets
    from spooler.render.running.model import SheetTemplate
    from spooler.render.template import Template
    from spooler.render.trial import try_face, try_sheet, try_template

    shipped, trials = find_templates(), {}
    renderer, sheets = Renderer(shipped, own=own), Sheets(shipped, own=own)
    for entry in chosen:
        loaded = entry.loaded
        if isinstance(loaded, Template):
            trials[entry.name] = try_template(loaded, renderer)
        elif isinstance(loaded, SheetTemplate):
            trials[entry.name] = try_sheet(loaded, sheets)
        elif isinstance(loaded, Face) and newest(entries, entry.kind) is entry:
            printed = newest(entries, loaded.kind).loaded
            if isinstance(printed, Template):
                trials[entry.name] = try_face(loaded, printed, ElectronicRenderer(shipped, own=own))
    return trials


@app.command()
def new(
    kind: Annotated[str, typer.Argument(help="如 certificate · Such as certificate.")],
    own: OwnOption = None,
    from_version: Annotated[
        int | None, typer.Option("--from", min=1, help="从哪一版 · Copy this one; else the newest.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """新建版本 · Copy a version to the next number, to be changed there: a released one never changes.

    With --own it is begun there, from your newest version or ours. Then change template.toml, `draw` its blank, and `check` it.

    Example: certspool templates new certificate --own /etc/certspool/templates
    """
    from spooler.render import BadTemplate, find_templates
    from spooler.render.library import load_version
    from spooler.render.template.versions import NoSuchTemplate, begin_next

    shipped = find_templates()
    try:
        sources = [own, shipped] if own else [shipped]
        entry = begin_next(kind, sources, own or shipped, from_version, load=load_version)
    except NoSuchTemplate as e:
        fail(f"没有模板 · no such template: {e}", Exit.WRONG_USAGE)
    except BadTemplate as e:
        fail(str(e), Exit.FAILED)
    except OSError as e:
        fail(f"{e.filename}: {e.strerror}", Exit.FAILED)
    view = _view(entry)
    typer.echo(json.dumps(view, ensure_ascii=False) if as_json else f"{view['name']}  {view['directory']}")


@app.command()
def draw(
    names: Annotated[list[str], typer.Argument(help="如 certificate/2 · Such as certificate/2.")],
    own: OwnOption = None,
    as_json: JsonOption = False,
) -> None:
    """绘制空白页 · Draw blank.pdf of these templates anew, as previews show it; nothing of it is ever printed.

    Example: certspool templates draw certificate/2 --own /etc/certspool/templates
    """
    from spooler.render.blank import draw_blank
    from spooler.render.fonts import shared_faces
    from spooler.render.template import Template
    from spooler.render.template.files import BLANK

    entries = _load(own, as_json=as_json)
    unknown = sorted(set(names) - entries.keys())
    if unknown:
        fail(f"没有模板 · no such template: {', '.join(unknown)}; {', '.join(entries)}", Exit.WRONG_USAGE)
    templates = {name: entries[name].loaded for name in names}
    drawn = []
    for name, template in templates.items():
        if not isinstance(template, Template) or template.blank is None:
            fail(f"没有预印的空白页 · there is no printed blank to draw: {name}", Exit.WRONG_USAGE)
        path = template.directory / BLANK
        try:
            path.write_bytes(draw_blank(template, shared_faces(template.type.fonts)))
        except OSError as e:
            fail(f"{path}: {e.strerror}", Exit.FAILED)
        drawn.append(str(path))
    typer.echo(json.dumps({"drawn": drawn}, ensure_ascii=False) if as_json else "\n".join(drawn))


def _load(own: Path | None, *, as_json: bool = False) -> "dict[str, Entry]":
    from spooler.render import BadTemplate, find_templates
    from spooler.render.library import load_library

    try:
        return load_library(find_templates(), own)
    except BadTemplate as e:
        _tell([], str(e).split("\n"), [], as_json)
        raise


def _tell(checked: list[str], faults: list[str], notes: list[str], as_json: bool) -> None:
    """Print what was found, and end with 1 when anything is wrong."""
    if as_json:
        found = {"ok": not faults, "checked": checked, "faults": faults, "notes": notes}
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        for line in (*faults, *notes):
            typer.echo(line, err=True)
        typer.echo(f"{'有错 · faults' if faults else '无误 · sound'}: {', '.join(checked) or '-'}")
    raise typer.Exit(Exit.FAILED if faults else Exit.DONE)


def _view(entry: "Entry") -> dict[str, Any]:
    from spooler.render.template.versions import fingerprint

    return {
        "name": entry.name,
        "kind": entry.kind,
        "version": entry.version,
        "title": entry.title,
        "stock": entry.stock,
        "passes": [{"name": side.name, "width_mm": side.width, "height_mm": side.height} for side in entry.sides],
        "fonts": list(entry.fonts),
        "sha256": fingerprint(entry.directory),
        "directory": str(entry.directory),
    }
