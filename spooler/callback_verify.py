"""The receiver's half of step 6: is this callback genuine, unaltered and fresh. Whatever is wrong with it is one error.

Registration systems may take this module as it is; it needs the standard library alone.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

TOLERANCE = timedelta(minutes=5)
MOST_SIGNATURES = 16
LONGEST_HEADER = 2_048


class NotGenuine(Exception):
    """Not from who it says, not as it was sent, or not from now: answer 401 and forget it."""

    code = "not-genuine"


def verify(
    body: bytes, headers: Mapping[str, str], *, secrets: Iterable[str], now: datetime, tolerance: timedelta = TOLERANCE
) -> dict[str, Any]:
    """Return the event, or raise NotGenuine. Each id is to be acted upon once: a copy within the tolerance is genuine too."""
    try:
        event_id, sent_at, signatures = _read(headers)
        _check_time(sent_at, now, tolerance)
        _check_signature(f"{event_id}.{sent_at}.".encode() + body, signatures, secrets)
        event = json.loads(body)
    except (ValueError, KeyError, OverflowError, RecursionError) as e:
        # Why is not said: whoever forges would learn from it.
        raise NotGenuine("the callback is not genuine") from e
    if not isinstance(event, dict):
        raise NotGenuine("the callback is not genuine")
    return event


def _read(headers: Mapping[str, str]) -> tuple[str, int, list[str]]:
    given = {name.lower(): value for name, value in headers.items()}
    event_id, time, signatures = (given[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
    if not (event_id and event_id.isascii() and len(event_id) <= LONGEST_HEADER >= len(signatures)):
        raise ValueError("webhook-id or webhook-signature")
    if not (time.isascii() and time.isdecimal() and len(time) <= 12 and time == str(int(time))):
        raise ValueError("webhook-timestamp")
    return event_id, int(time), signatures.split(" ")[:MOST_SIGNATURES]


def _check_time(sent_at: int, now: datetime, tolerance: timedelta) -> None:
    if abs(now.timestamp() - sent_at) > tolerance.total_seconds():
        raise ValueError("too old, or from the future")


def _check_signature(signed: bytes, signatures: list[str], secrets: Iterable[str]) -> None:
    wanted = [hmac.digest(_key(secret), signed, "sha256") for secret in secrets]
    given = [_decoded(text.removeprefix("v1,")) for text in signatures if text.startswith("v1,")]
    # Every pair is compared, so that the time tells nothing of which was near.
    if not any([hmac.compare_digest(mac, other) for mac in wanted for other in given]):
        raise ValueError("no signature fits")


def _key(secret: str) -> bytes:
    key = base64.b64decode(secret.removeprefix("whsec_") + "==")
    if not key:
        raise ValueError("an empty secret")
    return key


def _decoded(text: str) -> bytes:
    """Return the bytes; nothing for what is no base64, as another signature beside it may be good."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
