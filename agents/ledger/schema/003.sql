-- Version 3: how far each printer is off, and the sheets that it was measured on (agents/calibration). Append-only: what was measured,
-- by whom and when, is never changed; what is in force is the newest acceptance.

CREATE TABLE calibrations (
    printer     TEXT NOT NULL,
    stock       TEXT NOT NULL,
    spread      TEXT NOT NULL,       -- the name of the pass
    version     INTEGER NOT NULL,    -- counts from 1
    device      TEXT NOT NULL,       -- the real URI: another device behind the same name is not calibrated
    width_mm    REAL NOT NULL,
    height_mm   REAL NOT NULL,
    points      TEXT NOT NULL,       -- JSON: cross → [x, y] as measured, mm from the top left corner
    correction  TEXT NOT NULL,       -- JSON: [a, b, c, d, e, f], mm from the top left corner
    model       TEXT NOT NULL,
    residual_mm REAL NOT NULL,       -- the largest
    actor_id    TEXT NOT NULL,
    actor_role  TEXT NOT NULL,
    at          TEXT NOT NULL,
    PRIMARY KEY (printer, stock, spread, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE acceptances (           -- of a version, after a look at its proof
    sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
    printer    TEXT NOT NULL,
    stock      TEXT NOT NULL,
    spread     TEXT NOT NULL,
    version    INTEGER NOT NULL,
    reason     TEXT,                 -- why without a proof, where there was none
    actor_id   TEXT NOT NULL,
    actor_role TEXT NOT NULL,
    at         TEXT NOT NULL,
    FOREIGN KEY (printer, stock, spread, version) REFERENCES calibrations
) STRICT;
CREATE INDEX acceptances_by_printer ON acceptances (printer, stock, spread, sequence);

CREATE TRIGGER calibrations_stay BEFORE UPDATE ON calibrations BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER calibrations_remain BEFORE DELETE ON calibrations BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER acceptances_stay BEFORE UPDATE ON acceptances BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER acceptances_remain BEFORE DELETE ON acceptances BEGIN SELECT RAISE(ABORT, 'append-only'); END;

CREATE TABLE calibration_prints (    -- sheets and proofs that somebody asked for; on plain paper, never on a blank
    print_id   TEXT PRIMARY KEY,
    what       TEXT NOT NULL,        -- sheet · proof
    printer    TEXT NOT NULL,
    stock      TEXT NOT NULL,
    spread     TEXT NOT NULL,
    version    INTEGER,              -- which a proof proves
    width_mm   REAL NOT NULL,
    height_mm  REAL NOT NULL,
    until      TEXT NOT NULL,        -- not begun by then, it lapses
    state      TEXT NOT NULL,        -- as of a pass, or `lapsed`
    actor_id   TEXT NOT NULL,
    actor_role TEXT NOT NULL,
    at         TEXT NOT NULL
) STRICT;
CREATE INDEX calibration_prints_by_printer ON calibration_prints (printer, state);

CREATE TABLE calibration_tries (     -- as `tries`, of prints that are no order's
    try_id   TEXT PRIMARY KEY,
    print_id TEXT NOT NULL REFERENCES calibration_prints,
    printer  TEXT NOT NULL,
    state    TEXT NOT NULL,
    cups_job INTEGER,
    began_at TEXT NOT NULL,
    ended_at TEXT,
    evidence TEXT
) STRICT;
CREATE INDEX calibration_tries_open ON calibration_tries (printer) WHERE ended_at IS NULL;
