"""Gaps, dead letters, halls written off; and what a lease control asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_PLACE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("controls", sa.Column("not_after", _TIME, nullable=True))
    op.add_column("controls", sa.Column("turn", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("orders", sa.Column("opened_by", sa.String(length=64), nullable=True))
    op.add_column("orders", sa.Column("reason", sa.String(length=200), nullable=True))
    _gaps()
    _dead_letters()
    _write_offs()


def _gaps() -> None:
    op.create_table(
        "gaps",
        sa.Column("place", _PLACE, autoincrement=True, nullable=False),
        sa.Column("hall", sa.String(length=9), nullable=False),
        sa.Column("registry", sa.String(length=6), nullable=False),
        sa.Column("epoch", sa.String(length=36), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("noticed_at", _TIME, nullable=False),
        sa.Column("asks", sa.Integer(), nullable=False),
        sa.Column("next_ask_at", _TIME, nullable=False),
        sa.Column("control_id", sa.String(length=36), nullable=True),
        sa.Column("is_forgotten", sa.Boolean(), nullable=False),
        sa.Column("closed_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_gaps")),
    )
    op.create_index("gaps_by_chain", "gaps", ["hall", "registry", "epoch"])


def _dead_letters() -> None:
    op.create_table(
        "dead_letters",
        sa.Column("place", _PLACE, autoincrement=True, nullable=False),
        sa.Column("letter_id", sa.String(length=64), nullable=False),
        sa.Column("registry", sa.String(length=6), nullable=False),
        sa.Column("hall", sa.String(length=9), nullable=True),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=True),
        sa.Column("job_id", sa.String(length=36), nullable=True),
        sa.Column("why", sa.String(length=64), nullable=False),
        sa.Column("queue", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("settled_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_dead_letters")),
    )
    op.create_index("dead_letters_by_job", "dead_letters", ["job_id"])
    op.create_index("dead_letters_by_letter", "dead_letters", ["letter_id"])


def _write_offs() -> None:
    op.create_table(
        "write_offs",
        sa.Column("approval_id", sa.String(length=36), nullable=False),
        sa.Column("hall", sa.String(length=9), nullable=False),
        sa.Column("kids", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("asked_by_id", sa.String(length=64), nullable=False),
        sa.Column("asked_by_role", sa.String(length=32), nullable=False),
        sa.Column("opened_at", _TIME, nullable=False),
        sa.Column("answered_by_id", sa.String(length=64), nullable=True),
        sa.Column("answered_by_role", sa.String(length=32), nullable=True),
        sa.Column("answer", sa.String(length=200), nullable=True),
        sa.Column("closed_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("approval_id", name=op.f("pk_write_offs")),
    )
    op.create_index("write_offs_by_hall", "write_offs", ["hall", "state"])
