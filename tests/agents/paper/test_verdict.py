"""The table of design §4: which signs prove what. Whatever is not proven is asked."""

import itertools

import pytest

from agents.order import PassState
from agents.permit import Claim, Fate
from agents.verdict import Judgement, Signs, Verdict, judge

WAIT, REVOKE, AGAIN, DONE, UNKNOWN = Verdict
GOOD = {"exit": 0, "signal": None, "terminated": False, "bytes": 900, "length": 900, "remote_state": None}


def signs(
    state=PassState.RELEASING,
    *,
    is_ours=True,
    is_issued=True,
    claim=Claim.FREE,
    is_first=True,
    done=GOOD,
    cups_may_start=False,
    is_ipp=False,
) -> Signs:
    """A released try whose sender has gone after a good end."""
    return Signs(state, Fate(is_ours, is_issued, claim, is_first, done), cups_may_start, is_ipp)


def test_a_whole_undisturbed_sending_is_done():
    assert judge(signs()) == Judgement(DONE, "sent-whole")


@pytest.mark.parametrize(
    "flaw",
    [
        {"exit": 1},
        {"exit": None, "signal": 9},
        {"signal": 15},
        {"terminated": True},
        {"bytes": 899},
        {"bytes": 901},
        {"bytes": None},
        {"exit": False},
        {"length": None},
    ],
    ids=str,
)
def test_a_result_with_any_flaw_is_asked(flaw):
    assert judge(signs(done=GOOD | flaw)) == Judgement(UNKNOWN, "not-proven")


@pytest.mark.parametrize("missing", sorted(GOOD.keys() - {"remote_state"}))
def test_a_result_that_lacks_a_word_is_asked(missing):
    done = {key: value for key, value in GOOD.items() if key != missing}
    assert judge(signs(done=done)).verdict is UNKNOWN


@pytest.mark.parametrize(
    ("remote_state", "verdict"),
    [
        ("completed", DONE),
        ("aborted", UNKNOWN),
        ("canceled", UNKNOWN),
        ("processing", UNKNOWN),
        ("unknown", UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_an_ipp_printer_must_say_itself_that_it_completed_the_job(remote_state, verdict):
    assert judge(signs(done=GOOD | {"remote_state": remote_state}, is_ipp=True)).verdict is verdict


@pytest.mark.parametrize("flaw", [{}, {"exit": 1}, {"exit": None, "signal": 9}, {"terminated": True}], ids=str)
def test_a_backend_that_took_no_byte_printed_nothing_whatever_its_end(flaw):
    assert judge(signs(done=GOOD | flaw | {"bytes": 0})) == Judgement(AGAIN, "no-bytes")


def test_no_number_of_bytes_is_not_zero_bytes():
    for value in (None, "0", False, 0.5):
        assert judge(signs(done=GOOD | {"bytes": value})).verdict is UNKNOWN


@pytest.mark.parametrize(
    ("varied", "expected"),
    [
        # The sender, or a backend that it started, lives: nobody is asked, whatever else is there.
        ({"claim": Claim.HELD}, Judgement(WAIT, "sending")),
        ({"claim": Claim.HELD, "is_first": False, "done": None}, Judgement(WAIT, "sending")),
        ({"claim": Claim.HELD, "is_issued": False}, Judgement(WAIT, "sending")),
        # The agent won the permit back.
        ({"claim": Claim.REVOKED, "is_first": False, "done": None}, Judgement(AGAIN, "revoked")),
        ({"claim": Claim.REVOKED, "is_first": True, "done": None}, Judgement(UNKNOWN, "contradiction")),
        ({"claim": Claim.REVOKED, "is_first": False, "done": GOOD}, Judgement(UNKNOWN, "contradiction")),
        # Claimed and left.
        ({"is_first": False, "done": None}, Judgement(AGAIN, "never-started")),
        ({"is_first": False, "done": GOOD}, Judgement(UNKNOWN, "contradiction")),
        ({"done": None}, Judgement(UNKNOWN, "no-result")),
        ({"done": {}}, Judgement(UNKNOWN, "not-proven")),
        ({"is_issued": False}, Judgement(DONE, "sent-whole")),
        # Not claimed.
        ({"claim": Claim.NONE, "is_first": False, "done": None, "cups_may_start": True}, Judgement(WAIT, "released")),
        ({"claim": Claim.NONE, "is_first": False, "done": None}, Judgement(REVOKE, "cups-will-not-start")),
        ({"claim": Claim.NONE, "is_first": False, "done": None, "is_issued": False}, Judgement(UNKNOWN, "permit-lost")),
        ({"claim": Claim.NONE, "is_first": True, "done": None}, Judgement(UNKNOWN, "contradiction")),
        ({"claim": Claim.NONE, "is_first": False, "done": GOOD}, Judgement(UNKNOWN, "contradiction")),
        # Another directory, or none.
        ({"is_ours": False, "claim": Claim.NONE, "is_first": False, "done": None}, Judgement(UNKNOWN, "permits-lost")),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_released_try_is_judged_by_its_permits_fate(varied, expected):
    assert judge(signs(**varied)) == expected


@pytest.mark.parametrize("state", [PassState.INTENT, PassState.CREATED])
def test_a_try_that_was_never_permitted_is_begun_anew(state):
    nothing = signs(state, is_ours=False, claim=Claim.NONE, is_first=False, done=None)
    assert judge(nothing) == Judgement(AGAIN, "not-released")


def test_a_spooled_try_is_won_back_first_since_somebody_else_may_have_released_it():
    spooled = {"is_first": False, "done": None}
    for is_issued in (True, False):
        found = judge(signs(PassState.SPOOLED, claim=Claim.NONE, is_issued=is_issued, **spooled))
        assert found == Judgement(REVOKE, "not-released")
    assert judge(signs(PassState.SPOOLED, claim=Claim.REVOKED, **spooled)).verdict is AGAIN
    assert judge(signs(PassState.SPOOLED)).verdict is DONE
    assert judge(signs(PassState.SPOOLED, is_ours=False, claim=Claim.NONE, **spooled)).verdict is UNKNOWN


def test_a_new_try_is_never_begun_while_a_byte_may_have_left():
    """Over all combinations: AGAIN only if revoked, never started, or provably without a byte; never with a sender alive."""
    dones = (None, {}, GOOD, GOOD | {"bytes": 0}, GOOD | {"exit": 1}, GOOD | {"bytes": 5})
    truth = (True, False)
    for ours, issued, claim, first, done, start, ipp in itertools.product(
        truth, truth, Claim, truth, dones, truth, truth
    ):
        judgement = judge(
            signs(
                is_ours=ours, is_issued=issued, claim=claim, is_first=first, done=done, cups_may_start=start, is_ipp=ipp
            )
        )
        if judgement.verdict is AGAIN:
            never_sent = claim in (Claim.REVOKED, Claim.FREE) and not first and done is None
            no_bytes = claim is Claim.FREE and done is not None and done.get("bytes") == 0
            assert ours and (never_sent or no_bytes)
        if judgement.verdict is DONE:
            assert ours and claim is Claim.FREE and first and done == GOOD and not ipp
