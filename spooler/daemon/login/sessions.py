"""Who is logged in: in the daemon's memory, by the hash of a random token. A daemon that starts again knows nobody.

A session lasts as long as the account's record is the one with which it began: a new password, other roles, or the account's being
disabled end it with the next call.
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock
from time import monotonic

from spooler.daemon.login.records import LoginRecord

IDLE_SECONDS = 30 * 60.0
LONGEST_SECONDS = 12 * 3600.0  # a working day
MOST_OF_ONE = 10
TOKEN_BYTES = 32
TOKEN_CHARACTERS = 43  # of these bytes in base64


@dataclass(frozen=True)
class Opened:
    """A session as its owner sees it."""

    account: LoginRecord
    csrf: str
    seconds_left: float  # until it ends whatever is done


@dataclass
class _Session:
    account: LoginRecord
    began: float
    seen: float


class Sessions:
    """All sessions of one daemon. Any thread may ask."""

    def __init__(
        self, accounts: Callable[[], Mapping[str, LoginRecord]], seconds: Callable[[], float] = monotonic
    ) -> None:
        self._accounts = accounts
        self._seconds = seconds
        self._turn = Lock()
        self._sessions: dict[str, _Session] = {}

    def begin(self, account: LoginRecord) -> str:
        """Return the token of a new session; of one account's the longest unused ends when there are too many."""
        token, now = secrets.token_urlsafe(TOKEN_BYTES), self._seconds()
        with self._turn:
            self._forget_ended(now)
            of_this = sorted((one.seen, key) for key, one in self._sessions.items() if one.account.id == account.id)
            for _, key in of_this[: max(0, len(of_this) - MOST_OF_ONE + 1)]:
                del self._sessions[key]
            self._sessions[_hash(token)] = _Session(account, now, now)
        return token

    def find(self, token: str) -> Opened | None:
        """Return the session that goes on with this call, if it does."""
        now, known = self._seconds(), self._accounts()
        with self._turn:
            session = self._sessions.get(_hash(token))
            if session is None:
                return None
            if _has_ended(session, now) or known.get(session.account.id) != session.account:
                del self._sessions[_hash(token)]
                return None
            session.seen = now
        return Opened(session.account, csrf_of(token), session.began + LONGEST_SECONDS - now)

    def end(self, token: str) -> None:
        with self._turn:
            self._sessions.pop(_hash(token), None)

    def count(self) -> int:
        with self._turn:
            self._forget_ended(self._seconds())
            return len(self._sessions)

    def _forget_ended(self, now: float) -> None:
        for key in [key for key, session in self._sessions.items() if _has_ended(session, now)]:
            del self._sessions[key]


def csrf_of(token: str) -> str:
    """Return what a page of ours says in a header: only who holds the session can know it, and nothing else is kept."""
    made = hmac.new(token.encode(), b"certspool csrf", sha256).digest()
    return urlsafe_b64encode(made).decode().rstrip("=")


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _has_ended(session: _Session, now: float) -> bool:
    return now - session.seen > IDLE_SECONDS or now - session.began > LONGEST_SECONDS
