"""Tables of what went wrong on the way: gaps in the halls' chains, dead letters, halls that are written off."""

from sqlalchemy import JSON, Boolean, Column, Index, Integer, LargeBinary, String, Table

from spooler.store.columns import Hash, Place, UtcTime, Uuid, metadata

gaps = Table(
    "gaps",
    metadata,
    Column("place", Place, primary_key=True, autoincrement=True),
    Column("hall", String(9), nullable=False),
    Column("registry", String(6), nullable=False),
    Column("epoch", Uuid, nullable=False),
    Column("first", Integer, nullable=False),
    Column("last", Integer, nullable=False),
    Column("noticed_at", UtcTime, nullable=False),
    Column("asks", Integer, nullable=False, default=0),
    Column("next_ask_at", UtcTime, nullable=False),
    Column("control_id", Uuid),  # the last ask
    Column("is_forgotten", Boolean, nullable=False, default=False),  # the hall's word: some are kept no longer
    Column("closed_at", UtcTime),
    Index("gaps_by_chain", "hall", "registry", "epoch"),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("place", Place, primary_key=True, autoincrement=True),
    Column("letter_id", String(64), nullable=False),
    Column("registry", String(6), nullable=False),
    Column("hall", String(9)),
    Column("type", String(16), nullable=False),
    Column("order_id", Uuid),
    Column("job_id", Uuid),
    Column("why", String(64), nullable=False),
    Column("queue", String(255), nullable=False),  # where it died
    Column("sha256", Hash, nullable=False),
    Column("body", LargeBinary),  # a report or a control as signed; an order is kept as ticket and document
    Column("at", UtcTime, nullable=False),
    Column("settled_at", UtcTime),
    Index("dead_letters_by_job", "job_id"),
    Index("dead_letters_by_letter", "letter_id"),
)

write_offs = Table(
    "write_offs",
    metadata,
    Column("approval_id", Uuid, primary_key=True),
    Column("hall", String(9), nullable=False),
    Column("kids", JSON, nullable=False),  # the report keys that are revoked by it
    Column("reason", String(200), nullable=False),
    Column("state", String(16), nullable=False),  # open, accepted, declined
    Column("asked_by_id", String(64), nullable=False),
    Column("asked_by_role", String(32), nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("answered_by_id", String(64)),
    Column("answered_by_role", String(32)),
    Column("answer", String(200)),
    Column("closed_at", UtcTime),
    Index("write_offs_by_hall", "hall", "state"),
)
