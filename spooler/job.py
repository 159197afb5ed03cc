"""A job at home: its states, its reasons, and all legal moves.

    accepted ─▶ sealed ─▶ sent ─▶ received ─▶ printing ─▶ printed ─▶ issued ─▶ superseded
        │          │        │         │           │            │         │
        └──────────┴────────┴─────────┴───────────┴────────────┴─────────┴──▶ refused · cancelled · withdrawn

Every move is an event with its actor, written in the same transaction (`store`).
"""

from enum import StrEnum


class JobState(StrEnum):
    """What is durably true of a job."""

    ACCEPTED = "accepted"  # the request is kept
    SEALED = "sealed"  # rendered and signed, the document is kept
    SENT = "sent"  # the broker confirmed the order
    RECEIVED = "received"  # the hall's signed word: verified and on disk there
    PRINTING = "printing"  # the first pass was released
    PRINTED = "printed"  # all passes good, the serial read off the paper
    ISSUED = "issued"  # handed over
    REFUSED = "refused"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"  # replaced by a later issuance


class Reason(StrEnum):
    """What stands beside the state, several at once (as IPP has printer-state-reasons, RFC 8011 §5.4.12)."""

    WAITING_RELEASE = "waiting-release"
    WAITING_CHECK = "waiting-check"  # the applicant has not yet signed that the content is right
    WAITING_TURN = "waiting-turn"
    WAITING_STOCK = "waiting-stock"
    WAITING_APPROVAL = "waiting-approval"
    PRINTER_JAM = "printer-jam"
    PRINTER_OUT_OF_STOCK = "printer-out-of-stock"
    PRINTER_OFFLINE = "printer-offline"
    PRINTER_NOT_CALIBRATED = "printer-not-calibrated"
    OUTCOME_UNKNOWN = "outcome-unknown"
    HELD = "held"
    CANCEL_REQUESTED = "cancel-requested"
    ORDER_EXPIRED = "order-expired"
    HALL_SILENT = "hall-silent"
    LATE = "late"
    UNDELIVERABLE = "undeliverable"
    NEEDS_ATTENTION = "needs-attention"  # a letter about it died on its way, or its hall was written off
    TO_RECOVER = "to-recover"  # withdrawn, and the paper is in somebody's hands


# Reasons that the home gives by itself; all others are the hall's word, replaced by its next report.
HOME_REASONS = frozenset(
    {
        Reason.HELD,
        Reason.CANCEL_REQUESTED,
        Reason.ORDER_EXPIRED,
        Reason.HALL_SILENT,
        Reason.LATE,
        Reason.UNDELIVERABLE,
        Reason.NEEDS_ATTENTION,
        Reason.TO_RECOVER,
    }
)

# A job that has ended waits for nothing; only its paper may still be out there.
OUTLIVES_THE_JOB = frozenset({Reason.TO_RECOVER})

S = JobState
MOVES: dict[JobState, frozenset[JobState]] = {
    S.ACCEPTED: frozenset({S.SEALED, S.REFUSED, S.CANCELLED, S.WITHDRAWN}),
    S.SEALED: frozenset({S.SENT, S.RECEIVED, S.REFUSED, S.CANCELLED, S.WITHDRAWN}),
    # The hall may be written off before it ever spoke: another order follows.
    S.SENT: frozenset({S.RECEIVED, S.SEALED, S.REFUSED, S.CANCELLED, S.WITHDRAWN}),
    # Another order for the same job takes it back to `sealed`.
    S.RECEIVED: frozenset({S.PRINTING, S.SEALED, S.REFUSED, S.CANCELLED, S.WITHDRAWN}),
    # A spoiled attempt takes it back to `received`.
    S.PRINTING: frozenset({S.RECEIVED, S.PRINTED, S.SEALED, S.REFUSED, S.CANCELLED, S.WITHDRAWN}),
    S.PRINTED: frozenset({S.ISSUED, S.RECEIVED, S.SEALED, S.REFUSED, S.CANCELLED, S.WITHDRAWN}),
    S.ISSUED: frozenset({S.WITHDRAWN, S.SUPERSEDED}),
    S.REFUSED: frozenset(),
    S.CANCELLED: frozenset(),
    S.WITHDRAWN: frozenset(),
    S.SUPERSEDED: frozenset(),
}

# One right, one paper: of the jobs for one number and version at most one is in none of these.
FREES_THE_NUMBER = frozenset({S.REFUSED, S.CANCELLED, S.WITHDRAWN})


# Nothing more happens to the paper by itself.
ENDED = FREES_THE_NUMBER | {S.ISSUED, S.SUPERSEDED}


def is_final(state: JobState) -> bool:
    """Say whether nothing more happens to the paper by itself."""
    return state in ENDED
