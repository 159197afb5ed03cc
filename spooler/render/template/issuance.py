"""How a document may be issued anew (换发, 补发, 更正), and what each way needs: the tables [issuance.*] of a template.

Where a template on numbered stock says nothing, 细则第二十二条 and 第八十条 hold: `LAW`. What is printed on plain paper is issued once.
"""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from spooler.catalog import KINDS

FIRST = "first"


class IssuanceRule(BaseModel):
    """What one way of issuing anew needs beside the paper that it replaces."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    needs: tuple[Literal["notice"], ...] = ()  # in the request
    before_hand_over: tuple[Literal["old_returned"], ...] = ()  # in the request, or said by the clerk
    notes_must_contain: str = Field(default="", max_length=40)

    @property
    def takes_back(self) -> bool:
        """Say whether the old paper is taken back before the new one is handed over."""
        return "old_returned" in self.before_hand_over


class Issuance(BaseModel):
    """The ways there are. One that is left out is not offered."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    renewal: IssuanceRule | None = None
    replacement: IssuanceRule | None = None
    correction: IssuanceRule | None = None

    def rule(self, type_: str) -> IssuanceRule | None:
        """Return what this way needs; None where it is not offered."""
        return IssuanceRule() if type_ == FIRST else getattr(self, type_)

    @property
    def offered(self) -> tuple[str, ...]:
        return (FIRST, *(name for name in Issuance.model_fields if getattr(self, name) is not None))


ONCE = Issuance()
LAW = Issuance(
    renewal=IssuanceRule(before_hand_over=("old_returned",)),
    replacement=IssuanceRule(needs=("notice",), notes_must_contain="补发"),
    correction=IssuanceRule(before_hand_over=("old_returned",)),
)


def issuance_of(kind: str, said: Issuance | None) -> Issuance:
    """Return what a template of this kind says, or what holds where it says nothing."""
    return said or (ONCE if KINDS[kind].is_plain else LAW)


def issuance_faults(kind: str, said: Issuance | None) -> Iterator[tuple[tuple[str, ...], str]]:
    """Return what is wrong with the tables, by key."""
    known = KINDS.get(kind)
    if said is None or known is None:
        return
    for name in said.offered[1:]:
        rule = said.rule(name)
        if known.is_plain:
            yield ("issuance", name), f"a {kind} is printed on plain paper and issued once"
        elif rule is not None and rule.notes_must_contain and known.field("notes") is None:
            yield ("issuance", name, "notes_must_contain"), f"a {kind} has no field notes"
