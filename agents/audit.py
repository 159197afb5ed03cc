"""What a registry's home says of the audit logs: the end of its own, which is kept here, and what it keeps of ours (docs/audit.md)."""

import structlog

from agents.journal import Journal
from spooler.wire.messages import Anchor

_log = structlog.get_logger()


def take_anchor(journal: Journal, control: Anchor) -> None:
    """Keep both ends; an entry of ours that we do not have is an alarm."""
    audit, now = journal.ledger.audit, journal.clock()
    with journal.act():
        audit.keep(control.registry, "home", control.audit, now)
        if control.hall_audit is not None:
            if not audit.is_ours(control.hall_audit):
                _log.error("audit log broken", registry=control.registry, entry=control.hall_audit.sequence, alarm=True)
            audit.keep(control.registry, "hall", control.hall_audit, now)
