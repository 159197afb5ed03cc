"""What stands on the outside of a letter: headers with ids only, and an order's address read back from them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from spooler.wire.envelope import Address
from spooler.wire.errors import BadMessage
from spooler.wire.letters import Delivery

VERSION = 1
_LONGEST = 64


def headers(
    *, registry: str, hall: str | None = None, order_id: UUID | str | None = None, kid: str | None = None
) -> dict[str, str | int]:
    """Return a letter's headers. Orders have all of them; `kid` names the key it is wrapped for or signed with."""
    ids = {"registry": registry, "hall": hall, "order_id": order_id, "kid": kid}
    return {"v": VERSION} | {name: str(value) for name, value in ids.items() if value is not None}


def order_address(delivery: Delivery) -> Address:
    """Return what stands on an order's envelope, or raise BadMessage. What it says is believed only once the order opens."""
    found = delivery.headers
    if found.get("v") != VERSION:
        raise BadMessage(f"version {found.get('v')!r} of the wire is not known here, only {VERSION}")
    try:
        order_id = UUID(_text(found, "order_id"))
    except ValueError as e:
        raise BadMessage("the header order_id is not a UUID") from e
    return Address(_text(found, "registry"), _text(found, "hall"), order_id, _text(found, "kid"))


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
        raise BadMessage(f"the header {name} is missing or not a short text")
    return value
