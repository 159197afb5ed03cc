"""/v1/enrolments: what a new hall asks and fetches, with nothing but its one-time code; and what people do about it, with a token."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from spooler.api.auth import BEARER, Caller, Role
from spooler.api.openapi import problems
from spooler.api.parts import Parts
from spooler.api.write_off import must_reach_all
from spooler.daemon.limit import Limit
from spooler.enrolments import NotAsked, NotEnrolled
from spooler.errors import Conflict, NotAllowed, TooOften
from spooler.store.enrolments import Enrolment
from spooler.wire.enrolment import LONGEST_REQUEST
from spooler.wire.trust import SiteKind

LONGEST_HOURS = 24 * 7
HallName = Annotated[str, Field(pattern=r"^[0-9]{6}-[0-9]{2}$")]
Fingerprint = Annotated[str, Field(pattern=r"^[0-9a-f]{4}(-[0-9a-f]{4}){3}$")]
Mac = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class NewCode(_Body):
    """A code for a hall that is to enrol."""

    hall: HallName
    name: Annotated[str, Field(max_length=200)] = ""
    site: SiteKind = SiteKind.HALL
    hours: Annotated[int, Field(ge=1, le=LONGEST_HOURS)] = 24


class CodeView(BaseModel):
    """The code, told this once."""

    code: str
    expires_at: datetime


class Asking(_Body):
    """A hall's public keys, and that it knows the code."""

    hall: HallName
    request: Annotated[str, Field(max_length=LONGEST_REQUEST)]
    signature: Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]
    mac: Mac


class AskedView(BaseModel):
    fingerprint: str


class Fetching(_Body):
    hall: HallName
    fingerprint: Fingerprint
    mac: Mac


class FetchedView(BaseModel):
    """asked: a person has not looked yet · accepted, with the answer · refused."""

    state: str
    answer: str | None = None
    mac: str | None = None


class EnrolmentView(BaseModel):
    """What waits for a person to compare the fingerprint."""

    hall: str
    name: str
    site: str
    fingerprint: str
    request: str
    signature: str
    asked_at: datetime

    @classmethod
    def of(cls, found: Enrolment) -> "EnrolmentView":
        return cls(
            hall=found.hall,
            name=found.name,
            site=found.site,
            fingerprint=found.fingerprint or "",
            request=found.request or "",
            signature=found.signature or "",
            asked_at=found.asked_at or found.made_at,
        )


class Enrolments(BaseModel):
    enrolments: list[EnrolmentView]


class Deciding(_Body):
    """The answer for the hall; none refuses it."""

    fingerprint: Fingerprint
    answer: Annotated[str, Field(max_length=200_000)] | None = None


class DecidedView(BaseModel):
    hall: str
    state: str


def enrolment_router(parts: Parts) -> APIRouter:
    """Return what people do: give codes out, look, decide."""
    router = APIRouter(prefix="/v1/enrolments", tags=["halls and events"], dependencies=[Depends(BEARER)])
    Who = Annotated[Caller, Depends(parts.callers)]
    desk = parts.enrolments

    @router.post("/codes", status_code=201, summary="A one-time code for a new hall", responses=problems(401, 403, 422))
    def give_code(who: Who, wanted: NewCode) -> CodeView:
        who.must_be(Role.APPROVE)
        must_reach_all(who, parts)
        life, by = timedelta(hours=wanted.hours), who.acting_as(Role.APPROVE)
        code, expires_at = desk.give_code(wanted.hall, wanted.name or wanted.hall, wanted.site, life, by)
        return CodeView(code=str(code), expires_at=expires_at)

    @router.get("", summary="Halls whose fingerprint is to be compared", responses=problems(401, 403))
    def list_waiting(who: Who) -> Enrolments:
        who.must_be(Role.APPROVE)
        must_reach_all(who, parts)
        return Enrolments(enrolments=[EnrolmentView.of(found) for found in desk.waiting()])

    @router.post("/{hall}/decision", summary="Accept or refuse", responses=problems(401, 403, 409, 422))
    def decide(who: Who, hall: str, decision: Deciding) -> DecidedView:
        who.must_be(Role.APPROVE)
        must_reach_all(who, parts)
        try:
            desk.decide(hall, decision.fingerprint, decision.answer, who.acting_as(Role.APPROVE))
        except NotAsked:
            raise Conflict(hall=hall, state="not-asked") from None
        return DecidedView(hall=hall, state="refused" if decision.answer is None else "accepted")

    return router


def enrolling_router(parts: Parts) -> APIRouter:
    """Return what a new hall does: it has no token yet, and shows that it knows its code."""
    router = APIRouter(prefix="/v1/enrolments", tags=["halls and events"])
    limit, desk = parts.enrolment_limit, parts.enrolments

    @router.post("", status_code=202, summary="A new hall's public keys", responses=problems(403, 422, 429))
    def ask(request: Request, asking: Asking) -> AskedView:
        _must_be_patient(limit, request)
        try:
            return AskedView(fingerprint=desk.ask(asking.hall, asking.request, asking.signature, asking.mac))
        except NotEnrolled:
            raise NotAllowed() from None

    @router.post("/answer", summary="What became of it", responses=problems(403, 422, 429))
    def fetch(request: Request, fetching: Fetching) -> FetchedView:
        _must_be_patient(limit, request)
        try:
            found = desk.fetch(fetching.hall, fetching.fingerprint, fetching.mac)
        except NotEnrolled:
            raise NotAllowed() from None
        return FetchedView(state=found.state, answer=found.answer, mac=found.mac)

    return router


def _must_be_patient(limit: Limit, request: Request) -> None:
    """Before anything is looked up: who tries on and on writes no alarm after another."""
    if not limit.allows(request.client.host if request.client else ""):
        raise TooOften(limit.retry_seconds)
