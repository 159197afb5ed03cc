"""Who calls: a bearer token, known by its hash, or a session (daemon.login). What the account may do is decided by the acts."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from agents.accounts import Account, find_account, logged_in
from agents.errors import HallError
from spooler.daemon.limit import Limit
from spooler.daemon.login.door import Door

LONGEST_TOKEN = 512
BEARER = HTTPBearer(auto_error=False, description="A token of hall.toml's [[accounts]].")


class TooOften(HallError):
    """One unknown token after the other."""

    code = "too-often"

    def __init__(self, retry_seconds: int) -> None:
        super().__init__("令牌错误次数过多，请稍后再试 · too many unknown tokens, try again later")
        self.retry_seconds = retry_seconds


class NotAuthenticated(HallError):
    """No token, or one that nobody here has."""

    code = "not-authenticated"


def caller(request: Request) -> Account:
    """Return whose token or session this is; the accounts are those of the application (`make_api`)."""
    accounts: Sequence[Account] = request.app.state.accounts
    authorization = request.headers.get("authorization")
    found = _by_session(request) if authorization is None else _find(accounts, authorization)
    if found is None:
        wrong: Limit = request.app.state.wrong_tokens
        # A right token is never refused for the wrong ones of others behind the same address.
        if authorization is not None and not wrong.allows(request.client.host if request.client else ""):
            raise TooOften(wrong.retry_seconds)
        raise NotAuthenticated("须先登录 · a bearer token of this hall is needed")
    return found


def _by_session(request: Request) -> Account | None:
    door: Door = request.app.state.door
    opened = door.session(request)
    return None if opened is None else logged_in(opened.account)


def _find(accounts: Sequence[Account], authorization: str) -> Account | None:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not 0 < len(token) <= LONGEST_TOKEN or not token.isascii():
        return None
    return find_account(accounts, token.strip())


Caller = Annotated[Account, Depends(caller)]
