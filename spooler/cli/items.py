"""`certspool items`: which registration item yields which document. Needs no daemon and no key; `--home` asks one."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from spooler.cli.client import DEFAULT_API, Api, ApiOption, Exit, JsonOption, TokenFileOption, fail


def items(
    kind: Annotated[
        str | None,
        typer.Option("--kind", help="如 proof，none 为不发证 · Only what yields this kind; none: no document."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file", dir_okay=False, help="自有目录 · Your own catalogue, as home.items_file names it: checked."
        ),
    ] = None,
    copy: Annotated[
        Path | None,
        typer.Option("--copy", dir_okay=False, help="抄一份自改 · Write ours to this new file, to be changed there."),
    ] = None,
    home: Annotated[bool, typer.Option("--home", help="问属地服务 · What the home at --api uses.")] = False,
    api: ApiOption = DEFAULT_API,
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """登记事项 · Registration items: which one yields which document; the code is what a request may name as its `item`.

    Without --file or --home: the catalogue that ships. A file with faults is told with line and key, and ends with 1.

    Example: certspool items --kind proof
    """
    if copy is not None:
        _copy(copy)
        return
    rows = Api(api, token_file, as_json=as_json).get("/v1/items")["items"] if home else _read(file)
    found = [row for row in rows if kind is None or row["yields"] == kind]
    if kind is not None and not found:
        known = ", ".join(sorted({row["yields"] for row in rows}))
        fail(f"没有这一种 · nothing yields {kind}; there are {known}", Exit.WRONG_USAGE)
    typer.echo(json.dumps({"items": found}, ensure_ascii=False) if as_json else _table(found))


def _copy(to: Path) -> None:
    """A file that is there already may be somebody's work: it is left alone."""
    from spooler.items import find_items

    try:
        with to.open("xb") as file:
            file.write(find_items().read_bytes())
    except OSError as e:
        fail(f"{to}: {e.strerror}", Exit.FAILED)
    typer.echo(str(to))


def _read(file: Path | None) -> list[dict[str, Any]]:
    from spooler.items import BadItems, find_items, load_items

    try:
        loaded = load_items(file or find_items())
    except BadItems as e:
        fail(str(e), Exit.FAILED)
    return [{"code": code, **item.model_dump()} for code, item in loaded.items()]


def _table(rows: list[dict[str, Any]]) -> str:
    code, yields = (max((len(row[name]) for row in rows), default=0) for name in ("code", "yields"))
    return "\n".join(
        f"{row['code']:{code}}  {row['yields']:{yields}}  {row['name']} · {row['english']}  [{row['source']}]"
        for row in rows
    )
