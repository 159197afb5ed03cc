"""`certspool electronic`: fetch a job's electronic certificate."""

import json
from pathlib import Path
from typing import Annotated

import typer

from spooler.cli.client import DEFAULT_API, Api, ApiOption, Exit, JsonOption, TokenFileOption, fail


def electronic(
    job: Annotated[str, typer.Argument(help="作业 · The job.")],
    out: Annotated[Path, typer.Option("-o", "--out", dir_okay=False, help="输出 PDF · The PDF to write.")],
    api: ApiOption = DEFAULT_API,
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """取电子证照 · Fetch the electronic certificate of a job, as it stands now; a withdrawn one says 已注销.

    Example: certspool electronic 0b9c1f3e-5a77-4c1e-9a51-6d1c6f3f0f11 -o certificate.pdf
    """
    home = Api(api, token_file, as_json=as_json)
    pdf, headers = home.get_file(f"/v1/electronic/{job}")
    try:
        out.write_bytes(pdf)
    except OSError as e:
        fail(f"{out}: {e.strerror}", Exit.FAILED)
    said = {"identifier": headers["certificate-identifier"], "validity": headers["certificate-validity"]}
    typer.echo(json.dumps({**said, "bytes": len(pdf)}) if as_json else f"{out}: {' '.join(said.values())}")
