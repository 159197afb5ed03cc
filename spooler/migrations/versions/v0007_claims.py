"""Letters are claimed where several homes share the database."""

import sqlalchemy as sa
from alembic import op

from spooler.store.columns import UtcTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox", sa.Column("claimed_by", sa.String(36)))
    op.add_column("outbox", sa.Column("claimed_until", UtcTime))
