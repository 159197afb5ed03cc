-- The hall's ledger, version 1. No names, ID numbers or addresses: persons stay inside the wrapped orders beside it.
-- Times are RFC 3339 in UTC; ids are UUIDs as text; a serial is its letters (prefix) and its eleven digits (a number).

CREATE TABLE hall (               -- what this ledger belongs to
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    hall      TEXT NOT NULL,
    machine   TEXT NOT NULL,
    permits   TEXT NOT NULL,      -- the permit directory's own id
    epoch     TEXT NOT NULL,
    reconcile TEXT                -- why nothing may be printed; NULL: all is well
) STRICT;

CREATE TABLE orders (
    order_id        TEXT PRIMARY KEY,
    job_id          TEXT NOT NULL,
    registry        TEXT NOT NULL,
    kind            TEXT NOT NULL,
    number          TEXT NOT NULL,
    number_version  INTEGER NOT NULL,
    template        TEXT NOT NULL,
    seal            TEXT NOT NULL,
    window          TEXT,
    case_number     TEXT NOT NULL,
    case_ordinal    INTEGER NOT NULL,
    case_of         INTEGER NOT NULL,
    deadline        TEXT NOT NULL,
    not_before      TEXT NOT NULL,
    not_after       TEXT NOT NULL,
    identity        TEXT NOT NULL,   -- sha256(ticket ‖ document)
    document_sha256 TEXT NOT NULL,
    kid             TEXT NOT NULL,   -- the wrap key that opens the kept envelope
    holder_masked   TEXT NOT NULL,
    received_at     TEXT NOT NULL,
    state           TEXT NOT NULL,
    reasons         TEXT NOT NULL DEFAULT '',
    attempt         INTEGER NOT NULL DEFAULT 1,
    serial          TEXT,            -- confirmed from the paper
    held            INTEGER NOT NULL DEFAULT 0,
    cancelling      TEXT             -- the control that waits for its answer
) STRICT;
CREATE INDEX orders_by_state ON orders (state, deadline);
CREATE INDEX orders_by_number ON orders (number);
CREATE INDEX orders_by_case ON orders (case_number);
CREATE INDEX orders_by_serial ON orders (serial);

