"""`certspool hall add | code | accept | suspend | resume | write-off`: halls come, are stopped, and are given up for good."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from re import fullmatch
from typing import Annotated, Any, NoReturn
from urllib.parse import quote

import typer

from spooler.cli import enrolment
from spooler.cli.client import DEFAULT_API, Api, ApiOption, Exit, JsonOption, TokenFileOption
from spooler.seal import pki
from spooler.wire.files import AlreadyThere
from spooler.wire.trust import SITE_PRINTS, SiteKind

ENDED = frozenset({"issued", "refused", "returned", "cancelled", "expired"})
UNUSED = frozenset({"in-stock", "loaded", "reserved", "suspect"})

app = typer.Typer(no_args_is_help=True, help="受理大厅 · Halls.")
app.command("code")(enrolment.code)
app.command("enrolments")(enrolment.waiting)
app.command("accept")(enrolment.accept)
app.command("refuse")(enrolment.refuse)


@app.callback()
def group() -> None:
    """受理大厅 · Halls."""


@app.command("write-off")
def write_off(
    hall: Annotated[str, typer.Argument(help="大厅 · <county>-NN.")],
    reason: Annotated[str, typer.Option(help="原因 · Why; it stays at home.")],
    api: ApiOption = DEFAULT_API,
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """核销大厅 · Ask for a hall to be given up; another person accepts it (certspool approvals accept ID).

    From then on its report keys are revoked, its blanks are suspect, and its open orders may be followed by others elsewhere.

    Example: certspool hall write-off 231282-01 --reason "burnt down"
    """
    _, asked = Api(api, token_file, as_json=as_json).post(
        f"/v1/halls/{quote(hall, safe='')}/write-off", {"reason": reason}
    )
    if as_json:
        typer.echo(json.dumps(asked, ensure_ascii=False))
    else:
        typer.echo(f"{hall}  {asked['outcome']}  certspool approvals accept {asked['approval_id']}")


DirectoryOption = Annotated[Path, typer.Option("--dir", help="密钥目录 · Where keys and trust records are kept.")]
HallArgument = Annotated[str, typer.Argument(help="大厅 · <county>-NN.")]


@app.command()
def add(
    hall: HallArgument,
    directory: DirectoryOption,
    name: Annotated[str, typer.Option(help="名称 · Its name.")] = "",
    site: Annotated[
        SiteKind, typer.Option(help="场所类别 · What it is, and so what may be printed there.")
    ] = SiteKind.HALL,
    as_json: JsonOption = False,
) -> None:
    """新增大厅 · Make a hall's keys and its trust record. A bank prints proofs only, whatever is granted (docs/keys.md).

    Example: certspool hall add 231282-02 --dir /etc/certspool/pki --name 工商银行肇东支行 --site bank
    """
    if not fullmatch(r"\d{6}-\d{2}", hall):
        _fail(f"{hall} is not a hall: <county>-NN", Exit.WRONG_USAGE)
    try:
        pki.init(directory, [], [pki.NewHall(hall, name or hall, site)], now=datetime.now(UTC), signed=True)
    except (AlreadyThere, OSError) as e:
        _fail(str(e), Exit.FAILED)
    prints = sorted(SITE_PRINTS[site])
    credentials = str(directory / "halls" / hall / "credentials")
    if as_json:
        typer.echo(json.dumps({"hall": hall, "site": site, "prints": prints, "credentials": credentials}))
    else:
        typer.echo(f"{hall}  {site}: {', '.join(prints)}; trust/ goes to every machine, {credentials} to the hall")


@app.command()
def suspend(
    hall: HallArgument,
    directory: DirectoryOption,
    api: ApiOption = DEFAULT_API,
    token_file: TokenFileOption = None,
    ask: Annotated[
        bool, typer.Option(help="Ask the home for open orders and blanks; --no-ask where none runs.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """停用大厅 · Nothing new is printed there: carry trust/ to every machine, and within a minute it holds. Then: what is left to do.

    Lists the orders that are open there and the blanks that the hall was last known to have, whose serials are to be voided.

    Example: certspool hall suspend 231282-01 --dir /etc/certspool/pki
    """
    _stand(directory, hall, datetime.now(UTC))
    home = Api(api, token_file, as_json=as_json) if ask else None
    orders = list(_open_orders(home, hall)) if home else []
    blanks = [one for one in home.get("/v1/blanks", hall=hall)["blanks"] if one["status"] in UNUSED] if home else []
    if as_json:
        typer.echo(json.dumps({"hall": hall, "open_orders": orders, "to_void": blanks}, ensure_ascii=False))
        return
    typer.echo(f"{hall} 已停用 · suspended; trust/ goes to every machine")
    for order in orders:
        typer.echo(
            f"未结订单 · open  {order['order_id']}  job {order['job_id']}  {order['state']}  {order['serial'] or ''}".rstrip()
        )
    for blank in blanks:
        typer.echo(f"待作废 · to void  {blank['stock']} {blank['serial']}  {blank['status']}")


@app.command()
def resume(hall: HallArgument, directory: DirectoryOption) -> None:
    """恢复大厅 · Let a suspended hall print again; carry trust/ to every machine.

    Example: certspool hall resume 231282-01 --dir /etc/certspool/pki
    """
    _stand(directory, hall, None)
    typer.echo(f"{hall} 已恢复 · prints again; trust/ goes to every machine")


def _stand(directory: Path, hall: str, suspended_at: datetime | None) -> None:
    try:
        pki.suspend(directory, hall, suspended_at)
    except OSError as e:
        _fail(f"{hall}: {e.strerror}: {e.filename}", Exit.FAILED)


def _open_orders(home: Api, hall: str) -> Iterator[dict[str, Any]]:
    """Yield what is open there, page by page: ids only."""
    cursor: str | None = None
    while True:
        page = home.get("/v1/jobs", hall=hall, limit=500, cursor=cursor)
        for job in page["jobs"]:
            for order in job["orders"]:
                if order["hall"] == hall and order["state"] not in ENDED:
                    yield {**order, "job_id": job["job_id"], "serial": job["serial"]}
        cursor = page["next"]
        if cursor is None:
            return


def _fail(message: str, code: Exit) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)
