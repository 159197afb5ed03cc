"""`certspool-agent`: the hall's daemon, and what stands in the hall, from the command line."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from agents.account_command import accounts
from agents.audit_command import audit
from agents.calibration.commands import calibrate
from agents.grant_command import grant
from agents.terminal import DEFAULT_API, ApiOption, JsonOption, TokenFileOption, fail, get, post, show

app = typer.Typer(no_args_is_help=True, add_completion=False, help="受理大厅打印端 · The agent of one receiving hall.")
app.add_typer(calibrate, name="calibrate")
app.add_typer(audit, name="audit")
app.add_typer(grant, name="grant")
app.add_typer(accounts, name="account")


def main() -> None:
    """Run the command line."""
    app(prog_name="certspool-agent")


@app.command()
def serve(
    config: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="配置文件 · The hall's settings (TOML).")],
) -> None:
    """运行打印端 · Run the agent until a signal stops it.

    Example: certspool-agent serve --config /etc/certspool/hall.toml
    """
    from agents.app import run
    from spooler.daemon.settings import SettingsError

    try:
        raise typer.Exit(run(config))
    except SettingsError as e:
        fail(str(e), 1)


@app.command()
def orders(
    state: Annotated[
        list[str] | None, typer.Option(help="waiting, printing, printed, issued, …; may be repeated.")
    ] = None,
    q: Annotated[str, typer.Option(help="Number, case, serial, id, or a party of it.")] = "",
    api: ApiOption = DEFAULT_API,
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """订单 · Orders here, the most urgent first.

    Example: certspool-agent orders --state waiting --state printing
    """
    answer = get(api, token_file, as_json, "/v1/orders", state=state or None, q=q or None)
    show(answer, as_json, _order_lines)


@app.command()
def printers(api: ApiOption = DEFAULT_API, token_file: TokenFileOption = None, as_json: JsonOption = False) -> None:
    """打印机 · Printers, as they stand.

    Example: certspool-agent printers --json
    """
    show(get(api, token_file, as_json, "/v1/printers"), as_json, _printer_lines)


@app.command()
def stock(api: ApiOption = DEFAULT_API, token_file: TokenFileOption = None, as_json: JsonOption = False) -> None:
    """空白证书 · Blanks here, by range and status.

    Example: certspool-agent stock
    """
    show(get(api, token_file, as_json, "/v1/stock"), as_json, _stock_lines)


@app.command()
def reconcile(
    ask: Annotated[bool, typer.Option("--ask", help="重新向登记机构核对 · Begin anew and ask home again.")] = False,
    leave: Annotated[
        bool, typer.Option("--leave", help="恢复打印，须两人 · Print again: one person proposes, a second agrees.")
    ] = False,
    stay: Annotated[bool, typer.Option("--stay", help="撤回申请 · Take the proposal back.")] = False,
    reason: Annotated[str, typer.Option(help="原因 · Why it is safe to print again.")] = "",
    without: Annotated[
        list[str] | None, typer.Option(help="A registry that is not waited for; may be repeated.")
    ] = None,
    api: ApiOption = DEFAULT_API,
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """核对 · Whether this hall trusts its journal; without an option it only shows. See docs/reconcile.md.

    Example: certspool-agent reconcile --leave --reason "blanks counted, the other machine is off"
    """
    acts = [name for name, is_wanted in (("ask", ask), ("leave", leave), ("stay", stay)) if is_wanted]
    if len(acts) > 1:
        fail("one of --ask, --leave, --stay", 2)
    if acts:
        body = {"act": acts[0], "reason": reason, "without": without or []}
        answer = post(api, token_file, as_json, "/v1/reconcile", body)
    else:
        answer = get(api, token_file, as_json, "/v1/reconcile")
    show(answer, as_json, _reconcile_lines)


@app.command()
def enrol(
    code: Annotated[str, typer.Argument(help="一次性注册码 · As home gave it: 231282-02/ABCD-EFGH-…")],
    home: Annotated[
        str, typer.Option("--home", envvar="CERTSPOOL_HOME_API", help="登记机构地址 · Where home listens.")
    ] = "http://127.0.0.1:8600",
    directory: Annotated[
        Path,
        typer.Option("--dir", file_okay=False, help="目录 · Where keys and trust directory are laid; default: here."),
    ] = Path(),
    minutes: Annotated[int, typer.Option(min=0, help="等待 · How long the answer is waited for.")] = 60,
) -> None:
    """注册大厅 · Make this hall's keys here, ask home by a one-time code, and lay down what it answers (docs/enrolment.md).

    Read the fingerprint out to the person at home: who reads it here instead of there helps whoever has stolen the code. Run it again
    with the same code to go on waiting.

    Example: certspool-agent enrol 231282-02/ABCD-EFGH-… --home https://home.example --dir /etc/certspool/231282-02
    """
    from agents.enrol_command import run

    run(code, home, directory, minutes)


@app.command()
def doctor(
    config: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="配置文件 · The hall's settings (TOML).")],
    fix: Annotated[
        bool, typer.Option("--fix", help="改正 · Set right what can be, keeping a backup; nothing is restarted.")
    ] = False,
    prefix: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="For images: goes before /etc/cups, /usr/lib/cups and /etc/systemd/system."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """体检 · Whether it is safe to print certificates here, and what to do: 0 safe, 1 unsafe, 4 CUPS does not answer.

    Example: certspool-agent doctor --config /etc/certspool/hall.toml --fix
    """
    from agents.doctor.visit import visit
    from agents.settings import HallSettings
    from spooler.daemon.settings import SettingsError, load_settings

    try:
        found = visit(load_settings(HallSettings, config), is_to_fix=fix, prefix=prefix)
    except SettingsError as e:
        fail(str(e), 2)
    typer.echo(found.as_json() if as_json else "\n".join(found.lines()))
    raise typer.Exit(found.exit_code)


def _order_lines(answer: Any) -> Iterator[str]:
    for order in answer["orders"]:
        passes = " ".join(f"{one['name']}:{one['state']}" for one in order["passes"])
        serial = order["serial"] or order["proposed_serial"] or "-"
        yield f"{order['order_id']}  {order['state']:<9} {order['number']}  {order['holder_masked']}  {serial}"
        yield f"    {passes}  {' '.join(order['reasons'])}  可做 next: {', '.join(order['next']) or '-'}"


def _printer_lines(answer: Any) -> Iterator[str]:
    for printer in answer["printers"]:
        reasons = " ".join(printer["reasons"])
        blanks = f"{printer['blanks']} 张, 下一张 next {printer['next_serial'] or '-'}"
        yield f"{printer['name']:<16} {printer['stock']:<12} {printer['state']:<12} {blanks}  {reasons}".rstrip()


def _stock_lines(answer: Any) -> Iterator[str]:
    for one in answer["ranges"]:
        where = one["printer"] or ""
        yield f"{one['stock']:<12} {one['first']}…{one['last']}  {one['count']:>6}  {one['status']:<10} {where}".rstrip()
    for serial in answer["unseen"]:
        yield f"须查看 look: {serial} 因主机停办作废，无人见过纸张 · void by a stop from home; if it lies in the tray, blank: stock found"
    if not answer["balanced"]:
        yield "帐实不符 · the ledger does not balance: received is not what is here and gone"


def _reconcile_lines(answer: Any) -> Iterator[str]:
    if answer["why"] is None:
        yield "无须核对，正常打印 · this hall trusts its journal and prints"
    else:
        yield f"核对中，不打印 · nothing is printed since {answer['since']}: {answer['why']}, {answer['sentence']}"
    for one in answer["registries"]:
        yield f"登记机构 registry {one['registry']}  {'已答复 answered' if one['answered'] else '未答复 not yet'}"
    yield "订单 orders: " + (", ".join(f"{n} {state}" for state, n in sorted(answer["orders"].items())) or "-")
    for one in answer["unknown"]:
        yield f"结果不明 unknown: {one['order_id']} pass {one['number']} attempt {one['attempt']} at {one['printer']}"
    for one in answer["missing"]:
        yield f"尚未送回 not back yet: {one}"
    if answer["strangers"]:
        yield f"账外打印 claimed permits that the journal does not know: {len(answer['strangers'])}"
    for one in answer["uncounted"]:
        yield f"须清点 to be counted: {one['stock']} {one['first']}…{one['last']} ({one['count']}, {one['status']})"
    for hindrance in answer["hindered_by"]:
        yield f"先办 first: {hindrance}"
    if answer["leaving"] is not None:
        by, reason = answer["leaving"]["by"]["id"], answer["leaving"]["reason"]
        yield f"等待第二人 waits for a second person: proposed by {by}: {reason}"
