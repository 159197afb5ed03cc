"""Orders, their attempts and passes, and the history of each, in the ledger."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from agents.ledger.audit import write_down
from agents.ledger.database import Database, Value
from agents.ledger.rows import Attempt, Order, PassRow, attempt_of, order_of, pass_of
from agents.order import BEFORE_THE_FIRST, OrderState, PassState, is_final
from spooler.wire.messages import Actor, Pass

_ACTIVE = ("waiting", "printing", "printed")
_ENDED = tuple(state for state in OrderState if is_final(state))


class Orders:
    """Rows in, rows out; what may follow what is decided in `journal`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, order: Order, passes: Sequence[Pass]) -> None:
        self._db.insert(
            "orders",
            order_id=str(order.order_id),
            job_id=str(order.job_id),
            registry=order.registry,
            kind=order.kind,
            number=order.number,
            number_version=order.number_version,
            template=order.template,
            seal=order.seal,
            window=order.window,
            case_number=order.case.number,
            case_ordinal=order.case.ordinal,
            case_of=order.case.of,
            deadline=order.deadline.isoformat(),
            not_before=order.not_before.isoformat(),
            not_after=order.not_after.isoformat(),
            identity=order.identity,
            document_sha256=order.document_sha256,
            kid=order.kid,
            holder_masked=order.holder_masked,
            received_at=order.received_at.isoformat(),
            state=order.state,
            attempt=order.attempt,
            replaces=None if order.replaces is None else order.replaces.model_dump_json(),
            check_sheet=order.check_sheet,
        )
        self.add_passes(order.order_id, BEFORE_THE_FIRST, [shape for shape in passes if shape.check is not None])
        self.add_passes(order.order_id, order.attempt, [shape for shape in passes if shape.check is None])

    def get(self, order_id: UUID) -> Order | None:
        row = self._db.row("SELECT * FROM orders WHERE order_id = ?", str(order_id))
        return None if row is None else order_of(row)

    def set(self, order_id: UUID, **columns: Value) -> None:
        names = ", ".join(f"{name} = ?" for name in columns)
        self._db.execute(f"UPDATE orders SET {names} WHERE order_id = ?", *columns.values(), str(order_id))

    def active(self) -> Sequence[Order]:
        """All that have not ended, most urgent first."""
        rows = self._db.rows("SELECT * FROM orders WHERE state IN (?, ?, ?) ORDER BY deadline, received_at", *_ACTIVE)
        return [order_of(row) for row in rows]

    def waiting(self, limit: int) -> Sequence[Order]:
        """Those that nobody released yet, most urgent first."""
        rows = self._db.rows(
            "SELECT * FROM orders WHERE state = 'waiting' AND held = 0 AND cancelling IS NULL"
            " ORDER BY deadline, received_at LIMIT ?",
            limit,
        )
        return [order_of(row) for row in rows]

    def late(self, now: datetime) -> Sequence[Order]:
        """Those whose time to begin an attempt has passed, begun or not."""
        rows = self._db.rows(
            "SELECT * FROM orders WHERE state IN ('waiting', 'printing') AND not_after < ?", now.isoformat()
        )
        return [order_of(row) for row in rows]

    def ended_before(self, before: datetime, limit: int) -> Sequence[Order]:
        """Those whose last event lies before that time, all of whose reports home has, and that still hold persons."""
        rows = self._db.rows(
            "SELECT o.* FROM orders o WHERE destroyed_at IS NULL AND state IN (?, ?, ?, ?, ?)"
            " AND cancelling IS NULL AND (SELECT max(at) FROM events e WHERE e.order_id = o.order_id) < ?"
            " AND NOT EXISTS (SELECT 1 FROM outbox x WHERE x.sent_at IS NULL AND x.order_id = o.order_id)"
            " ORDER BY o.received_at LIMIT ?",
            *_ENDED,
            before.isoformat(),
            limit,
        )
        return [order_of(row) for row in rows]

    def forget_persons(self, order_id: UUID, at: datetime) -> None:
        """Nobody finds the order by a name any more; it is found by number, case, serial and id."""
        self._db.execute("DELETE FROM search_words WHERE order_id = ?", str(order_id))
        self.set(order_id, holder_masked="", destroyed_at=at.isoformat())

    def find(self, *, state: str | None, q: str | None, word: bytes | None, limit: int) -> Sequence[Order]:
        """Search by number, case, serial, id, or the hash of a word that stands for a person."""
        where, values = ["1 = 1"], list[Value]()
        if state is not None:
            where.append("state = ?")
            values.append(state)
        if q:
            where.append(
                "(instr(number, ?) OR case_number = ? OR serial = ? OR order_id = ? OR job_id = ?"
                " OR order_id IN (SELECT order_id FROM search_words WHERE word = ?))"
            )
            values += [q, q, q, q.lower(), q.lower(), word]
        sql = f"SELECT * FROM orders WHERE {' AND '.join(where)} ORDER BY deadline, received_at LIMIT ?"
        return [order_of(row) for row in self._db.rows(sql, *values, limit)]

    def add_words(self, order_id: UUID, words: Iterable[bytes]) -> None:
        for word in words:
            self._db.execute("INSERT OR IGNORE INTO search_words VALUES (?, ?)", word, str(order_id))

    def counts(self) -> dict[tuple[str, str, str], int]:
        """How many orders by registry, kind, state."""
        rows = self._db.rows("SELECT registry, kind, state, count(*) FROM orders GROUP BY 1, 2, 3")
        return {(row[0], row[1], row[2]): row[3] for row in rows}

    # attempts

    def add_attempt(self, attempt: Attempt) -> None:
        self._db.insert(
            "attempts",
            order_id=str(attempt.order_id),
            attempt=attempt.attempt,
            printer=attempt.printer,
            stock=attempt.stock,
            proposed=attempt.proposed,
        )

    def attempt(self, order_id: UUID, attempt: int) -> Attempt | None:
        row = self._db.row("SELECT * FROM attempts WHERE order_id = ? AND attempt = ?", str(order_id), attempt)
        return None if row is None else attempt_of(row)

    def drop_attempt(self, order_id: UUID, attempt: int) -> None:
        """It was opened and never begun."""
        self._db.execute("DELETE FROM attempts WHERE order_id = ? AND attempt = ?", str(order_id), attempt)

    def propose(self, order_id: UUID, attempt: int, serial: str | None) -> None:
        self._db.execute(
            "UPDATE attempts SET proposed = ? WHERE order_id = ? AND attempt = ?", serial, str(order_id), attempt
        )

    # passes

    def add_passes(self, order_id: UUID, attempt: int, shapes: Iterable[Pass]) -> None:
        """Open an attempt's passes: `ready`, or `done` at once where a side is empty."""
        for shape in shapes:
            self._db.insert(
                "passes",
                order_id=str(order_id),
                attempt=attempt,
                number=shape.number,
                name=shape.name,
                pages=json.dumps(shape.pages),
                stock=shape.stock,
                width_mm=shape.width_mm,
                height_mm=shape.height_mm,
                turn=shape.turn,
                state=PassState.DONE if shape.is_empty else PassState.READY,
            )

    def passes(self, order_id: UUID, attempt: int) -> tuple[PassRow, ...]:
        rows = self._db.rows(
            "SELECT * FROM passes WHERE order_id = ? AND attempt = ? ORDER BY number", str(order_id), attempt
        )
        return tuple(pass_of(row) for row in rows)

    def all_passes(self, order_id: UUID) -> tuple[PassRow, ...]:
        """The passes of every attempt so far."""
        rows = self._db.rows("SELECT * FROM passes WHERE order_id = ? ORDER BY attempt, number", str(order_id))
        return tuple(pass_of(row) for row in rows)

    def set_pass(self, row: PassRow, **columns: Value) -> None:
        names = ", ".join(f"{name} = ?" for name in columns)
        self._db.execute(
            f"UPDATE passes SET {names} WHERE order_id = ? AND attempt = ? AND number = ?",
            *columns.values(),
            str(row.order_id),
            row.attempt,
            row.number,
        )

    def queued(self, printer: str) -> Sequence[PassRow]:
        """Passes released to this printer and not begun, in the order of their release."""
        rows = self._db.rows(
            "SELECT p.* FROM passes p JOIN orders o ON o.order_id = p.order_id AND p.attempt IN (0, o.attempt)"
            " WHERE p.printer = ? AND p.released IS NOT NULL AND p.state = 'ready'"
            " AND o.state = CASE p.attempt WHEN 0 THEN 'waiting' ELSE 'printing' END"
            " AND o.held = 0 AND o.cancelling IS NULL"
            " AND NOT EXISTS (SELECT 1 FROM approvals a WHERE a.order_id = o.order_id AND a.accepted IS NULL)"
            " ORDER BY p.released",
            printer,
        )
        return [pass_of(row) for row in rows]

    def under_way(self, printer: str) -> Sequence[PassRow]:
        """Passes at this printer that are begun and not closed: at most one, unless it is unknown."""
        rows = self._db.rows(
            "SELECT * FROM passes WHERE printer = ? AND state NOT IN ('ready', 'done', 'confirmed', 'spoiled')", printer
        )
        return [pass_of(row) for row in rows]

    def served(self, printer: str) -> Sequence[PassRow]:
        """Passes not closed of attempts on numbered blanks that this printer has in hand."""
        rows = self._db.rows(
            "SELECT p.* FROM attempts a JOIN orders o ON o.order_id = a.order_id AND o.attempt = a.attempt"
            " JOIN passes p ON p.order_id = a.order_id AND p.attempt = a.attempt AND p.stock = a.stock"
            " WHERE a.printer = ? AND o.state = 'printing' AND p.state NOT IN ('done', 'confirmed', 'spoiled')",
            printer,
        )
        return [pass_of(row) for row in rows]

    def unknown(self) -> Sequence[PassRow]:
        """Passes of which only a person can tell."""
        return [pass_of(row) for row in self._db.rows("SELECT * FROM passes WHERE state = 'unknown'")]

    # history

    def note(
        self,
        order_id: UUID,
        *,
        at: datetime,
        state: OrderState,
        reasons: Sequence[str],
        attempt: int,
        actor: Actor,
        number: int | None = None,
        serial: str | None = None,
        printer: str | None = None,
        detail: str | None = None,
    ) -> int:
        """Write an event; return its sequence."""
        values = dict(
            at=at.isoformat(),
            order_id=str(order_id),
            state=state,
            reasons=" ".join(reasons),
            attempt=attempt,
            actor_id=actor.id,
            actor_role=actor.role,
            number=number,
            serial=serial,
            printer=printer,
            detail=detail,
        )
        return write_down(self._db, "event", values)

    def events(self, order_id: UUID) -> list[dict[str, Any]]:
        rows = self._db.rows("SELECT * FROM events WHERE order_id = ? ORDER BY sequence", str(order_id))
        return [dict(row) for row in rows]
