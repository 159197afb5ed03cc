"""Who of several homes on one database does what only one may do: tell the callbacks in order, look at the clock, answer halls.

The one that holds an advisory lock of PostgreSQL. The lock ends with its connection, however the home ends, and another takes over at
its next look. A home on SQLite is alone by the lock on its directory, and always on duty.
"""

from threading import Lock

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from spooler.store.database import Database

ON_DUTY = 0x64757479  # "duty"
_TRY = text("SELECT pg_try_advisory_lock(:duty)").bindparams(duty=ON_DUTY)
_STILL = text("SELECT 1")


class Duty:
    """Asked before each such act; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = Lock()
        self._held: Connection | None = None

    def is_ours(self) -> bool:
        """Say whether this home is on duty, taking it over if nobody is."""
        if not self._database.is_shared:
            return True
        with self._turn:
            return self._still_holds() or self._takes_over()

    def close(self) -> None:
        with self._turn:
            self._let_go()

    def _still_holds(self) -> bool:
        if self._held is None:
            return False
        try:
            self._held.execute(_STILL)
        except DBAPIError:
            # The server let go of the lock when the connection broke.
            self._let_go()
            return False
        return True

    def _takes_over(self) -> bool:
        connection = self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if connection.execute(_TRY).scalar():
            self._held = connection
            return True
        connection.close()
        return False

    def _let_go(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.invalidate()  # never back into the pool: the lock belongs to the session
            held.close()
