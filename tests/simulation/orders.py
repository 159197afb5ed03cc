"""Orders as they travel: what home sealed, wrapped anew each time, and the ticket that a hall finds in it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from spooler.wire.messages import Case, Check, Pass, Seal, Stock, Turn
from tests.simulation.world import START

REGISTRY, HALL, OTHER_HALL = "231221", "231282-01", "231283-01"


@dataclass(frozen=True)
class SealedOrder:
    """What home sealed, before it is wrapped; `content` stands for its bytes."""

    order_id: UUID
    job_id: UUID
    passes: tuple[Pass, ...]
    not_after: datetime
    content: str

    @property
    def identity(self) -> str:
        return sha256(self.content.encode()).hexdigest()


@dataclass(frozen=True)
class Wrapped:
    """An order as it travels: no two wrappings are alike."""

    order: SealedOrder
    nonce: int

    def __bytes__(self) -> bytes:
        return f"{self.order.content}/{self.nonce}".encode()


@cache
def shapes(*, spreads: int, lists: int, check: Check | None = None) -> tuple[Pass, ...]:
    """A booklet of so many printed spreads (the rest is empty sides), so many plain lists, and a check sheet if wanted."""
    passes = [
        Pass(
            number=n + 1,
            name="ABC"[n],
            pages=(n,) if n < spreads else (),
            stock=Stock.CERTIFICATE,
            width_mm=332,
            height_mm=239,
            turn=Turn.PAGE if n else Turn.NONE,
        )
        for n in range(3)
    ]
    passes += [
        Pass(number=4 + n, name=f"L{n + 1}", pages=(3 + n,), stock=Stock.PLAIN, width_mm=210, height_mm=297)
        for n in range(lists)
    ]
    if check is not None:
        last = {"number": 4 + lists, "name": "K", "pages": (3 + lists,), "check": check}
        passes.append(Pass(stock=Stock.PLAIN, width_mm=210, height_mm=297, **last))
    return tuple(passes)


class Envelope(bytes):
    """Bytes to be hashed, and what is in them."""

    wrapped: Wrapped


def enveloped(order: SealedOrder, nonce: int) -> Envelope:
    wrapped = Wrapped(order, nonce)
    envelope = Envelope(bytes(wrapped))
    envelope.wrapped = wrapped
    return envelope


def ticket_of(order: SealedOrder) -> Any:
    return SimpleNamespace(
        order_id=order.order_id,
        job_id=order.job_id,
        registry=REGISTRY,
        kind="certificate",
        number="n",
        number_version=1,
        template="certificate/1",
        seal=Seal.PRINTED,
        window=None,
        case=_CASE,
        deadline=START + timedelta(hours=1),
        not_before=START,
        not_after=order.not_after,
        document_sha256="0" * 64,
        holder="持证人",
        parties=(),
        passes=order.passes,
        replaces=None,
    )


_CASE = Case(number="1", ordinal=1, of=1)
