"""Since when a hall has a control that it cannot answer yet: the others may never have reached it."""

import sqlalchemy as sa
from alembic import op

from spooler.store.columns import UtcTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_UNHEARD = sa.text("outcome IS NULL AND pending_since IS NULL")


def upgrade() -> None:
    op.add_column("controls", sa.Column("pending_since", UtcTime, nullable=True))
    op.create_index("controls_unheard", "controls", ["hall", "at"], sqlite_where=_UNHEARD, postgresql_where=_UNHEARD)
