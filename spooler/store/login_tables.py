"""The table of logins: who came in by password, or tried to, and when. Accounts themselves are in a file (daemon.login.records)."""

from sqlalchemy import Column, String, Table

from spooler.store.columns import Place, UtcTime, metadata

logins = Table(
    "logins",
    metadata,
    Column("place", Place, primary_key=True, autoincrement=True),
    Column("at", UtcTime, nullable=False),
    Column("account", String(64), nullable=False),  # one that there is: what else was typed may be a password
    Column("what", String(16), nullable=False),  # logged-in, refused, logged-out
)
