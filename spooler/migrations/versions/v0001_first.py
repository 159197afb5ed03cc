"""The first schema. Written out, not taken from `tables`: what an old database was made by must not change with the code."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# SQLite counts by itself only in an INTEGER key.
PLACE = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "alarms",
        sa.Column("place", PLACE, autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("hall", sa.String(length=9), nullable=True),
        sa.Column("registry", sa.String(length=6), nullable=True),
        sa.Column("job_id", sa.String(length=36), nullable=True),
        sa.Column("order_id", sa.String(length=36), nullable=True),
        sa.Column("detail", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_alarms")),
    )
    op.create_table(
        "approvals",
        sa.Column("approval_id", sa.String(length=36), nullable=False),
        sa.Column("hall", sa.String(length=9), nullable=False),
        sa.Column("registry", sa.String(length=6), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("act", sa.String(length=16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=True),
        sa.Column("actor_role", sa.String(length=32), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("approval_id", name=op.f("pk_approvals")),
    )
    op.create_index("approvals_by_job", "approvals", ["job_id"], unique=False)
    op.create_index("approvals_by_state", "approvals", ["state", "opened_at"], unique=False)
    op.create_table(
        "blanks",
        sa.Column("stock", sa.String(length=16), nullable=False),
        sa.Column("serial", sa.String(length=13), nullable=False),
        sa.Column("hall", sa.String(length=9), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("stock", "serial", "hall", name=op.f("pk_blanks")),
    )
    op.create_index("blanks_by_hall", "blanks", ["hall", "serial"], unique=False)
    op.create_index("blanks_by_serial", "blanks", ["serial"], unique=False)
    op.create_table(
        "callback_events",
        sa.Column("place", PLACE, autoincrement=True, nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("registry", sa.String(length=6), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("type", sa.String(length=48), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_callback_events")),
        sa.UniqueConstraint("event_id", name=op.f("uq_callback_events_event_id")),
    )
    op.create_index("callback_events_by_registry", "callback_events", ["registry", "place"], unique=False)
    op.create_table(
        "chains",
        sa.Column("hall", sa.String(length=9), nullable=False),
        sa.Column("registry", sa.String(length=6), nullable=False),
        sa.Column("epoch", sa.String(length=36), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("instance", sa.String(length=36), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hall", "registry", "epoch", name=op.f("pk_chains")),
    )
    op.create_table(
        "controls",
        sa.Column("control_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("registry", sa.String(length=6), nullable=False),
        sa.Column("hall", sa.String(length=9), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("actor_role", sa.String(length=32), nullable=False),
        sa.Column("approval_id", sa.String(length=36), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("outcome", sa.String(length=64), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("control_id", name=op.f("pk_controls")),
    )
    op.create_index("controls_by_job", "controls", ["job_id", "at"], unique=False)
    op.create_table(
        "halls",
        sa.Column("hall", sa.String(length=9), nullable=False),
        sa.Column("last_report_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agent_version", sa.String(length=64), nullable=True),
        sa.Column("printers", sa.JSON(), nullable=False),
        sa.Column("blanks", sa.JSON(), nullable=False),
        sa.Column("open_asks", sa.Integer(), nullable=False),
        sa.Column("clock_offset_seconds", sa.Float(), nullable=True),
        sa.Column("is_silent", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("hall", name=op.f("pk_halls")),
    )
    op.create_table(
        "handovers",
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recipient_role", sa.String(length=16), nullable=False),
        sa.Column("identity_method", sa.String(length=64), nullable=False),
        sa.Column("identity_result", sa.String(length=64), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=True),
        sa.Column("actor_role", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_handovers")),
    )
    op.create_table(
        "instances",
        sa.Column("hall", sa.String(length=9), nullable=False),
        sa.Column("registry", sa.String(length=6), nullable=False),
        sa.Column("instance", sa.String(length=36), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hall", "registry", "instance", name=op.f("pk_instances")),
    )
    op.create_table(
        "jobs",
        sa.Column("place", PLACE, autoincrement=True, nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("registry", sa.String(length=6), nullable=False),
        sa.Column("request_id", sa.String(length=200), nullable=False),
        sa.Column("request_sha256", sa.String(length=64), nullable=False),
        sa.Column("hall", sa.String(length=9), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("number_key", sa.String(length=120), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("case_number", sa.String(length=64), nullable=False),
        sa.Column("case_ordinal", sa.Integer(), nullable=False),
        sa.Column("case_of", sa.Integer(), nullable=False),
        sa.Column("replaces_number", sa.String(length=80), nullable=True),
        sa.Column("replaces_version", sa.Integer(), nullable=True),
        sa.Column("channel", sa.String(length=32), nullable=True),
        sa.Column("window", sa.String(length=32), nullable=True),
        sa.Column("seal", sa.String(length=16), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("template", sa.String(length=48), nullable=False),
        sa.Column("passes", sa.JSON(), nullable=False),
        sa.Column("unsigned_sha256", sa.String(length=64), nullable=False),
        sa.Column("private_sha256", sa.String(length=64), nullable=False),
        sa.Column("annexes", sa.JSON(), nullable=False),
        sa.Column("document_sha256", sa.String(length=64), nullable=True),
        sa.Column("document_bytes", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("state_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reasons", sa.String(length=400), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("serial", sa.String(length=13), nullable=True),
        sa.Column("refusal_code", sa.String(length=64), nullable=True),
        sa.Column("refusal_message", sa.String(length=500), nullable=True),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("step_tries", sa.Integer(), nullable=False),
        sa.Column("step_after", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_jobs")),
        sa.UniqueConstraint("job_id", name=op.f("uq_jobs_job_id")),
        sa.UniqueConstraint("registry", "request_id", name=op.f("uq_jobs_registry_request_id")),
    )
    op.create_index("jobs_by_case", "jobs", ["case_number", "place"], unique=False)
    op.create_index(
        "jobs_by_deadline",
        "jobs",
        ["deadline"],
        unique=False,
        sqlite_where=sa.text("late = false AND state IN ('accepted', 'sealed', 'sent', 'received', 'printing')"),
        postgresql_where=sa.text("late = false AND state IN ('accepted', 'sealed', 'sent', 'received', 'printing')"),
    )
    op.create_index("jobs_by_hall", "jobs", ["hall", "place"], unique=False)
    op.create_index("jobs_by_hall_state", "jobs", ["hall", "state", "place"], unique=False)
    op.create_index("jobs_by_number", "jobs", ["number", "place"], unique=False)
    op.create_index("jobs_by_registry", "jobs", ["registry", "place"], unique=False)
    op.create_index("jobs_by_registry_state", "jobs", ["registry", "state", "place"], unique=False)
    op.create_index("jobs_by_request", "jobs", ["request_id", "place"], unique=False)
    op.create_index("jobs_by_serial", "jobs", ["serial", "place"], unique=False)
    op.create_index("jobs_by_state", "jobs", ["state", "place"], unique=False)
    op.create_index("jobs_by_update", "jobs", ["updated_at"], unique=False)
    op.create_index("jobs_counted", "jobs", ["registry", "hall", "kind", "state"], unique=False)
    op.create_index(
        "jobs_late",
        "jobs",
        ["place"],
        unique=False,
        sqlite_where=sa.text("late = true"),
        postgresql_where=sa.text("late = true"),
    )
    op.create_index(
        "one_case_ordinal",
        "jobs",
        ["registry", "case_number", "case_ordinal"],
        unique=True,
        sqlite_where=sa.text("state NOT IN ('cancelled', 'refused', 'withdrawn')"),
        postgresql_where=sa.text("state NOT IN ('cancelled', 'refused', 'withdrawn')"),
    )
    op.create_index(
        "one_right_one_paper",
        "jobs",
        ["registry", "kind", "number_key", "version"],
        unique=True,
        sqlite_where=sa.text("state NOT IN ('cancelled', 'refused', 'withdrawn')"),
        postgresql_where=sa.text("state NOT IN ('cancelled', 'refused', 'withdrawn')"),
    )
    op.create_table(
        "orders",
        sa.Column("place", PLACE, autoincrement=True, nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("registry", sa.String(length=6), nullable=False),
        sa.Column("hall", sa.String(length=9), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ticket_sha256", sa.String(length=64), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_orders")),
        sa.UniqueConstraint("order_id", name=op.f("uq_orders_order_id")),
    )
    op.create_index(
        "one_live_order",
        "orders",
        ["job_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('prepared', 'sent', 'waiting', 'printing', 'printed')"),
        postgresql_where=sa.text("state IN ('prepared', 'sent', 'waiting', 'printing', 'printed')"),
    )
    op.create_index("orders_by_job", "orders", ["job_id", "place"], unique=False)
    op.create_index("orders_open_at_hall", "orders", ["hall", "state"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("place", PLACE, autoincrement=True, nullable=False),
        sa.Column("letter_id", sa.String(length=36), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("exchange", sa.String(length=64), nullable=False),
        sa.Column("routing_key", sa.String(length=255), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=True),
        sa.Column("job_id", sa.String(length=36), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_error", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_outbox")),
        sa.UniqueConstraint("letter_id", name=op.f("uq_outbox_letter_id")),
    )
    op.create_index("outbox_in_order", "outbox", ["rank", "place"], unique=False)
    op.create_table(
        "reports",
        sa.Column("hall", sa.String(length=9), nullable=False),
        sa.Column("registry", sa.String(length=6), nullable=False),
        sa.Column("epoch", sa.String(length=36), nullable=False),
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=True),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("is_parked", sa.Boolean(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hall", "registry", "epoch", "sequence", name=op.f("pk_reports")),
    )
    op.create_index("reports_by_job", "reports", ["job_id"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("place", PLACE, autoincrement=True, nullable=False),
        sa.Column("endpoint", sa.String(length=64), nullable=False),
        sa.Column("event_place", PLACE, nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("first_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_error", sa.String(length=64), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["event_place"], ["callback_events.place"], name=op.f("fk_deliveries_event_place")),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("endpoint", "event_place", name=op.f("uq_deliveries_endpoint_event_place")),
    )
    op.create_index(
        "deliveries_not_done",
        "deliveries",
        ["endpoint", "job_id", "place"],
        unique=False,
        sqlite_where=sa.text("state <> 'delivered'"),
        postgresql_where=sa.text("state <> 'delivered'"),
    )
    op.create_table(
        "events",
        sa.Column("job_place", PLACE, autoincrement=False, nullable=False),
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("side", sa.String(length=4), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reasons", sa.String(length=400), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=True),
        sa.Column("actor_role", sa.String(length=32), nullable=True),
        sa.Column("pass_number", sa.Integer(), nullable=True),
        sa.Column("serial", sa.String(length=13), nullable=True),
        sa.Column("printer", sa.String(length=127), nullable=True),
        sa.Column("detail", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["job_place"], ["jobs.place"], name=op.f("fk_events_job_place")),
        sa.PrimaryKeyConstraint("job_place", "sequence", name=op.f("pk_events")),
    )
    op.create_table(
        "job_reasons",
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("job_place", PLACE, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["job_place"], ["jobs.place"], name=op.f("fk_job_reasons_job_place")),
        sa.PrimaryKeyConstraint("reason", "job_place", name=op.f("pk_job_reasons")),
    )
    op.create_index("job_reasons_by_job", "job_reasons", ["job_place"], unique=False)
