"""Logs: one JSON line an event on standard error, without personal data.

An exception is told by its type and where it was raised. Its text is kept only when it is one of ours (they have a `code`),
since the text of a validation or database error may hold the very values that were wrong.
"""

import json
import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

# A slip of the pen must not put a person into a log: these fields are withheld whoever logs them.
PERSONAL_FIELDS = frozenset(
    {
        "holder",
        "name",
        "parties",
        "party",
        "id_number",
        "mobile",
        "address",
        "fields",
        "document",
        "ticket",
        "body",
        "content",
    }
)
SECRET_FIELDS = frozenset({"password", "secret", "token", "authorization"})
# DEL and C1 (a terminal obeys them), line separators, directions, invisible characters, and halves of a character.
_UNSEEN = re.compile("[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]")
WITHHELD = "[withheld]"

Event = MutableMapping[str, Any]


def set_up(level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send our events, and what libraries warn of, to `stream` as JSON lines."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_logger_name,
            *_STAMPS,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_formatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for library in ("pika", "httpx", "httpcore", "uvicorn.access", "alembic", "fontTools", "pyhanko"):
        logging.getLogger(library).setLevel(logging.WARNING)
    # pika tells each lost connection in a dozen lines of its own; the courier tells it in one.
    logging.getLogger("pika").setLevel(logging.CRITICAL)


def _formatter() -> structlog.stdlib.ProcessorFormatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *_STAMPS],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            tell_exception,
            withhold,
            structlog.processors.JSONRenderer(serializer=as_line, default=str),
        ],
    )


def as_line(event: Event, **how: Any) -> str:
    """Return the event as one line of JSON, in which nothing moves a terminal's cursor or turns its text round."""
    line = json.dumps(event, ensure_ascii=False, **how)
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", line)


def withhold(_logger: object, _method: str, event: Event) -> Event:
    """Replace the values of personal and secret fields."""
    for key in event.keys() & (PERSONAL_FIELDS | SECRET_FIELDS):
        event[key] = WITHHELD
    return event


def tell_exception(_logger: object, _method: str, event: Event) -> Event:
    """Replace `exc_info` by what may be said of it."""
    error = _exception_in(event.pop("exc_info", None))
    if error is not None:
        event["exception"] = describe(error)
    return event


def describe(error: BaseException) -> dict[str, Any]:
    """Return the exception without its values: type, place, cause; the text only of our own."""
    told: dict[str, Any] = {"type": type(error).__name__, "at": _places(error)}
    if isinstance(getattr(error, "code", None), str):
        told["message"] = str(error)
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        told["cause"] = describe(cause)
    return told


def _places(error: BaseException) -> list[str]:
    """Return the innermost frames as module:line function; never source lines or locals."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return [f"{'/'.join(frame.filename.rsplit('/', 2)[-2:])}:{frame.lineno} {frame.name}" for frame in frames]


def _exception_in(info: Any) -> BaseException | None:
    if isinstance(info, BaseException):
        return info
    if isinstance(info, tuple):
        return info[1] if isinstance(info[1], BaseException) else None
    return sys.exc_info()[1] if info else None


_STAMPS: tuple[Any, ...] = (
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
)
