"""Orders whose time ends soon are found without reading those that have ended."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_OPEN = sa.text("state IN ('prepared', 'sent', 'waiting', 'printing', 'printed')")


def upgrade() -> None:
    op.create_index("orders_by_end", "orders", ["not_after"], sqlite_where=_OPEN, postgresql_where=_OPEN)
