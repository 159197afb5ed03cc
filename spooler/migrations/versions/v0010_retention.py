"""How long documents are kept: which are destroyed, which files are still to be, and which a legal hold keeps.

A home that has jobs already destroys nothing for thirty days: whoever runs it is told first, and may set another time.
"""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

from spooler.store.columns import Hash, UtcTime, Uuid

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

GRACE = timedelta(days=30)
_KEPT = sa.text(
    "documents_destroyed_at IS NULL AND state IN ('cancelled', 'issued', 'refused', 'superseded', 'withdrawn')"
)
_KEPT_ELECTRONIC = sa.text("documents_destroyed_at IS NULL AND validity <> 'genuine'")


def upgrade() -> None:
    op.add_column("jobs", sa.Column("documents_destroyed_at", UtcTime, nullable=True))
    op.create_index("jobs_by_end", "jobs", ["state_since"], sqlite_where=_KEPT, postgresql_where=_KEPT)
    op.add_column("electronic", sa.Column("documents_destroyed_at", UtcTime, nullable=True))
    op.create_index(
        "electronic_by_end",
        "electronic",
        ["validity_since"],
        sqlite_where=_KEPT_ELECTRONIC,
        postgresql_where=_KEPT_ELECTRONIC,
    )
    op.create_table(
        "legal_holds",
        sa.Column("job_id", Uuid, primary_key=True),
        sa.Column("since", UtcTime, nullable=False),
        sa.Column("actor_id", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
    )
    op.create_table(
        "to_destroy",
        sa.Column("name", Hash, primary_key=True),
        sa.Column("since", UtcTime, nullable=False),
    )
    begins = op.create_table("retention", sa.Column("not_before", UtcTime, primary_key=True))
    if op.get_bind().execute(sa.text("SELECT place FROM jobs LIMIT 1")).first() is not None:
        op.bulk_insert(begins, [{"not_before": datetime.now(UTC) + GRACE}])
