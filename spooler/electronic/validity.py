"""How an electronic certificate stands, and what becomes of it when its job moves. A registered right stays whatever became of the paper.

issued, held, late, expired …   genuine      the right is booked; 查封 forbids a transfer, it does not void the certificate
cancelled                       genuine      only the paper was cancelled; a later request for the same number takes its place
refused                         genuine      the hall or the grant stood in the way of paper
refused: returned-by-hall       withdrawn    a person found the content wrong
withdrawn                       withdrawn    注销, 撤销
superseded                      superseded   换发, 补发, 更正, or the same number requested anew
"""

from enum import StrEnum

from spooler.job import JobState

RETURNED = "returned-by-hall"


class Validity(StrEnum):
    """What the public page says of a certificate."""

    GENUINE = "genuine"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"


def validity_after(state: JobState, refusal: str | None) -> Validity | None:
    """Return what a job's new state makes of its electronic certificate; None leaves it as it is."""
    if state is JobState.WITHDRAWN or (state is JobState.REFUSED and refusal == RETURNED):
        return Validity.WITHDRAWN
    return Validity.SUPERSEDED if state is JobState.SUPERSEDED else None


def may_become(before: Validity, after: Validity) -> bool:
    """Say whether this is news: nothing becomes genuine again, and what is withdrawn stays so."""
    return before is not after and after is not Validity.GENUINE and before is not Validity.WITHDRAWN
