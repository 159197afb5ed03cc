"""When something that was put off is due again, also on a clock that was set back meanwhile."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement


def is_due(at: ColumnElement[Any], now: datetime, longest_seconds: float) -> ColumnElement[bool]:
    """Say that the time has come, or lies further off than anything is ever put off: then it is the clock that moved."""
    return (at <= now) | (at > now + timedelta(seconds=longest_seconds))
