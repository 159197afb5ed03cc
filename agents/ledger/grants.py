"""What was ever agreed and withdrawn between registries and this hall, in the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass

from agents.ledger.database import Database
from spooler.wire.grants import Mark


@dataclass(frozen=True)
class Kept:
    """A registry's mark, and up to which withdrawal it was told that the hall knows."""

    mark: Mark
    told: int


class Grants:
    """One row a registry; nothing in it is ever lowered."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def kept(self) -> Mapping[str, Kept]:
        rows = self._db.rows("SELECT registry, agreed, withdrawn, told FROM grant_marks")
        return {row["registry"]: Kept(Mark(row["agreed"], row["withdrawn"]), row["told"]) for row in rows}

    def keep(self, registry: str, mark: Mark, told: int = 0) -> Kept:
        """Raise what is kept to this; return what it was before."""
        before = self.kept().get(registry, Kept(Mark(), 0))
        raised = before.mark.raised(mark)
        self._db.execute(
            "INSERT INTO grant_marks VALUES (?, ?, ?, ?) ON CONFLICT (registry) DO UPDATE SET"
            " agreed = excluded.agreed, withdrawn = excluded.withdrawn, told = excluded.told",
            registry,
            raised.agreed,
            raised.withdrawn,
            max(before.told, told),
        )
        return before
