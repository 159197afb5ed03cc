"""`/v1/session`: logging in, who is logged in, logging out. The same at home and in a hall."""

from collections.abc import Callable
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from spooler.daemon.login.door import Door
from spooler.daemon.login.sessions import IDLE_SECONDS, Opened
from spooler.daemon.problem import Refused

LONGEST_TYPED = 512


class Credentials(BaseModel):
    """Who logs in. Neither of the two is ever logged or repeated."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: Annotated[str, Field(min_length=1, max_length=64)]
    password: Annotated[str, Field(min_length=1, max_length=LONGEST_TYPED)]


class SessionView(BaseModel):
    """Who calls. With a bearer token there is no session: `csrf` and the times are null."""

    id: str
    roles: list[str]
    registries: list[str]
    halls: list[str]
    csrf: str | None = Field(
        description="What the header X-CSRF-Token says in every call by cookie that changes something."
    )
    idle_seconds: int | None = Field(description="After so long without a call the session ends.")
    seconds_left: int | None = Field(description="After so long it ends whatever is done.")


class Caller(Protocol):
    """Whoever a side's own dependency finds: by token or by session."""

    @property
    def id(self) -> str: ...

    @property
    def roles(self) -> frozenset[Any]: ...


def session_router(door: Door, find: Callable[..., Caller], security: Callable[..., Any]) -> APIRouter:
    """`find` is the side's dependency that says who calls, `security` the one that its document names."""
    router = APIRouter(prefix="/v1/session", tags=["session"])

    @router.post("", summary="Log in: answers a cookie", responses={401: {}, 403: {}, 429: {}, 503: {}})
    def log_in(request: Request, answer: Response, body: Credentials) -> SessionView:
        opened, token = door.log_in(request, body.account, body.password)
        door.let_in(answer, token)
        return _view(opened)

    @router.get("", summary="Who calls", dependencies=[Depends(security)])
    def who(request: Request, by: Annotated[Any, Depends(find)]) -> SessionView:
        opened = None if "authorization" in request.headers else door.session(request)
        return _view(opened) if opened else _token_view(by)

    @router.delete(
        "", summary="Log out", status_code=204, dependencies=[Depends(security), Depends(find)], responses={404: {}}
    )
    def log_out(request: Request) -> Response:
        if "authorization" in request.headers or not door.log_out(request):
            raise Refused(404, "not-found", "没有会话 · a bearer token has no session")
        answer = Response(status_code=204)
        door.let_out(answer)
        return answer

    return router


def _view(opened: Opened) -> SessionView:
    account = opened.account
    return SessionView(
        id=account.id,
        roles=list(account.roles),
        registries=list(account.registries),
        halls=list(account.halls),
        csrf=opened.csrf,
        idle_seconds=int(IDLE_SECONDS),
        seconds_left=int(opened.seconds_left),
    )


def _token_view(caller: Caller) -> SessionView:
    scope: dict[str, list[str]] = {name: sorted(getattr(caller, name, ())) for name in ("registries", "halls")}
    return SessionView(
        id=caller.id,
        roles=sorted(str(role) for role in caller.roles),
        csrf=None,
        idle_seconds=None,
        seconds_left=None,
        **scope,
    )
