"""Accounts, time and calls for the door's tests."""

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request

from spooler.daemon.login.password import hash_password
from spooler.daemon.login.records import LoginRecord

PASSWORD = "three old lanterns, one boat"
HASHED = hash_password(PASSWORD)
EPOCH = datetime(2026, 5, 20, 8, tzinfo=UTC)


def an_account(account: str = "zhang.201", **values: Any) -> LoginRecord:
    given = {"id": account, "roles": ("operate",), "registries": ("231221",), "password": HASHED, "changed_at": EPOCH}
    return LoginRecord.model_validate(given | values)


class Seconds:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


def a_call(method: str = "POST", *, address: str = "10.20.0.7", cookie: str = "", **headers: str) -> Request:
    """Return a call as the server sees it; header names with _ for -."""
    given = {"host": "hall.example", **{name.replace("_", "-"): value for name, value in headers.items()}}
    if cookie:
        given["cookie"] = cookie
    return Request(
        {
            "type": "http",
            "method": method,
            "scheme": "https",
            "path": "/v1/session",
            "query_string": b"",
            "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
            "client": (address, 50_000),
            "server": ("127.0.0.1", 8700),
        }
    )
