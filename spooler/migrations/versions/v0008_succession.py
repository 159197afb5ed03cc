"""Whether the hall takes the old paper back, and which job replaces which."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_REPLACES = sa.text("replaces_number IS NOT NULL")


def upgrade() -> None:
    op.add_column("jobs", sa.Column("takes_back_old", sa.Boolean(), nullable=True))
    op.create_index(
        "jobs_by_replaced",
        "jobs",
        ["registry", "replaces_number"],
        sqlite_where=_REPLACES,
        postgresql_where=_REPLACES,
    )
