-- Version 7: logins by password, which the audit log covers (agents/ledger/logins.py).

CREATE TABLE logins (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    at       TEXT NOT NULL,
    account  TEXT NOT NULL,
    what     TEXT NOT NULL
) STRICT;
