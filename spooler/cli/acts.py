"""`certspool hold | resume | withdraw | order`: acts upon a job that may already be at a hall."""

import json
from typing import Annotated

import typer

from spooler.cli.client import DEFAULT_API, Api, ApiOption, Exit, JsonOption, TokenFileOption
from spooler.cli.jobs import JobArgument, act_on

ReasonOption = Annotated[str, typer.Option(help="原因 · Why; it stays at home.")]
ReferenceOption = Annotated[str | None, typer.Option(help="文号 · A file number, if there is one.")]


def hold(
    job: JobArgument,
    reason: ReasonOption,
    reference: ReferenceOption = None,
    api: ApiOption = DEFAULT_API,
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """查封 · Let nothing more be printed or handed over. A pass that runs is not broken off; the hall's answer comes as an event.

    Example: certspool hold 6f0c1b1e-8f0e-4c3c-9a53-0d6f0c1b1e8f --reason "court order" --reference "(2026)黑12执88号"
    """
    act_on(job, "hold", reason, reference, Api(api, token_file, as_json=as_json), as_json=as_json)


def resume(
    job: JobArgument,
    reason: ReasonOption,
    reference: ReferenceOption = None,
    api: ApiOption = DEFAULT_API,
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """解封 · Go on where it stopped.

    Example: certspool resume 6f0c1b1e-8f0e-4c3c-9a53-0d6f0c1b1e8f --reason "lifted"
    """
    act_on(job, "resume", reason, reference, Api(api, token_file, as_json=as_json), as_json=as_json)


def withdraw(
    job: JobArgument,
    reason: ReasonOption,
    reference: ReferenceOption = None,
    api: ApiOption = DEFAULT_API,
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """注销、撤销 · End the job: paper at the hall is void by its serial, paper handed over is listed for recovery.

    What is to be recovered: certspool jobs --reason to-recover

    Example: certspool withdraw 6f0c1b1e-8f0e-4c3c-9a53-0d6f0c1b1e8f --reason "registration revoked"
    """
    act_on(job, "withdraw", reason, reference, Api(api, token_file, as_json=as_json), as_json=as_json)


def order(
    job: JobArgument,
    hall: Annotated[str, typer.Option(help="大厅 · <county>-NN; the same one, or another.")],
    reason: ReasonOption,
    window: Annotated[str | None, typer.Option(help="窗口 · A window at that hall.")] = None,
    api: ApiOption = DEFAULT_API,
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """另发订单 · Open the next order of a job, once the last has ended by its hall's word with no usable paper.

    Example: certspool order 6f0c1b1e-8f0e-4c3c-9a53-0d6f0c1b1e8f --hall 231283-01 --reason "collected at Hailun"
    """
    body = {"hall": hall, "reason": reason} | ({} if window is None else {"window": window})
    _, opened = Api(api, token_file, as_json=as_json).post(f"/v1/jobs/{job}/orders", body)
    if as_json:
        typer.echo(json.dumps(opened, ensure_ascii=False))
    else:
        typer.echo(f"{job}  {opened['state']}  {opened['orders'][-1]['order_id']}  {opened['hall']}")
    raise typer.Exit(Exit.DONE)
