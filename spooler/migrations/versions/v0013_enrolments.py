"""One-time codes of new halls, and what came under them."""

import sqlalchemy as sa
from alembic import op

from spooler.store.columns import Hash, Place, UtcTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "enrolments",
        sa.Column("place", Place, primary_key=True, autoincrement=True),
        sa.Column("hall", sa.String(9), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("site", sa.String(16), nullable=False),
        sa.Column("code_key", Hash, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("made_by", sa.String(64), nullable=False),
        sa.Column("made_at", UtcTime, nullable=False),
        sa.Column("expires_at", UtcTime, nullable=False),
        sa.Column("request", sa.Text()),
        sa.Column("signature", sa.String(128)),
        sa.Column("fingerprint", sa.String(19)),
        sa.Column("asked_at", UtcTime),
        sa.Column("answer", sa.Text()),
        sa.Column("decided_by", sa.String(64)),
        sa.Column("decided_at", UtcTime),
    )
    op.create_index("enrolments_by_hall", "enrolments", ["hall", "place"])
