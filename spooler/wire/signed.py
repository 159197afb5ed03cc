"""A signed message: DSSE, the Dead Simple Signing Envelope (secure-systems-lab/dsse, v1.0.2), with exactly one signature."""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from spooler.wire import strict
from spooler.wire.errors import BadMessage
from spooler.wire.keys import KeyRecord, SigningKey, check_signature


def sign(payload: bytes, payload_type: str, key: SigningKey) -> bytes:
    """Return the envelope of `payload`, signed."""
    signature = key.sign(_to_be_signed(payload, payload_type))
    return strict.canonical(
        {
            "payload": b64encode(payload).decode(),
            "payloadType": payload_type,
            "signatures": [{"keyid": key.kid, "sig": b64encode(signature).decode()}],
        }
    )


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


def signed_bytes(envelope: bytes, payload_type: str) -> bytes:
    """Return what was signed without asking by whom; `open_signed` asks."""
    return _take_apart(strict.parse(envelope), payload_type)[0]


def _to_be_signed(payload: bytes, payload_type: str) -> bytes:
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _take_apart(envelope: Any, payload_type: str) -> tuple[bytes, bytes, str]:
    try:
        (only,) = envelope["signatures"]
        payload, signature, kid = envelope["payload"], only["sig"], only["keyid"]
        if envelope["payloadType"] != payload_type or not isinstance(kid, str):
            raise BadMessage(f"not a signed {payload_type}")
        return b64decode(payload, validate=True), b64decode(signature, validate=True), kid
    except (KeyError, TypeError, ValueError, NotBase64) as e:
        raise BadMessage(f"not a signed {payload_type}") from e
