"""`certspool submit`: send one request, and see it through if wanted."""

import json
from pathlib import Path
from time import monotonic, sleep
from typing import Annotated, Any

import typer

from spooler.cli.client import DEFAULT_API, Api, ApiOption, Exit, JsonOption, TokenFileOption, fail
from spooler.cli.files import read_request_file

LOOK_SECONDS = 0.5
FINAL = {
    "issued": Exit.DONE,
    "superseded": Exit.DONE,
    "refused": Exit.REFUSED,
    "cancelled": Exit.FAILED,
    "withdrawn": Exit.FAILED,
}


def submit(
    request: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="请求文件 · The request, JSON.")],
    annex_dir: Annotated[
        Path | None,
        typer.Option(file_okay=False, exists=True, help="附件目录 · Where the annexes lie; else beside it."),
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="等到发证 · Wait until it is issued, or ends otherwise.")
    ] = False,
    timeout: Annotated[float, typer.Option(help="With --wait: give up waiting after so many seconds.")] = 3600,
    api: ApiOption = DEFAULT_API,
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """提交打印请求 · Send a request: one document to be printed at one hall. The same file sent again is the same job.

    Example: certspool submit request.json --annex-dir annexes --wait
    """
    body, parts = read_request_file(request, annex_dir)
    home = Api(api, token_file, as_json=as_json)
    status, job = home.post_parts("/v1/jobs", body, parts)
    if not as_json:
        known = "已受理 accepted" if status == 201 else "此前已受理 known already"
        typer.echo(f"{job['job_id']}  {known}  {job['number']}")
    if wait:
        job = _wait(home, job, monotonic() + timeout, tell=not as_json)
    if as_json:
        typer.echo(json.dumps(job, ensure_ascii=False))
    raise typer.Exit(FINAL.get(job["state"], Exit.DONE))


def _wait(home: Api, job: dict[str, Any], end: float, *, tell: bool) -> dict[str, Any]:
    """Follow the job until it has ended. The job is read before its events: so the last ones are told too."""
    seen = 0
    while True:
        job = home.get(f"/v1/jobs/{job['job_id']}")
        for event in home.get(f"/v1/jobs/{job['job_id']}/events", after=seen)["events"]:
            seen = event["sequence"]
            if tell:
                typer.echo(f"  {event['at']}  {event['state']}  {' '.join(event['reasons'])}".rstrip())
        if job["state"] in FINAL:
            return job
        if monotonic() > end:
            fail(f"{job['job_id']}: 等待超时 · still {job['state']}, no longer waited for")
        sleep(LOOK_SECONDS)
