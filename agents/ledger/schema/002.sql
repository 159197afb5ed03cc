-- Version 2: what a hall needs that does not trust its own journal (agents/reconcile.py).

ALTER TABLE hall ADD COLUMN since TEXT;      -- when the epoch began

CREATE TABLE asks (                  -- what each registry was asked last, and whether it has answered
    registry TEXT PRIMARY KEY,
    ask      TEXT NOT NULL,
    asked_at TEXT NOT NULL,
    parts    INTEGER,                -- of the answer; NULL: none has come
    is_first INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE answer_parts (
    ask  TEXT NOT NULL,
    part INTEGER NOT NULL,
    PRIMARY KEY (ask, part)
) STRICT, WITHOUT ROWID;

CREATE TABLE known_orders (          -- what registries know of orders, by their last answer
    order_id TEXT PRIMARY KEY,
    registry TEXT NOT NULL,
    body     TEXT NOT NULL,          -- the wire's KnownOrder as JSON
    applied  INTEGER NOT NULL        -- 0: the order itself is not here yet
) STRICT, WITHOUT ROWID;

CREATE TABLE stranger_tries (        -- claimed permits that this journal never issued: paper of a past it has lost
    try_id   TEXT PRIMARY KEY,
    order_id TEXT,                   -- NULL: the permit does not say
    attempt  INTEGER,
    number   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX stranger_tries_by_order ON stranger_tries (order_id, attempt, number);

CREATE TABLE leaving (               -- the first of two persons who lead the hall out
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    asked_id   TEXT NOT NULL,
    asked_role TEXT NOT NULL,
    asked_at   TEXT NOT NULL,
    reason     TEXT NOT NULL,
    without    TEXT NOT NULL         -- registries that are not waited for
) STRICT;
