"""How each kind of letter is addressed: exchange, key, type and headers, all of them ids only; and read back."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from spooler.wire.envelope import Address
from spooler.wire.errors import BadMessage
from spooler.wire.letters import Delivery, Letter
from spooler.wire.topology import (
    CONTROL_TYPE,
    CONTROLS,
    EVENT_TYPE,
    EVENTS,
    ORDER_TYPE,
    ORDERS,
    REPORT_TYPE,
    REPORTS,
    to_hall,
    to_registry,
)

VERSION = 1


def order_letter(letter_id: str, address: Address, wrapped: bytes) -> Letter:
    """Return the letter that takes a wrapped order to its hall."""
    headers = _headers(address.registry, address.hall, address.order_id) | {"kid": address.kid}
    return Letter(letter_id, ORDERS, to_hall(address.registry, address.hall), ORDER_TYPE, wrapped, headers)


def control_letter(letter_id: str, registry: str, hall: str, order_id: UUID, signed: bytes) -> Letter:
    """Return the letter that takes a signed control to a hall."""
    return Letter(
        letter_id, CONTROLS, to_hall(registry, hall), CONTROL_TYPE, signed, _headers(registry, hall, order_id)
    )


def report_letter(letter_id: str, hall: str, registry: str, signed: bytes, order_id: UUID | None = None) -> Letter:
    """Return the letter that takes a signed report to a registry."""
    headers = _headers(registry, hall, order_id)
    return Letter(letter_id, REPORTS, to_registry(hall, registry), REPORT_TYPE, signed, headers)


def event_letter(letter_id: str, registry: str, type: str, body: bytes) -> Letter:
    """Return the letter that tells other departments of an event; `type` as in callbacks (job.received)."""
    return Letter(letter_id, EVENTS, f"{registry}.{type}", EVENT_TYPE, body, {"v": VERSION, "registry": registry})


def order_address(delivery: Delivery) -> Address:
    """Return what stands on an order's envelope, or raise BadMessage. What it says is believed only once the order opens."""
    headers = delivery.headers
    version = headers.get("v")
    if version != VERSION:
        raise BadMessage(f"version {version!r} of the wire is not known here, only {VERSION}")
    try:
        order_id = UUID(_text(headers, "order_id"))
    except ValueError as e:
        raise BadMessage("the header order_id is not a UUID") from e
    return Address(_text(headers, "registry"), _text(headers, "hall"), order_id, _text(headers, "kid"))


def _headers(registry: str, hall: str, order_id: UUID | None) -> dict[str, str | int]:
    headers: dict[str, str | int] = {"v": VERSION, "registry": registry, "hall": hall}
    return headers if order_id is None else headers | {"order_id": str(order_id)}


def _text(headers: Mapping[str, Any], name: str) -> str:
    value = headers.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 64:
        raise BadMessage(f"the header {name} is missing or not a short text")
    return value
