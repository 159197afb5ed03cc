"""Bodies of requests: read within a limit, JSON or multipart, in memory only, since they hold names and ID numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import Request
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from spooler.errors import Code, RequestRefused, TooLarge, Unreadable, WrongMediaType, finding
from spooler.intake.reading import path_of

# An order is at most 12 MiB; base64 adds a third.
MAX_BODY_BYTES = 17 << 20
MAX_PARTS = 64
JSON = "application/json"
MULTIPART = "multipart/form-data"
REQUEST_PART = "request"


@dataclass(frozen=True)
class Body:
    """The request's JSON, and the annexes that came beside it."""

    request: bytes
    parts: Mapping[str, bytes] = field(default_factory=dict)


async def read_body(request: Request) -> bytes:
    """Return the whole body, or raise TooLarge as soon as it is too much. A coroutine, as reading from the network is one."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > MAX_BODY_BYTES:
        raise TooLarge("", int(announced), MAX_BODY_BYTES)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise TooLarge("", f"> {MAX_BODY_BYTES}", MAX_BODY_BYTES)
    return bytes(body)


def split_body(content_type: str, body: bytes) -> Body:
    """Return the request and its parts, by the content type."""
    media_type, options = parse_options_header(content_type)
    match media_type.decode("ascii", "replace").lower():
        case "application/json":
            return Body(body)
        case "multipart/form-data":
            return _from_parts(_parse(options.get(b"boundary", b""), body))
    raise WrongMediaType()


def _from_parts(parts: list[tuple[str, bytes]]) -> Body:
    by_name = dict(parts)
    twice = [finding(path_of((name,)), Code.CONTENT_TWICE) for name in by_name if _count(parts, name) > 1]
    if twice:
        raise RequestRefused(twice)
    if REQUEST_PART not in by_name:
        raise RequestRefused([finding(REQUEST_PART, Code.MISSING)])
    return Body(by_name.pop(REQUEST_PART), by_name)


def _count(parts: list[tuple[str, bytes]], name: str) -> int:
    return sum(1 for other, _ in parts if other == name)


def _parse(boundary: bytes, body: bytes) -> list[tuple[str, bytes]]:
    reader = _Parts()
    try:
        parser = MultipartParser(boundary, reader.callbacks())  # type: ignore[arg-type]
        parser.write(body)
        parser.finalize()
    except (MultipartParseError, ValueError, UnicodeError):
        raise _not_multipart() from None
    if not reader.is_whole:
        raise _not_multipart()
    return reader.parts


def _not_multipart() -> Unreadable:
    return Unreadable(errors=(finding("", Code.MALFORMED),))


class _Parts:
    """Collects what the parser finds."""

    def __init__(self) -> None:
        self.parts: list[tuple[str, bytes]] = []
        self.is_whole = False
        self._header = (bytearray(), bytearray())
        self._name = ""
        self._data = bytearray()

    def callbacks(self) -> dict[str, object]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_part_data": lambda data, start, end: self._data.extend(data[start:end]),
            "on_part_end": self._end,
            "on_end": self._whole,
        }

    def _begin(self) -> None:
        if len(self.parts) == MAX_PARTS:
            raise MultipartParseError("too many parts")
        self._name = ""
        self._data = bytearray()

    def _header_end(self) -> None:
        name, value = self._header
        if bytes(name).lower() == b"content-disposition":
            _, options = parse_options_header(bytes(value))
            self._name = options.get(b"name", b"").decode("utf-8")
        self._header = (bytearray(), bytearray())

    def _end(self) -> None:
        self.parts.append((self._name, bytes(self._data)))

    def _whole(self) -> None:
        self.is_whole = True
