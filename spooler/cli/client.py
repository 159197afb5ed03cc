"""The home's API from the command line: one call, its answer, and for each kind of failure its own exit code."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

DEFAULT_API = "http://127.0.0.1:8600"
TOKEN_VARIABLE = "CERTSPOOL_TOKEN"
SECONDS = 60.0

ApiOption = Annotated[str, typer.Option("--api", envvar="CERTSPOOL_API", help="接口地址 · Where the home listens.")]
TokenFileOption = Annotated[
    Path | None,
    typer.Option(
        "--token-file", help=f"令牌文件 · A file with the token; without it ${TOKEN_VARIABLE}.", dir_okay=False
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]


class Exit(IntEnum):
    """What a command's exit code says."""

    DONE = 0
    FAILED = 1
    WRONG_USAGE = 2
    REFUSED = 3  # a bad request, a bad signature
    NOT_REACHABLE = 4


_BY_STATUS = {
    400: Exit.REFUSED,
    409: Exit.REFUSED,
    413: Exit.REFUSED,
    415: Exit.REFUSED,
    422: Exit.REFUSED,
    503: Exit.NOT_REACHABLE,
}


class Api:
    """Calls the home; ends the command when the answer is a problem."""

    def __init__(self, base: str, token_file: Path | None, *, as_json: bool = False) -> None:
        self._base = base.rstrip("/")
        self._token = _token(token_file)
        self._as_json = as_json

    def get(self, path: str, **query: Any) -> Any:
        wanted = {name: value for name, value in query.items() if value is not None}
        return self._call("GET", path, params=wanted).json()

    def content(self, path: str) -> bytes:
        return bytes(self._call("GET", path).content)

    def get_file(self, path: str) -> tuple[bytes, Mapping[str, str]]:
        """Return a file with what the headers say of it."""
        answer = self._call("GET", path)
        return bytes(answer.content), answer.headers

    def post(self, path: str, body: Any) -> tuple[int, Any]:
        answer = self._call("POST", path, json=body)
        return answer.status_code, answer.json()

    def post_parts(self, path: str, request: bytes, parts: dict[str, bytes]) -> tuple[int, Any]:
        """Post a request with a part for each annex."""
        files: dict[str, Any] = {"request": (None, request, "application/json")}
        files.update({name: (name, content, "application/octet-stream") for name, content in parts.items()})
        answer = self._call("POST", path, files=files)
        return answer.status_code, answer.json()

    def _call(self, method: str, path: str, **options: Any) -> Any:
        import httpx

        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            # An internal network: a proxy from the environment would only be in the way.
            answer = httpx.request(
                method, self._base + path, headers=headers, timeout=SECONDS, trust_env=False, **options
            )
        except (httpx.TransportError, httpx.InvalidURL, httpx.UnsupportedProtocol) as e:
            fail(f"{self._base} 无法连接 · does not answer ({type(e).__name__})", Exit.NOT_REACHABLE)
        if answer.is_success:
            return answer
        self._tell(answer.status_code, _problem(answer))

    def _tell(self, status: int, problem: dict[str, Any]) -> NoReturn:
        if self._as_json:
            typer.echo(json.dumps(problem, ensure_ascii=False))
        else:
            tell_problem(problem)
        raise typer.Exit(_BY_STATUS.get(status, Exit.FAILED))


def tell_problem(problem: dict[str, Any]) -> None:
    """Print what is wrong, each field on a line of its own."""
    typer.echo(f"{problem.get('status', '')} {problem.get('detail', problem.get('title', ''))}".strip(), err=True)
    for item in problem.get("errors", ()):
        typer.echo(f"  {item['field'] or '-'}  [{item['code']}]  {item['message']}", err=True)
    for name in ("job_id", "outcome", "state"):
        if problem.get(name):
            typer.echo(f"  {name}: {problem[name]}", err=True)


def fail(message: str, code: Exit = Exit.FAILED) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)


@contextmanager
def refused_as_problem(as_json: bool) -> Iterator[None]:
    """Tell a refusal made on this machine as the API would."""
    from spooler.errors import HomeError

    try:
        yield
    except HomeError as e:
        problem = {"status": e.status, "detail": e.detail, "errors": [item.to_json() for item in e.errors]}
        if as_json:
            typer.echo(json.dumps(problem, ensure_ascii=False))
        else:
            tell_problem(problem)
        raise typer.Exit(Exit.REFUSED) from e


def _token(file: Path | None) -> str:
    if file is None:
        return os.environ.get(TOKEN_VARIABLE, "").strip() or _no_token()
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as e:
        fail(f"{file}: 令牌不可读 · no token can be read ({type(e).__name__})", Exit.WRONG_USAGE)


def _no_token() -> NoReturn:
    fail(f"缺少令牌 · give --token-file or ${TOKEN_VARIABLE}", Exit.WRONG_USAGE)


def _problem(answer: Any) -> dict[str, Any]:
    try:
        problem = answer.json()
    except ValueError:
        problem = None
    return problem if isinstance(problem, dict) else {"status": answer.status_code, "title": answer.reason_phrase}
