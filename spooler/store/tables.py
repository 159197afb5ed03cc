"""The tables of the home's store: what is durably true, without any person in it.

Names, ID numbers and fields are in `documents`, by hash. Times are UTC. Nothing here is particular to one database.
"""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    text,
)

from spooler.job import ENDED, FREES_THE_NUMBER, JobState
from spooler.store.columns import Hash, Place, UtcTime, Uuid, metadata


def _words(states: frozenset[JobState]) -> str:
    return ", ".join(f"'{state}'" for state in sorted(states))


OPEN_ORDER_STATES = ("prepared", "sent", "waiting", "printing", "printed")
LIVE = text(f"state NOT IN ({_words(FREES_THE_NUMBER)})")
_OPEN_ORDER = text("state IN ({})".format(", ".join(f"'{state}'" for state in OPEN_ORDER_STATES)))
# The same for a query that joins: said as a condition with its words in it, or the index is not found.
IS_OPEN_ORDER = text("orders." + _OPEN_ORDER.text)
# A query finds a partial index only when it says the very same words.
_NOT_DELIVERED = text("state <> 'delivered'")
_UNHEARD = text("outcome IS NULL AND pending_since IS NULL")
LATE = text("late = true")
KEPT_AND_ENDED = text(f"documents_destroyed_at IS NULL AND state IN ({_words(ENDED)})")
REPLACES = text("replaces_number IS NOT NULL")
IN_TIME_STILL = text("late = false AND state IN ('accepted', 'sealed', 'sent', 'received', 'printing')")

