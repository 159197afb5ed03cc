"""The hall's API as its users call it: the command line here, and whoever plays a person at the counter."""

from typing import Any

import httpx


class NotReachable(Exception):
    """Nobody answers at that address."""


class Answered(Exception):
    """The hall said no; `problem` is its problem document (RFC 9457)."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('detail', problem.get('title', ''))}")
        self.status = status
        self.problem = problem


class HallClient:
    """One account at one hall. Not for several threads at once."""

    def __init__(self, api: str, token: str, *, seconds: float = 30.0) -> None:
        # An internal network: a proxy from the environment would only be in the way.
        self._http = httpx.Client(
            base_url=api.rstrip("/"), headers={"Authorization": f"Bearer {token}"}, timeout=seconds, trust_env=False
        )

    def get(self, path: str, **query: Any) -> Any:
        return self._call("GET", path, params={name: value for name, value in query.items() if value is not None})

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self._call("POST", path, json=body)

    def close(self) -> None:
        self._http.close()

    def _call(self, method: str, path: str, **options: Any) -> Any:
        try:
            answer = self._http.request(method, path, **options)
        except (httpx.TransportError, httpx.InvalidURL) as e:
            raise NotReachable(f"{self._http.base_url} does not answer ({type(e).__name__})") from e
        if answer.is_success:
            return answer.json()
        raise Answered(answer.status_code, _problem(answer))


def _problem(answer: httpx.Response) -> dict[str, Any]:
    """Return the problem document, or what is known if something else answered in the hall's place."""
    try:
        found = answer.json()
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"status": answer.status_code, "title": answer.reason_phrase}
