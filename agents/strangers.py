"""Tries that the permit directory knows and the ledger does not: the ledger is older than the paper (step 5, at the start).

A permit that nobody has claimed is won back, so that nothing of it is sent any more. What was claimed may be on paper.
"""

from typing import Any
from uuid import UUID

import structlog

from agents.ledger import Ledger
from agents.ledger.past import Stranger
from agents.permit import Claim, PermitDirectory

_log = structlog.get_logger()


def note_strangers(ledger: Ledger, permits: PermitDirectory) -> list[Stranger]:
    """Write down what was claimed under permits that this ledger never issued; return what is new of it."""
    unknown = ledger.past.unknown_tries(permits.tries())
    claimed = [try_id for try_id in unknown if _was_claimed(permits, try_id)]
    strangers = [_stranger(try_id, permits.what_for(try_id)) for try_id in claimed]
    with ledger.transaction():
        for stranger in strangers:
            ledger.past.add_stranger(stranger)
    if unknown:
        _log.error("permits that this ledger never issued", tries=len(unknown), claimed=len(claimed), alarm=True)
    return strangers


def _was_claimed(permits: PermitDirectory, try_id: UUID) -> bool:
    """Win the permit back if nobody claimed it yet. Whoever is faster counts as having sent."""
    claim = permits.fate(try_id).claim
    return claim in (Claim.HELD, Claim.FREE) or (claim is Claim.NONE and not permits.revoke(try_id))


def _stranger(try_id: UUID, permit: Any) -> Stranger:
    order = permit.get("order")
    return Stranger(try_id, None if order is None else UUID(order), permit.get("attempt"), permit.get("number"))
