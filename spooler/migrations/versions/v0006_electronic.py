"""Electronic certificates and the files that were made of them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_PLACE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_DUE = sa.text("is_due = true")


def upgrade() -> None:
    op.create_table(
        "electronic",
        sa.Column("place", _PLACE, autoincrement=True, nullable=False),
        sa.Column("job_id", sa.String(36), nullable=False),
        sa.Column("code", sa.String(26), nullable=False),
        sa.Column("registry", sa.String(6), nullable=False),
        sa.Column("registry_name", sa.String(200), nullable=False),
        sa.Column("issuer", sa.String(18), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(80), nullable=False),
        sa.Column("number_key", sa.String(120), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("validity", sa.String(16), nullable=False),
        sa.Column("validity_since", _TIME, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("shows", sa.String(16)),
        sa.Column("document_sha256", sa.String(64)),
        sa.Column("identifier", sa.String(80)),
        sa.Column("is_due", sa.Boolean(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_electronic")),
        sa.UniqueConstraint("job_id", name=op.f("uq_electronic_job_id")),
        sa.UniqueConstraint("code", name=op.f("uq_electronic_code")),
        sa.UniqueConstraint("issuer", "kind", "serial", name=op.f("uq_electronic_issuer_kind_serial")),
    )
    op.create_index("electronic_by_number", "electronic", ["registry", "kind", "number_key", "version"])
    op.create_index("electronic_due", "electronic", ["next_try_at"], sqlite_where=_DUE, postgresql_where=_DUE)
    op.create_index("electronic_counted", "electronic", ["registry", "kind", "validity"])
    op.create_table(
        "electronic_files",
        sa.Column("electronic_place", _PLACE, nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("validity", sa.String(16), nullable=False),
        sa.Column("identifier", sa.String(80), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("electronic_place", "edition", name=op.f("pk_electronic_files")),
        sa.ForeignKeyConstraint(
            ["electronic_place"], ["electronic.place"], name=op.f("fk_electronic_files_electronic_place")
        ),
    )
    op.create_table(
        "electronic_serials",
        sa.Column("issuer", sa.String(18), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "kind", name=op.f("pk_electronic_serials")),
    )
