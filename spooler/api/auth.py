"""Who calls: a bearer token, known by its hash, or a session (daemon.login), with roles and with the registries and halls reached.

submit    make requests                    operate   cancel
read      see jobs and documents           approve   be the second person
hall      see her own hall's jobs, no field values, no document
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from fastapi import Request
from fastapi.security import HTTPBearer

from spooler.daemon.limit import Limit, wrong_token_limit
from spooler.daemon.login.door import Door
from spooler.daemon.login.records import LoginRecord
from spooler.errors import Code, NotAllowed, NotAuthenticated, NotFound, TooOften, finding
from spooler.store.values import Job
from spooler.wire.messages import Actor

ALL = "*"
LONGEST_TOKEN = 512


class Role(StrEnum):
    SUBMIT = "submit"
    READ = "read"
    OPERATE = "operate"
    APPROVE = "approve"
    HALL = "hall"


# Whoever decides about a job, or makes one, may see how it stands; only `read` sees documents.
SEES_JOBS = frozenset({Role.READ, Role.OPERATE, Role.APPROVE})


@dataclass(frozen=True)
class Caller:
    """A token's owner, as the settings know it. The token itself is kept nowhere, only its SHA-256."""

    id: str
    sha256: str
    roles: frozenset[str]
    registries: frozenset[str] = field(default_factory=frozenset)
    halls: frozenset[str] = field(default_factory=frozenset)

    @property
    def actor(self) -> Actor:
        return Actor(id=self.id, role=next((role for role in Role if role in self.roles), "none"))

    def acting_as(self, role: Role) -> Actor:
        return Actor(id=self.id, role=role)

    def must_be(self, *roles: Role) -> None:
        """Raise NotAllowed unless the caller has one of these roles."""
        if not self.roles.intersection(roles):
            raise NotAllowed()

    def must_reach(self, registry: str) -> None:
        """Raise NotAllowed unless requests of this registry are the caller's."""
        if not self.reaches(registry):
            raise NotAllowed(errors=(finding("registry", Code.FORBIDDEN),))

    def reaches(self, registry: str) -> bool:
        return ALL in self.registries or registry in self.registries

    def sees(self, registry: str, hall: str) -> bool:
        """Say whether jobs of this registry at this hall are shown to the caller."""
        as_registry = bool(self.roles & SEES_JOBS) and self.reaches(registry)
        as_hall = Role.HALL in self.roles and (ALL in self.halls or hall in self.halls)
        return as_registry or as_hall

    def must_see(self, job: Job | None) -> Job:
        """Return the job; one of another registry is not there."""
        if job is None or not self.sees(job.registry, job.hall):
            raise NotFound()
        return job

    @property
    def visible_registries(self) -> frozenset[str] | None:
        """Which registries' jobs a list may show; None is all, also where the hall narrows it instead."""
        return None if ALL in self.registries or not self.roles & SEES_JOBS else self.registries

    @property
    def visible_halls(self) -> frozenset[str] | None:
        """Which halls' jobs a list may show; None is all."""
        return None if ALL in self.halls or self.roles & SEES_JOBS else self.halls


def caller_of(account: LoginRecord) -> Caller:
    """Return whom a session speaks for: an account reaches what a token with the same words does."""
    return Caller(
        id=account.id,
        sha256="",
        roles=frozenset(account.roles),
        registries=frozenset(account.registries),
        halls=frozenset(account.halls),
    )


class Callers:
    """All tokens, by hash, and whoever is logged in. A FastAPI dependency: it returns who calls, or raises NotAuthenticated."""

    def __init__(self, callers: Iterable[Caller], wrong: Limit | None = None, door: Door | None = None) -> None:
        """`wrong` is how often one address may come with a token that nobody has; `door` where people log in."""
        self._by_hash = {caller.sha256.lower(): caller for caller in callers}
        self._wrong = wrong or wrong_token_limit()
        self.door = door or Door("home")

    def __call__(self, request: Request) -> Caller:
        authorization = request.headers.get("authorization")
        if authorization is None:
            return self._logged_in(request)
        caller = self._find(authorization)
        if caller is None:
            # A right token is never refused for the wrong ones of others behind the same address.
            if not self._wrong.allows(request.client.host if request.client else ""):
                raise TooOften(self._wrong.retry_seconds)
            raise NotAuthenticated()
        return caller

    def _logged_in(self, request: Request) -> Caller:
        opened = self.door.session(request)
        if opened is None:
            raise NotAuthenticated()
        return caller_of(opened.account)

    def _find(self, authorization: str) -> Caller | None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not 0 < len(token) <= LONGEST_TOKEN:
            return None
        # Looked up by hash: how long it takes tells nothing about the token.
        return self._by_hash.get(sha256(token.strip().encode("utf-8", "surrogateescape")).hexdigest())


BEARER = HTTPBearer(auto_error=False, description="A token of home.toml.")
