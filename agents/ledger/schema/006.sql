-- Version 6: the audit log (agents/ledger/audit.py): one entry for each event and each movement of blanks, in the order of writing, and
-- what each side was told of the other's log.

CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY,
    what     TEXT NOT NULL,              -- begin, event, movement
    source   INTEGER,                    -- the sequence of the event or movement
    about    TEXT,                       -- of the first entry: which log, and how many rows are older
    sha256   TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER audit_remains BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'append-only'); END;

CREATE TABLE audit_anchors (             -- the ends of logs: the first of each hour, and the newest
    registry TEXT NOT NULL,
    whose    TEXT NOT NULL,              -- home: its log; hall: what home keeps of ours
    slot     TEXT NOT NULL,
    log      TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    sha256   TEXT NOT NULL,
    at       TEXT NOT NULL,
    PRIMARY KEY (registry, whose, slot)
) STRICT, WITHOUT ROWID;
