"""Who takes a certificate away, and the answers a person gives: values that the acts take."""

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["printed", "spoiled", "nothing_printed"]


@dataclass(frozen=True)
class Recipient:
    """Who takes it: by role; `party` is the index or role of a party of the ticket, `id_last4` is compared and not kept."""

    role: Literal["holder", "agent", "courier"]
    party: int | str | None = None
    id_last4: str | None = None


@dataclass(frozen=True)
class Identity:
    """How the recipient was identified, and with what result."""

    method: str
    result: str
