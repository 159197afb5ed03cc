"""Logins as they are kept: each with its entry in the audit log, in one transaction."""

from datetime import datetime

from agents.ledger.audit import write_down
from agents.ledger.database import Database


class Logins:
    """Who came in by password, went, or was refused."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def note(self, account: str, what: str, at: datetime) -> None:
        write_down(self._db, "login", {"at": at.isoformat(), "account": account, "what": what})
