"""`certspool approvals`: what waits for a second person, at halls and at home, and the second person's answer."""

import json
from typing import Annotated
from urllib.parse import quote

import typer

from spooler.cli.client import DEFAULT_API, Api, ApiOption, JsonOption, TokenFileOption

app = typer.Typer(no_args_is_help=True, help="审批 · What waits for a second person.")

ApprovalArgument = Annotated[str, typer.Argument(help="The approval's id.")]
ReasonOption = Annotated[str, typer.Option(help="意见 · What there is to say; it stays at home.")]


@app.command("list")
def list_approvals(
    api: ApiOption = DEFAULT_API, token_file: TokenFileOption = None, as_json: JsonOption = False
) -> None:
    """列出待审批 · List what waits, oldest first.

    Example: certspool approvals list
    """
    found = Api(api, token_file, as_json=as_json).get("/v1/approvals")
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for one in found["approvals"]:
        asked = one["actor"]["id"] if one["actor"] else "-"
        typer.echo(
            f"{one['approval_id']}  {one['hall']}  {one['act']}  {one['job_id'] or '-'}  {asked}  {one['state']}"
        )


@app.command("accept")
def accept(
    approval: ApprovalArgument,
    reason: ReasonOption = "",
    api: ApiOption = DEFAULT_API,
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """同意 · Accept. Where a hall has to hear of it, its answer comes as an event.

    Example: certspool approvals accept 0b9e6a1c-6f0e-4c3c-9a53-0d6f0c1b1e8f
    """
    _decide(approval, True, reason, Api(api, token_file, as_json=as_json), as_json=as_json)


@app.command("decline")
def decline(
    approval: ApprovalArgument,
    reason: ReasonOption = "",
    api: ApiOption = DEFAULT_API,
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """不同意 · Decline.

    Example: certspool approvals decline 0b9e6a1c-6f0e-4c3c-9a53-0d6f0c1b1e8f --reason "the paper is good"
    """
    _decide(approval, False, reason, Api(api, token_file, as_json=as_json), as_json=as_json)


def _decide(approval: str, accepts: bool, reason: str, home: Api, *, as_json: bool) -> None:
    _, decided = home.post(f"/v1/approvals/{quote(approval, safe='')}", {"accept": accepts, "reason": reason})
    typer.echo(json.dumps(decided, ensure_ascii=False) if as_json else f"{approval}  {decided['outcome']}")
