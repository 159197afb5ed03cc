"""`certspool render`: see what would be printed, on this machine, unsigned. Needs no broker, no key, no daemon."""

import json
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spooler.cli.client import Exit, JsonOption, fail, refused_as_problem
from spooler.cli.files import read_request_file

if TYPE_CHECKING:
    from spooler.render import Content, Finding, Renderer


class Face(StrEnum):
    PRINT = "print"  # only what is overprinted on the blank
    CHECK_SHEET = "check-sheet"  # 核对签收单, alone
    ELECTRONIC = "electronic"  # the full face of the electronic certificate, watermarked, without identifier
    PREVIEW = "preview"  # over a drawing of the blank, watermarked


def render(
    request: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="请求文件 · The request, JSON.")],
    out: Annotated[Path, typer.Option("-o", "--out", dir_okay=False, help="输出 PDF · The PDF to write.")],
    face: Annotated[
        Face,
        typer.Option(
            help="print: what goes on the blank; preview: over a drawing of it; electronic: the full face; "
            "check-sheet: what the applicant signs before."
        ),
    ] = Face.PRINT,
    annex_dir: Annotated[
        Path | None,
        typer.Option(file_okay=False, exists=True, help="附件目录 · Where the annexes lie; else beside it."),
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option(file_okay=False, exists=True, help="信任目录 · The registry's name is taken from there."),
    ] = None,
    templates: Annotated[
        Path | None,
        typer.Option(file_okay=False, exists=True, help="自有模板目录 · Your own templates, else ours."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """试排版 · Render a request as it would be printed, unsigned; exit 3 when it does not print as it must.

    What a person should look at, such as a character set in a fallback face, is told beside it.

    Example: certspool render request.json --annex-dir annexes --face preview -o look.pdf
    """
    from spooler.intake.check import lay_out, read_request

    renderer = _renderer(templates)
    body, parts = read_request_file(request, annex_dir)
    with refused_as_problem(as_json):
        received = read_request(body, parts)
        name = _registry_name(received.request.registry, trust)
        pdf, warnings = lay_out(received, name, _drawing(renderer, face, templates))
    try:
        out.write_bytes(pdf)
    except OSError as e:
        fail(f"{out}: {e.strerror}", Exit.FAILED)
    _tell(out, len(pdf), warnings, as_json)


def _renderer(own: Path | None) -> "Renderer":
    from spooler.render import BadTemplate, Renderer, find_templates

    try:
        return Renderer(find_templates(), own=own)
    except BadTemplate as e:
        fail(str(e), Exit.FAILED)


def _drawing(
    renderer: "Renderer", face: Face, own: Path | None
) -> "Callable[[Content], tuple[bytes, tuple[Finding, ...]]]":
    def draw(content: "Content") -> "tuple[bytes, tuple[Finding, ...]]":
        rendered = renderer.print_document(content)
        if face is Face.ELECTRONIC:
            return _electronic(content, own), rendered.warnings
        if face is Face.CHECK_SHEET:
            return _check_sheet(content, own), rendered.warnings
        return (renderer.preview(content) if face is Face.PREVIEW else rendered.pdf), rendered.warnings

    return draw


def _electronic(content: "Content", own: Path | None) -> bytes:
    from spooler.render import find_templates
    from spooler.render.electronic import ElectronicRenderer

    return ElectronicRenderer(find_templates(), own=own).draw(content)


def _check_sheet(content: "Content", own: Path | None) -> bytes:
    from spooler.render import find_templates
    from spooler.render.running import Sheets

    return Sheets(find_templates(), own=own).draw_check_sheet(content)


def _tell(out: Path, size: int, warnings: "tuple[Finding, ...]", as_json: bool) -> None:
    if as_json:
        found = [{"field": item.field, "code": str(item.code), "message": item.message} for item in warnings]
        typer.echo(json.dumps({"bytes": size, "warnings": found}, ensure_ascii=False))
        return
    typer.echo(f"{out}: {size} bytes")
    for item in warnings:
        typer.echo(f"  {item.field}  [{item.code}]  {item.message}", err=True)


def _registry_name(registry: str, trust: Path | None) -> str:
    """Return the name from the trust record, else the county's."""
    from spooler.catalog import COUNTIES
    from spooler.wire.trust import load_trust

    if trust is not None:
        record = load_trust(trust).registries.get(registry)
        return record.name if record else fail(f"{registry} 不在信任目录 · is not in {trust}", Exit.WRONG_USAGE)
    county = COUNTIES.get(registry)
    return county.name if county else registry
