"""A signed message: DSSE, the Dead Simple Signing Envelope (secure-systems-lab/dsse, v1.0.2).

Letters have exactly one signature. A grant has two, of both sides: `countersign` adds the second, `open_by_all` asks for each.
"""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from spooler.wire import strict
from spooler.wire.errors import BadMessage
from spooler.wire.keys import KeyRecord, SigningKey, check_signature

MOST_SIGNATURES = 2

Signature = tuple[str, bytes]  # by which key, and what it made


def sign(payload: bytes, payload_type: str, key: SigningKey) -> bytes:
    """Return the envelope of `payload`, signed."""
    return _envelope(payload, payload_type, [_signature(payload, payload_type, key)])


def countersign(envelope: bytes, payload_type: str, key: SigningKey) -> bytes:
    """Return the same envelope with this key's signature beside those that are there; BadMessage when it is none or full."""
    payload, signatures = _take_all(envelope, payload_type, strict.MAX_BYTES)
    others = [one for one in signatures if one[0] != key.kid]
    if len(others) >= MOST_SIGNATURES:
        raise BadMessage(f"it has {len(others)} signatures of others already")
    return _envelope(payload, payload_type, [*others, _signature(payload, payload_type, key)])


def open_signed(
    envelope: bytes,
    payload_type: str,
    *,
    keys: Iterable[KeyRecord],
    use: str,
    at: datetime,
    max_bytes: int = strict.MAX_BYTES,
) -> bytes:
    """Return the payload, or raise BadMessage or BadSignature. The algorithm is the key record's."""
    payload, signature, kid = _take_apart(strict.parse(envelope, max_bytes=max_bytes), payload_type)
    check_signature(_to_be_signed(payload, payload_type), signature, kid, keys, use, at)
    return payload


def open_by_all(
    envelope: bytes, payload_type: str, check: Callable[[bytes, bytes, Signature], None], *, max_bytes: int
) -> bytes:
    """Return the payload once `check(payload, what was signed, signature)` let each of its signatures pass."""
    payload, signatures = _take_all(envelope, payload_type, max_bytes)
    for signature in signatures:
        check(payload, _to_be_signed(payload, payload_type), signature)
    return payload


def signed_bytes(envelope: bytes, payload_type: str) -> bytes:
    """Return what was signed without asking by whom; `open_signed` asks."""
    return _take_apart(strict.parse(envelope), payload_type)[0]


def _to_be_signed(payload: bytes, payload_type: str) -> bytes:
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _signature(payload: bytes, payload_type: str, key: SigningKey) -> Signature:
    return key.kid, key.sign(_to_be_signed(payload, payload_type))


def _envelope(payload: bytes, payload_type: str, signatures: Iterable[Signature]) -> bytes:
    return strict.canonical(
        {
            "payload": b64encode(payload).decode(),
            "payloadType": payload_type,
            "signatures": [{"keyid": kid, "sig": b64encode(made).decode()} for kid, made in signatures],
        }
    )


def _take_apart(envelope: Any, payload_type: str) -> tuple[bytes, bytes, str]:
    payload, signatures = _parts(envelope, payload_type)
    if len(signatures) != 1:
        raise BadMessage(f"not a signed {payload_type}")
    ((kid, signature),) = signatures
    return payload, signature, kid


def _take_all(envelope: bytes, payload_type: str, max_bytes: int) -> tuple[bytes, list[Signature]]:
    payload, signatures = _parts(strict.parse(envelope, max_bytes=max_bytes), payload_type)
    if not 1 <= len(signatures) <= MOST_SIGNATURES or len({kid for kid, _ in signatures}) < len(signatures):
        raise BadMessage("it has one or two signatures, each by another key")
    return payload, signatures


def _parts(envelope: Any, payload_type: str) -> tuple[bytes, list[Signature]]:
    try:
        payload, listed = envelope["payload"], [(one["keyid"], one["sig"]) for one in envelope["signatures"]]
        if envelope["payloadType"] != payload_type or not all(isinstance(kid, str) for kid, _ in listed):
            raise BadMessage(f"not a signed {payload_type}")
        return b64decode(payload, validate=True), [(kid, b64decode(made, validate=True)) for kid, made in listed]
    except (KeyError, TypeError, ValueError, NotBase64) as e:
        raise BadMessage(f"not a signed {payload_type}") from e
