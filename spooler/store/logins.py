"""Logins as they are kept: each with its entry in the audit log, in one transaction."""

from spooler.store.audit_chain import AuditChain
from spooler.store.login_tables import logins
from spooler.store.transactions import Transactions


class Logins:
    """Writes."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def note(self, account: str, what: str) -> None:
        """Keep that this account came, went, or was refused."""
        with self._transactions.changing() as change:
            login = {"at": change.now, "account": account, "what": what}
            place = change.insert(logins, login)
            AuditChain(change.connection).append_login(place, login)