CREATE TABLE search_words (          -- keyed hashes of names, for search; see agents/search.py
    word     BLOB NOT NULL,
    order_id TEXT NOT NULL REFERENCES orders,
    PRIMARY KEY (word, order_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (              -- opened by the first release
    order_id TEXT NOT NULL REFERENCES orders,
    attempt  INTEGER NOT NULL,
    printer  TEXT NOT NULL,
    stock    TEXT NOT NULL,
    proposed TEXT,                   -- the reserved blank; NULL on plain paper
    PRIMARY KEY (order_id, attempt)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempts_by_printer ON attempts (printer);

CREATE TABLE passes (
    order_id  TEXT NOT NULL REFERENCES orders,
    attempt   INTEGER NOT NULL,
    number    INTEGER NOT NULL,
    name      TEXT NOT NULL,
    pages     TEXT NOT NULL,         -- JSON array, page 0 is the document's first
    stock     TEXT NOT NULL,
    width_mm  REAL NOT NULL,
    height_mm REAL NOT NULL,
    turn      TEXT NOT NULL,
    state     TEXT NOT NULL,
    printer   TEXT,                  -- where it was released to
    released  INTEGER,               -- its place in the printer's queue; NULL: not released
    try_id    TEXT,                  -- the latest try
    PRIMARY KEY (order_id, attempt, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX passes_by_printer ON passes (printer, released) WHERE released IS NOT NULL;
CREATE INDEX passes_under_way ON passes (state) WHERE state NOT IN ('ready', 'done', 'confirmed', 'spoiled');

CREATE TABLE tries (                 -- one sending of one pass; the uuid is never issued twice
    try_id    TEXT PRIMARY KEY,
    order_id  TEXT NOT NULL REFERENCES orders,
    attempt   INTEGER NOT NULL,
    number    INTEGER NOT NULL,
    printer   TEXT NOT NULL,
    state     TEXT NOT NULL,         -- intent … unknown, or `again`: proved that no byte left
    cups_job  INTEGER,
    began_at  TEXT NOT NULL,
    ended_at  TEXT,
    evidence  TEXT                   -- why it ended so
) STRICT;
CREATE INDEX tries_open ON tries (printer) WHERE ended_at IS NULL;

CREATE TABLE events (
    sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
    at         TEXT NOT NULL,
    order_id   TEXT NOT NULL,
    state      TEXT NOT NULL,
    reasons    TEXT NOT NULL,
    attempt    INTEGER NOT NULL,
    actor_id   TEXT NOT NULL,
    actor_role TEXT NOT NULL,
    number     INTEGER,              -- of the pass
    serial     TEXT,
    printer    TEXT,
    detail     TEXT
) STRICT;
CREATE INDEX events_by_order ON events (order_id, sequence);

CREATE TABLE approvals (
    id            TEXT PRIMARY KEY,
    order_id      TEXT NOT NULL REFERENCES orders,
    attempt       INTEGER NOT NULL,
    act           TEXT NOT NULL,
    details       TEXT NOT NULL,     -- JSON: what will be done
    reason        TEXT NOT NULL,
    asked_id      TEXT NOT NULL,
    asked_role    TEXT NOT NULL,
    asked_at      TEXT NOT NULL,
    accepted      INTEGER,
    answered_id   TEXT,
    answered_role TEXT,
    answered_at   TEXT,
    answer        TEXT
) STRICT;
CREATE UNIQUE INDEX one_open_approval ON approvals (order_id) WHERE accepted IS NULL;

CREATE TABLE controls (              -- also those that overtook their order
    control_id  TEXT PRIMARY KEY,
    order_id    TEXT NOT NULL,
    registry    TEXT NOT NULL,
    kind        TEXT NOT NULL,
    body        TEXT NOT NULL,
    received_at TEXT NOT NULL,
    outcome     TEXT,
    answered_at TEXT
) STRICT;
CREATE INDEX controls_by_order ON controls (order_id);

CREATE TABLE quarantine (            -- what came under a known id with other content, or was not to be trusted
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    at       TEXT NOT NULL,
    order_id TEXT NOT NULL,
    registry TEXT NOT NULL,
    code     TEXT NOT NULL,
    identity TEXT NOT NULL,
    told     INTEGER NOT NULL,       -- home was told `refused`: this id is never printed
    UNIQUE (order_id, code, identity)
) STRICT;

CREATE TABLE chains (                -- per registry, within the epoch
    registry TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL,
    previous TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    position    INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT NOT NULL UNIQUE,
    registry    TEXT NOT NULL,
    kind        TEXT NOT NULL,
    epoch       TEXT NOT NULL,
    sequence    INTEGER NOT NULL,
    order_id    TEXT,
    body        BLOB NOT NULL,       -- signed
    at          TEXT NOT NULL,
    due_at      TEXT NOT NULL,
    sent_at     TEXT,
    failures    INTEGER NOT NULL DEFAULT 0,
    error       TEXT
) STRICT;
CREATE INDEX outbox_pending ON outbox (position) WHERE sent_at IS NULL;

CREATE TABLE blanks (                -- ranges that follow each other and share everything
    stock     TEXT NOT NULL,
    prefix    TEXT NOT NULL,
    first     INTEGER NOT NULL,
    last      INTEGER NOT NULL CHECK (last >= first),
    status    TEXT NOT NULL,
    printer   TEXT,
    loading   INTEGER,               -- the movement that loaded it: packs are fed in this order
    order_id  TEXT,                  -- reserved for
    PRIMARY KEY (stock, prefix, first)
) STRICT, WITHOUT ROWID;
CREATE INDEX blanks_by_printer ON blanks (printer, loading, first) WHERE printer IS NOT NULL;

CREATE TABLE movements (
    sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
    at         TEXT NOT NULL,
    movement   TEXT NOT NULL,
    stock      TEXT NOT NULL,
    prefix     TEXT NOT NULL,
    first      INTEGER NOT NULL,
    last       INTEGER NOT NULL,
    printer    TEXT,
    order_id   TEXT,
    attempt    INTEGER,
    reason     TEXT,
    actor_id   TEXT NOT NULL,
    actor_role TEXT NOT NULL
) STRICT;
CREATE INDEX movements_by_serial ON movements (stock, prefix, first, last);

CREATE TABLE printers (              -- what people set; how they are is asked, not kept
    name   TEXT PRIMARY KEY,
    paused INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
