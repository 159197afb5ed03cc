"""Whether a side goes by signed grants or by the plain list that nobody signed: as its settings say, or as its trust directory does."""

from pathlib import Path
from typing import Literal

import structlog

from spooler.wire import grant_files

GrantMode = Literal["signed", "plain"]

_log = structlog.get_logger()


def are_signed(directory: Path, chosen: GrantMode | None, *, has_seen_signed: bool) -> bool:
    """Decide at a start. Who has seen signed grants never goes back to the plain list by itself, whatever lies in the directory."""
    looks_signed = has_seen_signed or grant_files.look_signed(directory)
    signed = looks_signed if chosen is None else chosen == "signed"
    if not signed:
        _log.warning(
            "grants are not signed: whoever can write the trust directory grants (certspool grant sign-all, docs/grants.md)",
            file=str(directory / grant_files.PLAIN),
        )
    return signed
