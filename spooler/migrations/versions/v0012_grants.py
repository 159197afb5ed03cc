"""What was ever agreed and withdrawn between registries and halls."""

import sqlalchemy as sa
from alembic import op

from spooler.store.columns import UtcTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "grant_marks",
        sa.Column("registry", sa.String(6), primary_key=True),
        sa.Column("hall", sa.String(9), primary_key=True),
        sa.Column("agreed", sa.Integer(), nullable=False),
        sa.Column("withdrawn", sa.Integer(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.Column("changed_at", UtcTime, nullable=False),
    )
