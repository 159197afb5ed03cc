"""The receiver's check of a callback: headers and body of any shape are NotGenuine, or are what home sent."""

from collections.abc import Iterator
from datetime import UTC, datetime

from spooler.callback import Target
from spooler.callback_verify import NotGenuine, verify

REFUSES = (NotGenuine,)
MOST_MEGABYTES = 128
LONGEST = 8_192

_SECRET = "whsec_bmV3LXNlY3JldC1uZXctc2VjcmV0"
_NOW = datetime(2026, 5, 20, 2, tzinfo=UTC)
_BODY = b'{"type":"job.received","data":{"job_id":"j"}}'
_NAMES = ("webhook-id", "webhook-timestamp", "webhook-signature")


def read(data: bytes) -> None:
    *values, body = (data.split(b"\n", 3) + [b""] * 3)[:4]
    # As a server hands them on: bytes that are no text come as lone surrogates, or as Latin-1.
    for errors in ("surrogateescape", "replace"):
        headers = {
            name: value.decode("utf-8", errors) for name, value in zip(_NAMES, values, strict=True) if value != b"-"
        }
        assert verify(body, headers, secrets=[_SECRET], now=_NOW) and body == _BODY, "a forged callback was taken"


def seeds() -> Iterator[tuple[str, bytes]]:
    headers = Target("records", "https://records.example/", (_SECRET,)).headers("evt_1", _BODY, _NOW)
    genuine = [headers[name].encode() for name in _NAMES]
    yield "genuine", b"\n".join([*genuine, _BODY])
    yield "changed", b"\n".join([*genuine, _BODY + b" "])
    yield "two-signatures", b"\n".join([genuine[0], genuine[1], b"v1,AAAA v2,x " + genuine[2], _BODY])
    yield "no-id", b"\n".join([b"-", genuine[1], genuine[2], _BODY])
    yield "empty", b"\n\n\n"
