"""What an approve says is kept with it, so that it can be asked again of a hall that lost its journal."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("controls", sa.Column("accept", sa.Boolean(), nullable=True))
