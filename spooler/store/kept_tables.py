"""Tables of what is kept of persons, and until when: the documents are destroyed, the rows about them stay."""

from sqlalchemy import Column, String, Table

from spooler.store.columns import Hash, UtcTime, Uuid, metadata

legal_holds = Table(
    "legal_holds",  # 诉讼保全: nothing of these jobs is destroyed
    metadata,
    Column("job_id", Uuid, primary_key=True),
    Column("since", UtcTime, nullable=False),
    Column("actor_id", String(64), nullable=False),
    Column("reason", String(200), nullable=False),
)

to_destroy = Table(
    "to_destroy",  # files that nothing gives out any more, until they are gone
    metadata,
    Column("name", Hash, primary_key=True),
    Column("since", UtcTime, nullable=False),
)

retention = Table(
    "retention",  # of a home that was older than its retention: nothing is destroyed before
    metadata,
    Column("not_before", UtcTime, primary_key=True),
)
