"""Who is at the counter: logins with roles, by token (hall.toml) or by password. A second person is a login, never a name in a body.

An id is one person, however she came in: what she asks with a token she cannot approve with a password.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest

from agents.errors import NotAllowed
from spooler.daemon.login.records import LoginRecord
from spooler.wire.messages import Actor


class Role(StrEnum):
    CLERK = "clerk"  # sees orders, prints, hands over, keeps the stock
    APPROVE = "approve"  # agrees to what another asked


@dataclass(frozen=True)
class Account:
    """One login. Only the hash of its token is kept."""

    id: str
    roles: frozenset[Role]
    token_sha256: str = ""

    def acting_as(self, role: Role) -> Actor:
        """Return the actor for the history, or raise NotAllowed."""
        if role not in self.roles:
            raise NotAllowed(f"本账号没有 {role} 权限 · account {self.id} lacks the role {role}")
        return Actor(id=self.id, role=role)


# Moves that no login made: a policy of the hall, or the machine itself.
POLICY = Actor(id="policy", role="policy")
MACHINE = Actor(id="agent", role="machine")


def logged_in(record: LoginRecord) -> Account:
    """Return the account of whoever came in by password; a role that there is not gives nothing."""
    return Account(record.id, frozenset(role for role in Role if role in record.roles))


def find_account(accounts: Iterable[Account], token: str) -> Account | None:
    """Return whose token this is; each is compared, in constant time."""
    digest = sha256(token.encode()).hexdigest()
    found = None
    for account in accounts:
        if compare_digest(account.token_sha256, digest):
            found = account
    return found
