"""The audit log's chain over all events, and what each side was told of the other's."""

import sqlalchemy as sa
from alembic import op

from spooler.store.columns import Hash, Place, UtcTime, Uuid

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("sequence", Place, primary_key=True, autoincrement=False),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("about", sa.String(64)),
        sa.Column("job_place", Place),
        sa.Column("event_sequence", sa.Integer()),
        sa.Column("sha256", Hash, nullable=False),
    )
    op.create_table(
        "audit_anchors",
        sa.Column("hall", sa.String(9), primary_key=True),
        sa.Column("registry", sa.String(6), primary_key=True),
        sa.Column("whose", sa.String(4), primary_key=True),
        sa.Column("slot", sa.String(16), primary_key=True),
        sa.Column("log", Uuid, nullable=False),
        sa.Column("sequence", Place, nullable=False),
        sa.Column("sha256", Hash, nullable=False),
        sa.Column("at", UtcTime, nullable=False),
    )
