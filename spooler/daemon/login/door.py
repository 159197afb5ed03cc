"""The door for people with a password: who knocks, who is in, and that it is our own page that speaks for them.

A call with a bearer token never comes here. One with a session's cookie may read; to change anything it must come from our own origin and
say the session's token in a header, which another site can neither read nor send.
"""

import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hmac import compare_digest
from time import monotonic
from typing import Literal
from urllib.parse import urlsplit

import structlog
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from spooler.daemon.login.pace import Pace, TooFast
from spooler.daemon.login.password import Comparing, TooManyAtOnce
from spooler.daemon.login.records import AccountsUnusable, LoginRecord
from spooler.daemon.login.sessions import TOKEN_CHARACTERS, Opened, Sessions
from spooler.daemon.problem import Refused

CSRF_HEADER = "x-csrf-token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LOOPBACK = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?", re.ASCII)
RETRY_SECONDS = 1

What = Literal["logged-in", "refused", "limited", "logged-out"]

_log = structlog.get_logger()


@dataclass(frozen=True)
class Knock:
    """What happened at the door. `account` is one that exists, or None: what else was typed may be a password."""

    what: What
    account: str | None


def no_accounts() -> Mapping[str, LoginRecord]:
    return {}


class Door:
    """Made once a daemon. `told` hears of whoever is let in before the answer (if it fails, nobody is), of refusals after it."""

    def __init__(
        self,
        side: str,
        *,
        accounts: Callable[[], Mapping[str, LoginRecord]] = no_accounts,
        told: Callable[[Knock], None] = lambda knock: None,
        is_plain: bool = False,
        compare: Callable[[str | None, str], bool] | None = None,
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        """`side` tells this daemon's cookie from those of others at the same address; `is_plain`: http on this machine."""
        self._accounts = accounts
        self._told = told
        self._is_plain = is_plain
        self._complaint = ""
        self._later = ThreadPoolExecutor(1, thread_name_prefix="door")  # begins with the first refusal
        self._compare = compare or Comparing()
        self._pace = Pace(seconds)
        self._sessions = Sessions(accounts, seconds)
        self.cookie = f"certspool-{side}" if is_plain else f"__Host-certspool-{side}"

    def log_in(self, request: Request, account: str, password: str) -> tuple[Opened, str]:
        """Return a new session and its token, or raise Refused: in the same words and time whatever is wrong."""
        self._must_be_our_page(request)
        self._must_be_this_machine(request)
        record = self._known().get(account)
        address = request.client.host if request.client else ""
        try:
            self._pace.take(account, address)
            is_right = self._compare(record.password if record else None, password)
        except TooFast as e:
            raise self._too_often(record, e.retry_seconds) from None
        except TooManyAtOnce:
            raise self._too_often(record, RETRY_SECONDS) from None
        if record is None or record.is_disabled or not is_right:
            self._note_later(Knock("refused", record.id if record else None))
            raise Refused(401, "wrong-login", "账号或口令不对 · account or password is wrong")
        self._told(Knock("logged-in", record.id))
        self._pace.was_right(account, address)
        token = self._sessions.begin(record)
        opened = self._sessions.find(token)
        if opened is None:  # the account was changed within this very moment
            raise Refused(401, "wrong-login", "账号或口令不对 · account or password is wrong")
        return opened, token

    def log_out(self, request: Request) -> bool:
        """End the session that calls; say whether there was one."""
        opened = self.session(request)
        if opened is not None:
            self._told(Knock("logged-out", opened.account.id))
            self._sessions.end(self._token(request))
        return opened is not None

    def session(self, request: HTTPConnection) -> Opened | None:
        """Return who calls by cookie, if anybody; Refused when the call changes something and is not our page's."""
        token = self._token(request)
        if len(token) != TOKEN_CHARACTERS:
            return None
        try:
            opened = self._sessions.find(token)
        except AccountsUnusable as e:
            self._complain(e)
            return None
        if opened is None:
            return None
        self._must_be_this_machine(request)
        if request.scope["method"] not in SAFE_METHODS:
            self._must_be_our_page(request)
            said = request.headers.get(CSRF_HEADER, "")
            if not compare_digest(said.encode(), opened.csrf.encode()):
                raise Refused(403, "csrf", f"缺少防伪标记 · the header {CSRF_HEADER} must say the session's csrf")
        return opened

    def let_in(self, answer: Response, token: str) -> None:
        answer.set_cookie(self.cookie, token, secure=not self._is_plain, httponly=True, samesite="strict", path="/")

    def let_out(self, answer: Response) -> None:
        answer.delete_cookie(self.cookie, secure=not self._is_plain, httponly=True, samesite="strict", path="/")

    def flush(self) -> None:
        """Return once every refusal so far is told."""
        self._later.submit(lambda: None).result()

    def count(self) -> int:
        """Return how many sessions there are."""
        return self._sessions.count()

    def _known(self) -> Mapping[str, LoginRecord]:
        try:
            return self._accounts()
        except AccountsUnusable as e:
            self._complain(e)
            raise Refused(503, "try-later", "暂时无法登录 · nobody can log in just now", retry_seconds=60) from None

    def _complain(self, error: AccountsUnusable) -> None:
        """Once for each fault: pages ask every few seconds."""
        if str(error) != self._complaint:
            self._complaint = str(error)
            _log.error("accounts cannot be read: nobody is logged in", why=str(error), alarm=True)

    def _note_later(self, knock: Knock) -> None:
        """Only an account that there is gets a row on disk: an answer that waited for it would say that it exists."""
        self._later.submit(self._note, knock)

    def _note(self, knock: Knock) -> None:
        try:
            self._told(knock)
        except Exception:
            _log.exception("a refused log-in was not written down", account=knock.account, alarm=True)

    def _too_often(self, record: LoginRecord | None, seconds: int) -> Refused:
        self._told(Knock("limited", record.id if record else None))
        said = "尝试次数过多，请稍后再试 · too many attempts, try again later"
        return Refused(429, "too-often", said, retry_seconds=seconds)

    def _token(self, request: HTTPConnection) -> str:
        return request.cookies.get(self.cookie, "")

    def _must_be_our_page(self, request: HTTPConnection) -> None:
        """A browser says where a call comes from; what is no browser says nothing, and has no cookie of another's either."""
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        is_ours = (
            site in {"same-origin", "none"} if site else not origin or _host(origin) == request.headers.get("host")
        )
        if not is_ours:
            said = "请求来自其他网站 · the call comes from another site (a proxy in front must pass Host on as it came)"
            raise Refused(403, "cross-site", said)

    def _must_be_this_machine(self, request: HTTPConnection) -> None:
        """Without TLS a name that leads here from elsewhere, or by DNS rebinding, is no way in."""
        # The header as it came: where it is no host at all, the framework says the server's own address.
        if self._is_plain and LOOPBACK.fullmatch(request.headers.get("host", "")) is None:
            raise Refused(403, "cross-site", "仅限本机 · plain http: only at 127.0.0.1 or localhost on this machine")


def _host(origin: str) -> str:
    return urlsplit(origin).netloc
