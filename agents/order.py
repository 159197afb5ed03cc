"""An order at the hall: its states, its passes' states, and all legal moves.

    order    waiting ─▶ printing ─▶ printed ─▶ issued            ends: refused · returned · cancelled · expired
    pass     ready ─▶ intent ─▶ created ─▶ spooled ─▶ releasing ─▶ done | unknown ─▶ confirmed | spoiled

Of a pass, all before `releasing` may be redone by the machine; nothing after it, save where the permit's fate proves that no byte
left (design §4, the pass protocol). `unknown` is closed by a person only.
"""

from enum import StrEnum


class OrderState(StrEnum):
    """What is durably true of an order here."""

    WAITING = "waiting"  # verified, on disk
    PRINTING = "printing"  # a pass was released
    PRINTED = "printed"  # all passes good, the serial read off the paper
    ISSUED = "issued"  # handed over
    REFUSED = "refused"
    RETURNED = "returned"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class PassState(StrEnum):
    """What is durably true of a pass of the current attempt."""

    READY = "ready"
    INTENT = "intent"  # the try's uuid is journalled
    CREATED = "created"  # a held CUPS job exists
    SPOOLED = "spooled"  # CUPS has the whole document, read back
    RELEASING = "releasing"  # the point of no return
    DONE = "done"  # by all evidence on paper
    UNKNOWN = "unknown"  # only a person can tell
    CONFIRMED = "confirmed"  # a person saw it on the paper
    SPOILED = "spoiled"  # the blank is void


S = OrderState
MOVES: dict[OrderState, frozenset[OrderState]] = {
    S.WAITING: frozenset({S.PRINTING, S.REFUSED, S.RETURNED, S.CANCELLED, S.EXPIRED}),
    # A spoiled attempt takes it back to `waiting`.
    S.PRINTING: frozenset({S.WAITING, S.PRINTED, S.RETURNED, S.CANCELLED}),
    S.PRINTED: frozenset({S.ISSUED, S.WAITING, S.RETURNED, S.CANCELLED}),
    S.ISSUED: frozenset(),
    S.REFUSED: frozenset(),
    S.RETURNED: frozenset(),
    S.CANCELLED: frozenset(),
    S.EXPIRED: frozenset(),
}

P = PassState
PASS_MOVES: dict[PassState, frozenset[PassState]] = {
    P.READY: frozenset({P.INTENT, P.DONE, P.SPOILED}),  # an empty side is done at once
    P.INTENT: frozenset({P.CREATED, P.READY}),
    P.CREATED: frozenset({P.SPOOLED, P.READY}),
    # Its permit is out: an operator who lets the held job go in the moment when the agent dies has it sent, and its fate counts.
    P.SPOOLED: frozenset({P.RELEASING, P.READY, P.DONE, P.UNKNOWN}),
    # Back to `ready` (a new try) only where the permit's fate proves that no byte left.
    P.RELEASING: frozenset({P.DONE, P.UNKNOWN, P.READY}),
    P.DONE: frozenset({P.CONFIRMED, P.SPOILED}),
    P.UNKNOWN: frozenset({P.DONE, P.SPOILED, P.READY}),  # each by a person's answer
    P.CONFIRMED: frozenset({P.SPOILED}),
    P.SPOILED: frozenset(),
}


# A check-and-sign sheet stands before the attempts: it takes no blank, and is printed as often as a person asks for it.
BEFORE_THE_FIRST = 0
CHECK_SHEET_MOVES = {**PASS_MOVES, P.DONE: PASS_MOVES[P.DONE] | {P.READY}}


def pass_moves(attempt: int) -> dict[PassState, frozenset[PassState]]:
    return CHECK_SHEET_MOVES if attempt == BEFORE_THE_FIRST else PASS_MOVES


def is_final(state: OrderState) -> bool:
    """Say whether the order has ended."""
    return not MOVES[state]
