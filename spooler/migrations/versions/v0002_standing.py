"""How a hall stands: whether its reports contradict each other, and what it asked when it lost its journal."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("halls", sa.Column("standing", sa.String(length=16), nullable=False, server_default="ok"))
    op.add_column("halls", sa.Column("standing_why", sa.String(length=64), nullable=True))
    op.add_column("halls", sa.Column("standing_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("instances", sa.Column("epoch", sa.String(length=36), nullable=True))
    op.add_column("instances", sa.Column("first_sequence", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("chains", sa.Column("ordinal", sa.Integer(), nullable=False, server_default="1"))
    op.create_table(
        "halts",
        sa.Column("hall", sa.String(length=9), nullable=False),
        sa.Column("registry", sa.String(length=6), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("is_due", sa.Boolean(), nullable=False),
        sa.Column("halted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("hall", name=op.f("pk_halts")),
    )
    op.create_table(
        "hall_asks",
        sa.Column("hall", sa.String(length=9), nullable=False),
        sa.Column("registry", sa.String(length=6), nullable=False),
        sa.Column("ask", sa.String(length=36), nullable=False),
        sa.Column("epoch", sa.String(length=36), nullable=False),
        sa.Column("has", sa.JSON(), nullable=False),
        sa.Column("is_first", sa.Boolean(), nullable=False),
        sa.Column("is_answered", sa.Boolean(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hall", "registry", name=op.f("pk_hall_asks")),
    )
