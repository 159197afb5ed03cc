"""A valid new job, of which each test varies one part."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

from spooler.store.values import NewJob
from spooler.wire.messages import Actor, Case, Pass, Seal, Stock

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
CLERK = Actor(id="system-1", role="submit")


def a_hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def a_pass(number: int = 1, name: str = "P") -> Pass:
    return Pass(number=number, name=name, pages=(number - 1,), stock=Stock.PROOF, width_mm=297.0, height_mm=210.0)


def a_new_job(number: int = 1, **varied: Any) -> NewJob:
    """Return the request of one proof; `number` makes its ids and number differ."""
    new = NewJob(
        registry="231221",
        request_id=f"request-{number}",
        request_sha256=a_hash(f"content {number}"),
        hall="231282-01",
        kind="proof",
        number=f"黑（2026）望奎县不动产证明第{number:07d}号",
        number_key=f"黑/2026/望奎县/{number}",
        version=1,
        case=Case(number=f"23122120260302{number:05d}", ordinal=1, of=1),
        template="proof/1",
        passes=(a_pass(),),
        seal=Seal.PRINTED,
        booked_on=date(2026, 3, 2),
        deadline=NOON + timedelta(minutes=15),
        unsigned_sha256=a_hash("pdf"),
        private_sha256=a_hash("private"),
    )
    return replace(new, **varied)