jobs = Table(
    "jobs",
    metadata,
    Column("place", Place, primary_key=True, autoincrement=True),  # order of acceptance
    Column("job_id", Uuid, nullable=False, unique=True),
    Column("registry", String(6), nullable=False),
    Column("request_id", String(200), nullable=False),
    Column("request_sha256", Hash, nullable=False),
    Column("hall", String(9), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("number", String(80), nullable=False),
    Column("number_key", String(120), nullable=False),
    Column("version", Integer, nullable=False),
    Column("case_number", String(64), nullable=False),
    Column("case_ordinal", Integer, nullable=False),
    Column("case_of", Integer, nullable=False),
    Column("replaces_number", String(80)),
    Column("replaces_version", Integer),
    Column("takes_back_old", Boolean),  # the hall hands over only for the paper that this one replaces
    Column("channel", String(32)),
    Column("window", String(32)),
    Column("seal", String(16), nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("template", String(48), nullable=False),
    Column("passes", JSON, nullable=False),
    Column("unsigned_sha256", Hash, nullable=False),
    Column("private_sha256", Hash, nullable=False),
    Column("annexes", JSON, nullable=False),
    Column("document_sha256", Hash),  # of the sealed document
    Column("document_bytes", Integer),
    Column("documents_destroyed_at", UtcTime),  # from then on they are given to nobody; see `kept`
    Column("state", String(16), nullable=False),
    Column("state_since", UtcTime, nullable=False),
    Column("reasons", String(400), nullable=False, default=""),  # the rows of job_reasons, for reading
    Column("late", Boolean, nullable=False, default=False),
    Column("attempt", Integer, nullable=False),
    Column("serial", String(13)),
    Column("refusal_code", String(64)),
    Column("refusal_message", String(500)),
    Column("applied_at", UtcTime),
    Column("deadline", UtcTime, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("sequence", Integer, nullable=False),  # of its last event
    Column("step_tries", Integer, nullable=False, default=0),
    Column("step_after", UtcTime),  # the next step is not tried before
    UniqueConstraint("registry", "request_id"),
    Index(
        "one_right_one_paper",
        "registry",
        "kind",
        "number_key",
        "version",
        unique=True,
        sqlite_where=LIVE,
        postgresql_where=LIVE,
    ),
    Index(
        "one_case_ordinal",
        "registry",
        "case_number",
        "case_ordinal",
        unique=True,
        sqlite_where=LIVE,
        postgresql_where=LIVE,
    ),
    Index("jobs_by_state", "state", "place"),
    Index("jobs_by_registry", "registry", "place"),
    Index("jobs_by_registry_state", "registry", "state", "place"),
    Index("jobs_by_hall", "hall", "place"),
    Index("jobs_by_hall_state", "hall", "state", "place"),
    Index("jobs_by_case", "case_number", "place"),
    Index("jobs_by_number", "number", "place"),
    Index("jobs_by_request", "request_id", "place"),
    Index("jobs_by_serial", "serial", "place"),
    Index("jobs_by_replaced", "registry", "replaces_number", sqlite_where=REPLACES, postgresql_where=REPLACES),
    Index("jobs_by_update", "updated_at"),
    Index("jobs_late", "place", sqlite_where=LATE, postgresql_where=LATE),
    Index("jobs_counted", "registry", "hall", "kind", "state"),
    Index("jobs_by_end", "state_since", sqlite_where=KEPT_AND_ENDED, postgresql_where=KEPT_AND_ENDED),
    Index("jobs_by_deadline", "deadline", sqlite_where=IN_TIME_STILL, postgresql_where=IN_TIME_STILL),
)

job_reasons = Table(
    "job_reasons",
    metadata,
    Column("reason", String(64), primary_key=True),
    Column("job_place", Place, ForeignKey("jobs.place"), primary_key=True),
    Column("since", UtcTime, nullable=False),
    Index("job_reasons_by_job", "job_place"),
)

events = Table(
    "events",
    metadata,
    Column("job_place", Place, ForeignKey("jobs.place"), primary_key=True, autoincrement=False),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcTime, nullable=False),
    Column("side", String(4), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reasons", String(400), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("actor_id", String(64)),
    Column("actor_role", String(32)),
    Column("pass_number", Integer),
    Column("serial", String(13)),
    Column("printer", String(127)),
    Column("detail", String(200)),
)

audit = Table(
    "audit",  # one entry for each event, in the order of writing; see spooler.wire.chain
    metadata,
    Column("sequence", Place, primary_key=True, autoincrement=False),
    Column("what", String(16), nullable=False),
    Column("about", String(64)),  # of the first entry: which log, and how many events are older
    Column("job_place", Place),
    Column("event_sequence", Integer),
    Column("sha256", Hash, nullable=False),
)

audit_anchors = Table(
    "audit_anchors",  # the ends of logs: the first of each hour, and the newest
    metadata,
    Column("hall", String(9), primary_key=True),
    Column("registry", String(6), primary_key=True),  # to which it was told
    Column("whose", String(4), primary_key=True),  # home: what the hall keeps of ours; hall: what it told of its own
    Column("slot", String(16), primary_key=True),
    Column("log", Uuid, nullable=False),
    Column("sequence", Place, nullable=False),
    Column("sha256", Hash, nullable=False),
    Column("at", UtcTime, nullable=False),
)

orders = Table(
    "orders",
    metadata,
    Column("place", Place, primary_key=True, autoincrement=True),
    Column("order_id", Uuid, nullable=False, unique=True),
    Column("job_id", Uuid, nullable=False),
    Column("registry", String(6), nullable=False),
    Column("hall", String(9), nullable=False),
    Column("state", String(16), nullable=False),
    Column("not_after", UtcTime, nullable=False),
    Column("ticket_sha256", Hash, nullable=False),  # the ticket's bytes, in `documents`
    Column("opened_at", UtcTime, nullable=False),
    Column("opened_by", String(64)),  # a person, if it is not the first
    Column("reason", String(200)),  # what this person typed
    Column("sent_at", UtcTime),
    Index("orders_by_job", "job_id", "place"),
    Index("orders_open_at_hall", "hall", "state"),
    Index("orders_by_end", "not_after", sqlite_where=_OPEN_ORDER, postgresql_where=_OPEN_ORDER),
    Index(
        "one_live_order",
        "job_id",
        unique=True,
        sqlite_where=_OPEN_ORDER,
        postgresql_where=_OPEN_ORDER,
    ),
)

controls = Table(
    "controls",
    metadata,
    Column("control_id", Uuid, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("job_id", Uuid, nullable=False),
    Column("order_id", Uuid, nullable=False),
    Column("registry", String(6), nullable=False),
    Column("hall", String(9), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("actor_id", String(64), nullable=False),
    Column("actor_role", String(32), nullable=False),
    Column("approval_id", Uuid),  # what an approve decides
    Column("not_after", UtcTime),  # what a lease asks for
    Column("accept", Boolean),  # what an approve says
    Column("turn", Integer, nullable=False, server_default="0"),  # the how manieth about its job
    Column("reason", String(200), nullable=False),  # free text: never leaves this table but through the API
    Column("outcome", String(64)),
    Column("answered_at", UtcTime),
    Column("pending_since", UtcTime),  # the hall has it, and cannot say yet
    Index("controls_by_job", "job_id", "at"),
    Index("controls_unheard", "hall", "at", sqlite_where=_UNHEARD, postgresql_where=_UNHEARD),
)

outbox = Table(
    "outbox",
    metadata,
    Column("place", Place, primary_key=True, autoincrement=True),
    Column("letter_id", Uuid, nullable=False, unique=True),
    Column("rank", Integer, nullable=False),  # orders and controls go before events for others
    Column("exchange", String(64), nullable=False),
    Column("routing_key", String(255), nullable=False),
    Column("type", String(64), nullable=False),
    Column("headers", JSON, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("order_id", Uuid),  # the order that is sent with it
    Column("job_id", Uuid),
    Column("created_at", UtcTime, nullable=False),
    Column("tries", Integer, nullable=False, default=0),
    Column("next_try_at", UtcTime, nullable=False),
    Column("last_error", String(64)),
    Column("claimed_by", Uuid),  # the home that is sending it, where several share the database
    Column("claimed_until", UtcTime),
    Index("outbox_in_order", "rank", "place"),
)

chains = Table(
    "chains",
    metadata,
    Column("hall", String(9), primary_key=True),
    Column("registry", String(6), primary_key=True),
    Column("epoch", Uuid, primary_key=True),
    Column("sequence", Integer, nullable=False),  # of the last report taken
    Column("sha256", Hash, nullable=False),  # of its payload
    Column("instance", Uuid, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("ordinal", Integer, nullable=False, server_default="1"),  # which of the hall's epochs, as seen here
)

reports = Table(
    "reports",
    metadata,
    Column("hall", String(9), primary_key=True),
    Column("registry", String(6), primary_key=True),
    Column("epoch", Uuid, primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("sha256", Hash, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("job_id", Uuid),
    Column("envelope", LargeBinary, nullable=False),  # as signed: it is the hall's word
    Column("is_parked", Boolean, nullable=False),
    Column("received_at", UtcTime, nullable=False),
    Index("reports_by_job", "job_id"),
)

instances = Table(
    "instances",
    metadata,
    Column("hall", String(9), primary_key=True),
    Column("registry", String(6), primary_key=True),
    Column("instance", Uuid, primary_key=True),
    Column("first_seen", UtcTime, nullable=False),
    Column("epoch", Uuid),
    Column("first_sequence", Integer, nullable=False, server_default="0"),  # of the reports that this run wrote
)

halts = Table(
    "halts",  # halls whose agents are to be told that their reports contradict each other
    metadata,
    Column("hall", String(9), primary_key=True),
    Column("registry", String(6), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("is_due", Boolean, nullable=False),
    Column("halted_at", UtcTime),
)

hall_asks = Table(
    "hall_asks",  # a hall that does not trust its journal asked for its orders
    metadata,
    Column("hall", String(9), primary_key=True),
    Column("registry", String(6), primary_key=True),
    Column("ask", Uuid, nullable=False),
    Column("epoch", Uuid, nullable=False),
    Column("has", JSON, nullable=False),  # the orders that it says it has
    Column("is_first", Boolean, nullable=False),
    Column("is_answered", Boolean, nullable=False),
    Column("asked_at", UtcTime, nullable=False),
)

alarms = Table(
    "alarms",
    metadata,
    Column("place", Place, primary_key=True, autoincrement=True),
    Column("at", UtcTime, nullable=False),
    Column("code", String(64), nullable=False),
    Column("hall", String(9)),
    Column("registry", String(6)),
    Column("job_id", Uuid),
    Column("order_id", Uuid),
    Column("detail", String(200)),
)

callback_events = Table(
    "callback_events",
    metadata,
    Column("place", Place, primary_key=True, autoincrement=True),
    Column("event_id", Uuid, nullable=False, unique=True),
    Column("registry", String(6), nullable=False),
    Column("job_id", Uuid, nullable=False),
    Column("type", String(48), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("data", JSON, nullable=False),
    Index("callback_events_by_registry", "registry", "place"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("place", Place, primary_key=True, autoincrement=True),
    Column("endpoint", String(64), nullable=False),
    Column("event_place", Place, ForeignKey("callback_events.place"), nullable=False),
    Column("job_id", Uuid, nullable=False),
    Column("state", String(16), nullable=False),  # pending, delivered, parked
    Column("tries", Integer, nullable=False, default=0),
    Column("first_try_at", UtcTime),
    Column("next_try_at", UtcTime, nullable=False),
    Column("last_error", String(64)),
    Column("delivered_at", UtcTime),
    UniqueConstraint("endpoint", "event_place"),
    Index(
        "deliveries_not_done",
        "endpoint",
        "job_id",
        "place",
        sqlite_where=_NOT_DELIVERED,
        postgresql_where=_NOT_DELIVERED,
    ),
)

approvals = Table(
    "approvals",
    metadata,
    Column("approval_id", Uuid, primary_key=True),
    Column("hall", String(9), nullable=False),
    Column("registry", String(6), nullable=False),
    Column("job_id", Uuid, nullable=False),
    Column("order_id", Uuid, nullable=False),
    Column("act", String(16), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("actor_id", String(64)),
    Column("actor_role", String(32)),
    Column("state", String(16), nullable=False),  # open, sent, accepted, declined
    Column("opened_at", UtcTime, nullable=False),
    Column("closed_at", UtcTime),
    Index("approvals_by_state", "state", "opened_at"),
    Index("approvals_by_job", "job_id"),
)

halls = Table(
    "halls",
    metadata,
    Column("hall", String(9), primary_key=True),
    Column("last_report_at", UtcTime, nullable=False),
    Column("heartbeat_at", UtcTime),
    Column("agent_version", String(64)),
    Column("printers", JSON, nullable=False),
    Column("blanks", JSON, nullable=False),
    Column("open_asks", Integer, nullable=False, default=0),
    Column("clock_offset_seconds", Float),
    Column("is_silent", Boolean, nullable=False, default=False),
    Column("standing", String(16), nullable=False, server_default="ok"),  # ok, reconcile, cloned
    Column("standing_why", String(64)),
    Column("standing_since", UtcTime),
)

blanks = Table(
    "blanks",
    metadata,
    Column("stock", String(16), primary_key=True),
    Column("serial", String(13), primary_key=True),
    Column("hall", String(9), primary_key=True),
    Column("status", String(64), nullable=False),
    Column("order_id", Uuid),
    Column("at", UtcTime, nullable=False),
    Index("blanks_by_serial", "serial"),
    Index("blanks_by_hall", "hall", "serial"),
)

handovers = Table(
    "handovers",
    metadata,
    Column("job_id", Uuid, primary_key=True),
    Column("order_id", Uuid, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("recipient_role", String(16), nullable=False),
    Column("identity_method", String(64), nullable=False),
    Column("identity_result", String(64), nullable=False),
    Column("actor_id", String(64)),
    Column("actor_role", String(32)),
)
