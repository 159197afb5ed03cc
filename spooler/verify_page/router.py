"""GET /verify/{code}: the page over HTTP. The same router stands beside the home's API and in a process of its own."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy.exc import SQLAlchemyError

from spooler.daemon.limit import Limit
from spooler.electronic.opening import CODE_PATTERN
from spooler.verify_page.certificates import Certificates, Shown
from spooler.verify_page.page import HEADERS, Asked, answer_of, draw
from spooler.verify_page.words import Answer, Language

_STATUS: dict[Answer, int] = {"unknown": 404, "busy": 429, "away": 503}
_RETRY_SECONDS = "60"
_PAGE: dict[str, Any] = {"content": {"text/html": {"schema": {"type": "string"}}}}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    404: {"description": "查无此证", **_PAGE},
    429: {"description": "Asked too often", **_PAGE},
    503: {"description": "Not available now", **_PAGE},
}

_log = structlog.get_logger()


def verify_router(
    certificates: Certificates,
    *,
    limit: Limit,
    clock: Callable[[], datetime],
    count: Callable[[Answer], None] = lambda answer: None,
) -> APIRouter:
    """Return the page's routes. What fails is said to have failed, never that a certificate is unknown."""
    router = APIRouter(tags=["verify"], default_response_class=HTMLResponse)

    def asked(request: Request, lang: str) -> Asked:
        language: Language = "en" if lang == "en" else "zh"
        return Asked(language, request.url.path, clock())

    def answer(asked: Asked, answer: Answer, shown: Shown | None = None) -> HTMLResponse:
        count(answer)
        headers = {**HEADERS, "Content-Language": "zh-CN" if asked.language == "zh" else "en"}
        status = _STATUS.get(answer, 200)
        if status in (429, 503):
            headers["Retry-After"] = _RETRY_SECONDS
        return HTMLResponse(draw(asked, answer, shown), status, headers)

    def is_allowed(request: Request) -> bool:
        return limit.allows(request.client.host if request.client else "")

    @router.get(
        "/verify/{code}",
        summary="Is this certificate genuine, current, withdrawn (a page, for anybody)",
        responses=_ANSWERS,
    )
    def verify(request: Request, code: str, lang: Literal["zh", "en"] | str = "zh") -> HTMLResponse:
        question = asked(request, lang)
        if not is_allowed(request):
            return answer(question, "busy")
        try:
            shown = certificates.by_code(code) if re.fullmatch(CODE_PATTERN, code) else None
        except SQLAlchemyError as e:
            _log.error("certificate not looked up", error=type(e).__name__)  # the code stays out of the log
            return answer(question, "away")
        return answer(question, answer_of(shown), shown)

    @router.get(
        "/verify",
        summary="Where a code can be typed in",
        response_model=None,
        responses={303: {"description": "To the answer"}, **_ANSWERS},
    )
    def ask(request: Request, code: str = "", lang: str = "zh") -> HTMLResponse | RedirectResponse:
        question = asked(request, lang)
        if not is_allowed(request):
            return answer(question, "busy")
        typed = "".join(
            re.findall(r"[a-z2-7]", code.lower().rsplit("/", 1)[-1])
        )  # whoever pastes the address means its end
        if not typed:
            return answer(question, "ask")
        return RedirectResponse(f"/verify/{typed[:64]}?lang={question.language}", 303, HEADERS)

    return router
