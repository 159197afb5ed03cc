"""The table of one-time codes, and of what came under them."""

from sqlalchemy import Column, Index, String, Table, Text

from spooler.store.columns import Hash, Place, UtcTime, metadata

enrolments = Table(
    "enrolments",
    metadata,
    Column("place", Place, primary_key=True, autoincrement=True),
    Column("hall", String(9), nullable=False),
    Column("name", String(200), nullable=False),
    Column("site", String(16), nullable=False),
    Column("code_key", Hash, nullable=False),  # of the code, which stands nowhere
    Column("state", String(16), nullable=False),  # open, asked, accepted, refused, replaced
    Column("made_by", String(64), nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("request", Text),
    Column("signature", String(128)),
    Column("fingerprint", String(19)),
    Column("asked_at", UtcTime),
    Column("answer", Text),
    Column("decided_by", String(64)),
    Column("decided_at", UtcTime),
    Index("enrolments_by_hall", "hall", "place"),
)
