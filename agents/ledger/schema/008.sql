-- Version 8: what was ever agreed and withdrawn between registries and this hall (spooler/wire/grants.py): an old file put back revives nothing.

CREATE TABLE grant_marks (
    registry  TEXT PRIMARY KEY,
    agreed    INTEGER NOT NULL,          -- the highest sequence that both had signed
    withdrawn INTEGER NOT NULL,          -- the highest that one of them withdrew; 0: none
    told      INTEGER NOT NULL           -- the highest withdrawal that the registry was told of
) STRICT, WITHOUT ROWID;
