"""/v1/electronic/{job_id}: the electronic certificate of a job, as it stands now."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from spooler.api.auth import BEARER, Caller, Role
from spooler.api.jobs import PDF
from spooler.api.openapi import problems
from spooler.api.parts import Parts
from spooler.errors import Destroyed, NoElectronic, NotReady


def electronic_router(parts: Parts) -> APIRouter:
    """Return the one call. A file that does not show how the certificate stands is never handed out."""
    router = APIRouter(prefix="/v1/electronic", tags=["electronic"], dependencies=[Depends(BEARER)])
    Who = Annotated[Caller, Depends(parts.callers)]

    @router.get(
        "/{job_id}",
        summary="The electronic certificate (PDF/A-3b, sealed); a withdrawn one says 已注销",
        response_class=Response,
        responses={200: {"content": {PDF: {}}}, **problems(401, 403, 404, 409, 410)},
    )
    def electronic(who: Who, job_id: str) -> Response:
        job = who.must_see(parts.store.jobs.job(job_id))
        who.must_be(Role.READ)
        who.must_reach(job.registry)
        found = parts.store.electronics.of_job(job_id)
        if found is None:
            raise NoElectronic(job_id=job_id)
        if found.document_sha256 is None or found.identifier is None or found.is_due:
            raise NotReady(job_id=job_id)
        if parts.store.kept.is_electronic_destroyed(job_id):
            raise Destroyed(job_id=job_id)
        headers = {
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{found.identifier}.pdf"',
            "Certificate-Identifier": found.identifier,
            "Certificate-Validity": found.validity.value,
            "Link": f'</verify/{found.code}>; rel="alternate"; type="text/html"',
        }
        return Response(parts.documents.read(found.document_sha256), media_type=PDF, headers=headers)

    return router
