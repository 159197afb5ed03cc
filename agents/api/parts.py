"""What the hall's API is made of: each part is handed in by `app`."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from fastapi import APIRouter

from agents.accounts import Account
from agents.acts import Acts
from agents.calibration.desk import CalibrationDesk
from agents.changes import Changes
from agents.reconcile import Reconciliation
from agents.stock import StockRoom
from spooler.daemon.limit import Limit, wrong_token_limit
from spooler.daemon.login.door import Door


@dataclass(frozen=True)
class Parts:
    """All that the endpoints use. `changes` is told of every durable change, so that a list can be waited for."""

    acts: Acts
    stock: StockRoom
    accounts: Sequence[Account]
    probe: APIRouter
    reconciliation: Reconciliation = field(kw_only=True)
    calibration: CalibrationDesk = field(kw_only=True)
    changes: Changes = field(default_factory=Changes)
    wrong_tokens: Limit = field(default_factory=wrong_token_limit)
    door: Door = field(default_factory=lambda: Door("hall"))
