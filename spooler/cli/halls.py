"""`certspool hall write-off`: giving up a hall that is gone for good. It takes two people."""

import json
from typing import Annotated
from urllib.parse import quote

import typer

from spooler.cli.client import DEFAULT_API, Api, ApiOption, JsonOption, TokenFileOption

app = typer.Typer(no_args_is_help=True, help="受理大厅 · Halls.")


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
