"""/v1/jobs: what became of a request."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from spooler.api import stream
from spooler.api.auth import BEARER, Caller, Role
from spooler.api.openapi import problems
from spooler.api.parts import Parts
from spooler.api.views import HandoverView, JobView, PageView, event_view
from spooler.errors import Destroyed, NotFound
from spooler.intake.request import Moment
from spooler.job import JobState, Reason
from spooler.store.values import Job, JobQuery

PDF = "application/pdf"


class Filters(BaseModel):
    """Which jobs; what is left out means any."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    registry: str | None = None
    state: JobState | None = None
    reason: Reason | None = None
    hall: str | None = None
    case: str | None = None
    request_id: str | None = None
    number: str | None = None
    serial: str | None = None
    late: bool | None = None
    updated_after: Moment | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 50
    cursor: Annotated[str, Field(pattern=r"^[0-9]{1,18}$")] | None = None


def job_router(parts: Parts) -> APIRouter:
    """Return the calls about kept jobs."""
    router = APIRouter(prefix="/v1/jobs", tags=["jobs"], dependencies=[Depends(BEARER)])
    _add_jobs(router, parts)
    _add_history(router, parts)
    _add_papers(router, parts)
    return router


def _visible(parts: Parts, who: Caller, job_id: str) -> Job:
    return who.must_see(parts.store.jobs.job(job_id))


def _add_jobs(router: APIRouter, parts: Parts) -> None:
    Who = Annotated[Caller, Depends(parts.callers)]

    @router.get("", summary="Jobs, newest first", responses=problems(401, 403, 422))
    def list_jobs(who: Who, filters: Annotated[Filters, Query()]) -> PageView:
        who.must_be(Role.READ, Role.OPERATE, Role.APPROVE, Role.HALL)
        query = JobQuery(**filters.model_dump(), registries=who.visible_registries, halls=who.visible_halls)
        page = parts.store.jobs.page(query)
        return PageView(jobs=[JobView.of(job) for job in page.jobs], next=page.next)

    @router.get("/{job_id}", summary="One job", responses=problems(401, 404))
    def show(who: Who, job_id: str) -> JobView:
        return JobView.of(_visible(parts, who, job_id))


def _add_history(router: APIRouter, parts: Parts) -> None:
    Who = Annotated[Caller, Depends(parts.callers)]
    streams = stream.Streams(parts.store.jobs, parts.stopping)

    @router.get(
        "/{job_id}/events",
        summary="Its history; with Accept: text/event-stream, as it happens",
        responses={200: {"content": {stream.MEDIA_TYPE: {}}}, **problems(401, 404, 503)},
        response_model=None,
    )
    def events(
        who: Who,
        job_id: str,
        after: Annotated[int, Query(ge=0, le=1 << 62)] = 0,
        accept: Annotated[str, Header()] = "",
        last_event_id: Annotated[str, Header(pattern=r"^[0-9]{0,9}$")] = "",
    ) -> StreamingResponse | dict[str, object]:
        _visible(parts, who, job_id)
        if stream.MEDIA_TYPE in accept:
            return streams.open(job_id, int(last_event_id or after))
        return {"events": [event_view(event) for event in parts.store.jobs.events(job_id, after)]}


def _add_papers(router: APIRouter, parts: Parts) -> None:
    Who = Annotated[Caller, Depends(parts.callers)]

    @router.get(
        "/{job_id}/document",
        summary="The sealed document",
        response_class=Response,
        responses={200: {"content": {PDF: {}}}, **problems(401, 403, 404, 410)},
    )
    def document(who: Who, job_id: str) -> Response:
        job = _visible(parts, who, job_id)
        who.must_be(Role.READ)
        who.must_reach(job.registry)
        name = parts.store.jobs.document_sha256(job_id)
        if name is None:
            raise NotFound()
        if parts.store.kept.is_destroyed(job_id):
            raise Destroyed(job_id=job_id)
        return Response(parts.documents.read(name), media_type=PDF, headers={"Cache-Control": "no-store"})

    @router.get("/{job_id}/handover", summary="Who took it, by role", responses=problems(401, 404))
    def handover(who: Who, job_id: str) -> HandoverView:
        _visible(parts, who, job_id)
        taken = parts.store.jobs.handover(job_id)
        if taken is None:
            raise NotFound()
        return HandoverView.of(taken)
