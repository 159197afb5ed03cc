"""`certspool-agent calibrate`: a printer is measured with a sheet of plain paper and a ruler, step by step."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from agents.terminal import DEFAULT_API, ApiOption, JsonOption, TokenFileOption, fail, get, post, show

POINT = re.compile(r"(\d+):(-?\d+(?:\.\d+)?),(-?\d+(?:\.\d+)?)")

calibrate = typer.Typer(
    no_args_is_help=True,
    help="打印机校准 · Measure how far a printer is off, and set it right: sheet, enter, proof, accept. See docs/calibration.md.",
)

Printer = Annotated[str, typer.Argument(help="打印机 · The printer, as hall.toml names it.")]
Spread = Annotated[str, typer.Argument(help="面 · The side: A, B or C of a booklet, P of a proof.")]
Version = Annotated[int | None, typer.Option("--version", min=1, help="版本 · Without it the newest.")]
Points = Annotated[
    list[str] | None,
    typer.Option(
        "--point", help="量得 · CROSS:X,Y in mm from the left and the top edge, as 1:20.4,19.7; for each cross."
    ),
]
File = Annotated[
    Path | None,
    typer.Option("--file", exists=True, dir_okay=False, help='量得 · JSON {"1": [20.4, 19.7], …} instead of --point.'),
]
Loaded = Annotated[
    bool, typer.Option("--loaded", help="已放白纸 · Plain paper lies in the printer; without it you are asked.")
]


@calibrate.command("sheet")
def sheet_command(
    printer: Printer,
    spread: Spread,
    loaded: Loaded = False,
    api: ApiOption = DEFAULT_API,
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """打印校准页 · Pause the printer for certificates and print a calibration sheet on plain paper.

    Example: certspool-agent calibrate sheet booklet-1 B
    """
    post(api, token_file, as_json, f"/v1/printers/{printer}/pause", {})
    side = _side(get(api, token_file, as_json, _path(printer)), spread)
    _ask_for_paper(loaded, f"{side['width_mm']:g} × {side['height_mm']:g} mm 的白纸 plain paper")
    answer = post(api, token_file, as_json, _path(printer), {"act": "sheet", "spread": spread, "paper": "plain"})
    show(answer, as_json, lambda found: _asked_lines(found, f"certspool-agent calibrate enter {printer} {spread}"))


@calibrate.command("enter")
def enter_command(
    printer: Printer,
    spread: Spread,
    point: Points = None,
    file: File = None,
    api: ApiOption = DEFAULT_API,
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """录入量得 · Keep what was measured as a new version; it counts once it is accepted. Without points you are asked for each.

    Example: certspool-agent calibrate enter proof-1 P --point 1:23.1,18.6 --point 2:151.7,19.0 --point 3:280.2,19.4 …
    """
    _say_measured("enter", printer, spread, _points(point, file), api, token_file, as_json)


@calibrate.command("solve")
def solve_command(
    printer: Printer,
    spread: Spread,
    point: Points = None,
    file: File = None,
    api: ApiOption = DEFAULT_API,
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """试算 · Say what these readings mean; nothing is kept.

    Example: certspool-agent calibrate solve proof-1 P --file readings.json
    """
    _say_measured("solve", printer, spread, _points(point, file), api, token_file, as_json)


@calibrate.command("show")
def show_command(
    printer: Printer,
    api: ApiOption = DEFAULT_API,
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """现行校准 · What is in force at a printer, side by side.

    Example: certspool-agent calibrate show booklet-1
    """
    show(get(api, token_file, as_json, _path(printer)), as_json, _in_force_lines)


@calibrate.command("proof")
def proof_command(
    printer: Printer,
    spread: Spread,
    version: Version = None,
    loaded: Loaded = False,
    api: ApiOption = DEFAULT_API,
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """打印验证页 · Print over the measured sheet, corrected: each ring must lie round its cross.

    Example: certspool-agent calibrate proof booklet-1 B
    """
    post(api, token_file, as_json, f"/v1/printers/{printer}/pause", {})
    _ask_for_paper(loaded, "量过的那张校准页 the very sheet that was measured")
    body = {"act": "proof", "spread": spread, "paper": "plain", "version": version}
    answer = post(api, token_file, as_json, _path(printer), body)
    show(answer, as_json, lambda found: _asked_lines(found, f"certspool-agent calibrate accept {printer} {spread}"))


@calibrate.command("accept")
def accept_command(
    printer: Printer,
    spread: Spread,
    version: Version = None,
    reason: Annotated[str | None, typer.Option(help="原因 · Why without a proof, where none was printed.")] = None,
    api: ApiOption = DEFAULT_API,
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """启用 · Put a version in force: from now on this side is printed so.

    Example: certspool-agent calibrate accept booklet-1 B --version 3
    """
    body = {"act": "accept", "spread": spread, "version": version, "reason": reason}
    show(post(api, token_file, as_json, _path(printer), body), as_json, _accepted_lines)


@calibrate.command("done")
def done_command(
    printer: Printer,
    api: ApiOption = DEFAULT_API,
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """恢复打印 · The blanks are in again: the printer goes on with certificates.

    Example: certspool-agent calibrate done booklet-1
    """
    show(post(api, token_file, as_json, f"/v1/printers/{printer}/resume", {}), as_json, _resumed_lines)


@calibrate.command("history")
def history_command(
    printer: Printer,
    api: ApiOption = DEFAULT_API,
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """历史 · Every version with who and when, and the sheets that were printed.

    Example: certspool-agent calibrate history booklet-1
    """
    show(get(api, token_file, as_json, _path(printer)), as_json, _history_lines)


def _say_measured(
    act: str,
    printer: str,
    spread: str,
    points: list[dict[str, float]],
    api: str,
    token_file: Path | None,
    as_json: bool,
) -> None:
    """Send the readings, asked for where none were given, and show what they mean."""
    points = points or _prompted(_side(get(api, token_file, as_json, _path(printer)), spread))
    body = {"act": act, "spread": spread, "points": points}
    show(post(api, token_file, as_json, _path(printer), body), as_json, _version_lines)


def _path(printer: str) -> str:
    return f"/v1/printers/{printer}/calibration"


def _side(answer: Mapping[str, Any], spread: str) -> Mapping[str, Any]:
    for one in answer["spreads"]:
        if one["spread"] == spread:
            found: Mapping[str, Any] = one
            return found
    names = ", ".join(one["spread"] for one in answer["spreads"]) or "-"
    fail(f"没有这一面，可选 {names} · there is no side {spread}; there are {names}", 3)


def _ask_for_paper(loaded: bool, what: str) -> None:
    """Blanks out, plain paper in: a person says so, here or by --loaded."""
    if not loaded:
        typer.echo("打印机已暂停打印证书 · the printer is paused for certificates", err=True)
        typer.confirm(f"请取出空白证书，放入{what}。放好了吗 · is it in", abort=True, err=True)


def _points(words: Sequence[str] | None, file: Path | None) -> list[dict[str, float]]:
    if file is not None:
        return _points_in(file)
    points = []
    for word in words or ():
        found = POINT.fullmatch(word)
        if found is None:
            fail(f"--point {word}: 应写作 1:20.4,19.7 · is written like 1:20.4,19.7", 2)
        points.append({"cross": int(found[1]), "x": float(found[2]), "y": float(found[3])})
    return points


def _points_in(file: Path) -> list[dict[str, float]]:
    try:
        found = json.loads(file.read_text("utf-8"))
        return [{"cross": int(cross), "x": float(x), "y": float(y)} for cross, (x, y) in found.items()]
    except (ValueError, TypeError, AttributeError):
        fail(f'{file}: 应为 {{"1": [20.4, 19.7], …}} · is not of the form {{"1": [20.4, 19.7], …}}', 2)


def _prompted(side: Mapping[str, Any]) -> list[dict[str, float]]:
    """Ask for each cross; what nobody could measure is left out with an empty line."""
    typer.echo("从纸的左边量 x，从上边量 y，毫米；量不到的直接回车 · mm; leave out what cannot be measured", err=True)
    points = []
    for cross in side["crosses"]:
        text = typer.prompt(
            f"第 {cross['cross']} 号十字 x y（应为 {cross['x']:g} {cross['y']:g}）", default="", err=True
        )
        numbers = re.findall(r"-?\d+(?:\.\d+)?", text)
        if numbers and len(numbers) != 2:
            fail("每个十字两个数 · two numbers for each cross", 2)
        if numbers:
            points.append({"cross": cross["cross"], "x": float(numbers[0]), "y": float(numbers[1])})
    return points


def _asked_lines(answer: Any, then: str) -> Iterator[str]:
    newest = answer["sheets"][0]
    yield f"已送打印 asked for: {newest['what']} {newest['spread']}  {newest['print_id'][:8]}"
    yield f"然后 then: {then}"
    yield f"最后放回空白证书 · at the end blanks back in, and: certspool-agent calibrate done {answer['printer']}"


def _version_lines(version: Any) -> Iterator[str]:
    yield f"版本 version {version['version'] or '-（未保存 not kept）'}  {_error(version['error'])}"
    yield f"最大残差 largest residual {version['residual_mm']:.2f} mm ({version['model']})"
    if version["version"] is not None:
        yield "启用前请打印验证页 · print its proof before it is accepted: certspool-agent calibrate proof"


def _accepted_lines(answer: Any) -> Iterator[str]:
    yield from _in_force_lines(answer)
    if answer["paused"]:
        yield f"仍暂停；放回空白证书后 · still paused; blanks back in, then: certspool-agent calibrate done {answer['printer']}"


def _resumed_lines(printer: Any) -> Iterator[str]:
    yield f"{printer['name']}  {printer['state']}  已恢复打印证书 · prints certificates again"


def _in_force_lines(answer: Any) -> Iterator[str]:
    if not answer["spreads"]:
        yield "白纸打印机，无须校准 · plain paper needs no calibration"
    for side in answer["spreads"]:
        now = next((v for v in side["versions"] if v["in_force"]), None)
        if now is None:
            yield f"{side['spread']}  未校准，不打印 · not calibrated: nothing of this side is printed"
        else:
            yield f"{side['spread']}  版本 {now['version']}  {_error(now['error'])}"


def _history_lines(answer: Any) -> Iterator[str]:
    for side in answer["spreads"]:
        for one in side["versions"]:
            mark = "现行 in force" if one["in_force"] else ""
            yield f"{side['spread']}  版本 {one['version']}  {one['at']}  {one['by']['id']}  {_error(one['error'])}  {mark}".rstrip()
            for accepted in one["accepted"]:
                why = f"  {accepted['reason']}" if accepted["reason"] else ""
                yield f"     启用 accepted {accepted['at']}  {accepted['by']['id']}{why}"
    for sheet in answer["sheets"]:
        what = sheet["what"] if sheet["version"] is None else f"{sheet['what']} {sheet['version']}"
        yield f"{sheet['spread']}  {what}  {sheet['at']}  {sheet['by']['id']}  {sheet['state']}"


def _error(error: Mapping[str, float]) -> str:
    parts = f"右 {error['right_mm']:+.2f} mm  下 {error['down_mm']:+.2f} mm"
    scale = f"宽 {error['wider_percent']:+.2f} %  高 {error['taller_percent']:+.2f} %"
    skew = f"  歪 {error['skewed_degrees']:+.2f}°" if abs(error["skewed_degrees"]) >= 0.005 else ""
    return f"{parts}  {scale}  转 {error['turned_degrees']:+.2f}°{skew}"
