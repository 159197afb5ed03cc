"""Who calls: a bearer token, known by its hash. What the account may do is decided by the acts."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from agents.accounts import Account, find_account
from agents.errors import HallError

LONGEST_TOKEN = 512
BEARER = HTTPBearer(auto_error=False, description="A token of hall.toml's [[accounts]].")


class NotAuthenticated(HallError):
    """No token, or one that nobody here has."""

    code = "not-authenticated"


def _caller(request: Request) -> Account:
    """Return whose token this is; the accounts are those of the application (`make_api`)."""
    accounts: Sequence[Account] = request.app.state.accounts
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    found = None
    if scheme.lower() == "bearer" and 0 < len(token) <= LONGEST_TOKEN and token.isascii():
        found = find_account(accounts, token.strip())
    if found is None:
        raise NotAuthenticated("须先登录 · a bearer token of this hall is needed")
    return found


Caller = Annotated[Account, Depends(_caller)]
