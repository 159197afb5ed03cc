"""`certspool jobs | show | cancel`: what became of requests."""

import json
import sys
from typing import Annotated, Any

import typer

from spooler.cli.client import DEFAULT_API, Api, ApiOption, Exit, JsonOption, TokenFileOption

WIDE = 200  # where the output is no terminal
_HEADINGS = ("作业 job", "证号 number", "大厅 hall", "状态 state", "原因 reasons", "编号 serial", "期限 deadline")

JobArgument = Annotated[str, typer.Argument(help="The job's id.")]


def jobs(
    registry: Annotated[str | None, typer.Option(help="登记机构 · Six digits.")] = None,
    state: Annotated[str | None, typer.Option(help="状态 · accepted, sealed, sent, received, printing, …")] = None,
    reason: Annotated[str | None, typer.Option(help="waiting-release, outcome-unknown, …")] = None,
    hall: Annotated[str | None, typer.Option(help="大厅 · <county>-NN.")] = None,
    case: Annotated[str | None, typer.Option(help="受理编号 · The case's number.")] = None,
    number: Annotated[str | None, typer.Option(help="证号 · The certificate's number as printed.")] = None,
    serial: Annotated[str | None, typer.Option(help="编号№ · The blank's serial.")] = None,
    late: Annotated[bool | None, typer.Option(help="Only late ones, or only others.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="From there on: `next` of the page before.")] = None,
    api: ApiOption = DEFAULT_API,
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """列出作业 · List jobs, newest first.

    Example: certspool jobs --hall 231282-01 --state received
    """
    query = {
        "registry": registry,
        "state": state,
        "reason": reason,
        "hall": hall,
        "case": case,
        "number": number,
        "serial": serial,
        "late": late,
        "limit": limit,
        "cursor": cursor,
    }
    page = Api(api, token_file, as_json=as_json).get("/v1/jobs", **query)
    if as_json:
        typer.echo(json.dumps(page, ensure_ascii=False))
    else:
        _table(page)


def show(
    job: JobArgument,
    events: Annotated[bool, typer.Option(help="历史 · With its history.")] = True,
    api: ApiOption = DEFAULT_API,
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """查看作业 · Show one job and its history.

    Example: certspool show 6f0c1b1e-8f0e-4c3c-9a53-0d6f0c1b1e8f
    """
    home = Api(api, token_file, as_json=as_json)
    found = home.get(f"/v1/jobs/{job}")
    history = home.get(f"/v1/jobs/{job}/events")["events"] if events else []
    if as_json:
        typer.echo(json.dumps({**found, "events": history} if events else found, ensure_ascii=False))
        return
    for name, value in found.items():
        typer.echo(f"{name:>12}  {_shown(value)}")
    for event in history:
        typer.echo(_line(event))


def cancel(
    job: JobArgument,
    reason: Annotated[str, typer.Option(help="原因 · Why; it stays at home.")],
    reference: Annotated[str | None, typer.Option(help="文号 · A file number, if there is one.")] = None,
    api: ApiOption = DEFAULT_API,
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """撤回作业 · Cancel a job that is not handed over. Where the hall must answer first, the end comes as an event.

    Example: certspool cancel 6f0c1b1e-8f0e-4c3c-9a53-0d6f0c1b1e8f --reason "applicant withdrew"
    """
    act_on(job, "cancel", reason, reference, Api(api, token_file, as_json=as_json), as_json=as_json)


def act_on(job: str, act: str, reason: str, reference: str | None, home: Api, *, as_json: bool) -> None:
    """Call an act and tell its outcome: at once, or `pending` while the hall is asked."""
    body = {"reason": reason} if reference is None else {"reason": reason, "reference": reference}
    _, outcome = home.post(f"/v1/jobs/{job}/{act}", body)
    if as_json:
        typer.echo(json.dumps(outcome, ensure_ascii=False))
    else:
        typer.echo(f"{job}  {outcome['outcome']}  ({outcome['state']})")
    raise typer.Exit(Exit.DONE)


def _table(page: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for heading in _HEADINGS:
        table.add_column(heading, overflow="fold")  # an id that is cut off is of no use
    for job in page["jobs"]:
        reasons = " ".join(job["reasons"])
        table.add_row(
            job["job_id"], job["number"], job["hall"], job["state"], reasons, job["serial"] or "", job["deadline"][:16]
        )
    Console(width=None if sys.stdout.isatty() else WIDE).print(table)
    if page["next"]:
        typer.echo(f"… --cursor {page['next']}")


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _line(event: dict[str, Any]) -> str:
    extras = [f"{name}={event[name]}" for name in ("pass", "serial", "printer", "detail") if name in event]
    actor = event["actor"]["id"] if event["actor"] else "-"
    parts = [event["at"], event["side"], event["state"], " ".join(event["reasons"]), actor, *extras]
    return "  ".join(part for part in ("", *parts) if part)
