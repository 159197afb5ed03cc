"""What the database is told about a query that it cannot know: SQLite keeps no statistics here."""

from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class Rarely(FunctionElement[bool]):
    """A condition that few rows meet. Told so, SQLite takes that condition's index and no other."""

    inherit_cache = (
        True  # of no declared type: as a Boolean it would be compared with 1, and no index be seen behind that
    )

    def __init__(self, condition: ColumnElement[bool]) -> None:
        super().__init__(condition)


@compiles(Rarely)
def _as_it_is(rarely: Rarely, compiler: SQLCompiler, **more: Any) -> str:
    return compiler.process(rarely.clauses, **more)


@compiles(Rarely, "sqlite")
def _with_its_likelihood(rarely: Rarely, compiler: SQLCompiler, **more: Any) -> str:
    return f"likelihood({compiler.process(rarely.clauses, **more)}, 0.0001)"
