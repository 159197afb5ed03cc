"""What every command of a hall's person shares: where the agent listens, the token, how an answer or a problem is told."""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

DEFAULT_API = "http://127.0.0.1:8700"
TOKEN_VARIABLE = "CERTSPOOL_TOKEN"

ApiOption = Annotated[str, typer.Option("--api", envvar="CERTSPOOL_API", help="接口地址 · Where the agent listens.")]
TokenFileOption = Annotated[
    Path | None,
    typer.Option(
        "--token-file", dir_okay=False, help=f"令牌文件 · A file with the token; without it ${TOKEN_VARIABLE}."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]


def get(api: str, token_file: Path | None, as_json: bool, path: str, **query: Any) -> Any:
    from agents.client import HallClient  # httpx takes 0.1 s to import

    client = HallClient(api, token_of(token_file))
    with problems_told(as_json):
        return client.get(path, **query)


def token_of(token_file: Path | None) -> str:
    if token_file is None:
        token = os.environ.get(TOKEN_VARIABLE, "")
    else:
        try:
            token = token_file.read_text().strip()
        except OSError as e:
            fail(f"{token_file}: {e.strerror}", 2)
    return token if token.strip() else fail(f"give --token-file or ${TOKEN_VARIABLE}", 2)


@contextmanager
def problems_told(as_json: bool) -> Iterator[None]:
    """End the command when the answer is a problem: 3 refused, 4 not reachable, 1 anything else."""
    from agents.client import Answered, NotReachable

    try:
        yield
    except NotReachable as e:
        fail(str(e), 4)
    except Answered as e:
        if as_json:
            typer.echo(json.dumps(e.problem, ensure_ascii=False))
        fail(str(e), 3 if e.status < 500 else 1)


def show(answer: Any, as_json: bool, lines: Callable[[Any], Iterable[str]]) -> None:
    typer.echo(json.dumps(answer, ensure_ascii=False) if as_json else "\n".join(lines(answer)))


def post(api: str, token_file: Path | None, as_json: bool, path: str, body: dict[str, Any]) -> Any:
    from agents.client import HallClient

    client = HallClient(api, token_of(token_file))
    with problems_told(as_json):
        return client.post(path, body)


def fail(message: str, code: int) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)
