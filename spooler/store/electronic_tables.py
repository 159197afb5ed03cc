"""Tables of electronic certificates: one row a certificate, one a file that was made of it. The public page reads the first alone."""

from sqlalchemy import Boolean, Column, Date, ForeignKey, Index, Integer, String, Table, UniqueConstraint, text

from spooler.store.columns import Hash, Place, UtcTime, Uuid, metadata

IS_DUE = text("is_due = true")
KEPT_AND_ENDED = text("documents_destroyed_at IS NULL AND validity <> 'genuine'")

electronic = Table(
    "electronic",
    metadata,
    Column("place", Place, primary_key=True, autoincrement=True),
    Column("job_id", Uuid, nullable=False, unique=True),
    Column("code", String(26), nullable=False, unique=True),  # random; who knows it may ask
    Column("registry", String(6), nullable=False),
    Column("registry_name", String(200), nullable=False),
    Column("issuer", String(18), nullable=False),  # the registry's credit code
    Column("kind", String(32), nullable=False),
    Column("serial", Integer, nullable=False),
    Column("number", String(80), nullable=False),
    Column("number_key", String(120), nullable=False),
    Column("version", Integer, nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("validity", String(16), nullable=False),
    Column("validity_since", UtcTime, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    # Of the newest file: none before the first is made.
    Column("edition", Integer, nullable=False, default=0),
    Column("shows", String(16)),  # the validity that it was made for
    Column("document_sha256", Hash),
    Column("identifier", String(80)),
    Column("is_due", Boolean, nullable=False),  # a file is to be made
    Column("tries", Integer, nullable=False, default=0),
    Column("next_try_at", UtcTime, nullable=False),
    Column("documents_destroyed_at", UtcTime),  # what it was drawn from, and every file of it; see `kept`
    UniqueConstraint("issuer", "kind", "serial"),
    Index("electronic_by_number", "registry", "kind", "number_key", "version"),
    Index("electronic_due", "next_try_at", sqlite_where=IS_DUE, postgresql_where=IS_DUE),
    Index("electronic_by_end", "validity_since", sqlite_where=KEPT_AND_ENDED, postgresql_where=KEPT_AND_ENDED),
    Index("electronic_counted", "registry", "kind", "validity"),
)

electronic_files = Table(
    "electronic_files",
    metadata,
    Column("electronic_place", Place, ForeignKey("electronic.place"), primary_key=True, autoincrement=False),
    Column("edition", Integer, primary_key=True, autoincrement=False),
    Column("validity", String(16), nullable=False),
    Column("identifier", String(80), nullable=False),
    Column("sha256", Hash, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("made_at", UtcTime, nullable=False),
)

electronic_serials = Table(
    "electronic_serials",
    metadata,
    Column("issuer", String(18), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("last", Integer, nullable=False),
)
