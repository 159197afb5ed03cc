"""Logins by password, which the audit log covers."""

import sqlalchemy as sa
from alembic import op

from spooler.store.columns import Place, UtcTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "logins",
        sa.Column("place", Place, primary_key=True, autoincrement=True),
        sa.Column("at", UtcTime, nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
    )
