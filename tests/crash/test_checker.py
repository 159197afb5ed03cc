"""The checker can fail: for each invariant histories that break it, and one that keeps them all."""

from dataclasses import replace

import pytest

from tests.crash.checker import (
    RULES,
    Approval,
    Blanks,
    Callback,
    Event,
    History,
    Job,
    Request,
    Sheet,
    judge,
    questions,
)

MINUTE = "2026-01-05T08:{:02}:00+00:00"
REQUEST = Request("r-1", "h-01", 1, "中直路500001号", ((201, "j-1"),))
JOB = Job("j-1", "r-1", "issued", serial="D001", orders=(("o-1", "h-01"),))
SHEET = Sheet("h-01", "o-1", 1, 1, "try-1", True, "D001", MINUTE.format(10), "坐落中直路500001号")
DONE = Event("j-1", 7, MINUTE.format(11), "printing", pass_number=1, detail="done")
BLANKS = Blanks("h-01", "certificate", 3, (("D001", "D001", 1, "used"), ("D002", "D003", 2, "loaded")), ("D001",))
FIRST, SECOND = Callback("c-1", "j-1", 1), Callback("c-2", "j-1", 2)
GOOD = History(
    requests=(REQUEST,),
    jobs=(JOB,),
    events=(DONE,),
    sheets=(SHEET,),
    due=(FIRST, SECOND),
    told=(FIRST, FIRST, SECOND),
    blanks=(BLANKS,),
)
TORN = replace(SHEET, complete=False, text=None)
ASKED = Event("j-1", 5, MINUTE.format(20), "printing", pass_number=1, detail="a person is asked")
SPOILED = Event("j-1", 6, MINUTE.format(25), "received", attempt=2, pass_number=1, detail="answered spoiled")
SECONDED = Approval("o-1", "clerk", "approver", True)
SECOND_SHEET = replace(SHEET, attempt=2, try_id="try-2", serial="D002", at=MINUTE.format(30))
EXPIRED = Event("j-1", 2, MINUTE.format(2), "received", reasons=("order-expired",))
ANOTHER = Event("j-1", 3, MINUTE.format(3), "sealed", detail="another order at h-01")
# Too late to be begun, and printed by the next order.
FOLLOWED = replace(
    GOOD,
    jobs=(replace(JOB, orders=(("o-1", "h-01"), ("o-2", "h-01"))),),
    events=(EXPIRED, ANOTHER, DONE),
    sheets=(replace(SHEET, order_id="o-2"),),
)
# A jam, the question, a seconded answer, and then the second sheet: all as it must be.
REPRINTED = replace(
    GOOD,
    jobs=(replace(JOB, serial="D002"),),
    events=(ASKED, SPOILED, replace(DONE, sequence=9, at=MINUTE.format(31), attempt=2)),
    sheets=(TORN, SECOND_SHEET),
    approvals=(SECONDED,),
)


def broken(history: History) -> set[str]:
    return {violation.invariant for violation in judge(history)}


@pytest.mark.parametrize(
    "history", [GOOD, REPRINTED, FOLLOWED, History()], ids=["plain", "reprinted", "followed", "nothing"]
)
def test_a_history_that_keeps_every_promise_is_not_blamed(history):
    assert judge(history) == []


BAD = {
    "I1 a second sheet that nobody allowed": replace(GOOD, sheets=(SHEET, replace(SHEET, try_id="try-2"))),
    "I1 a torn sheet is a sheet": replace(GOOD, sheets=(TORN, replace(SHEET, try_id="try-2", at=MINUTE.format(11)))),
    "I1 the same try twice, whatever was answered": replace(
        REPRINTED, sheets=(TORN, replace(SECOND_SHEET, try_id="try-1"))
    ),
    "I1 the answer came after the sheet": replace(REPRINTED, events=(replace(SPOILED, at=MINUTE.format(40)),)),
    "I1 a second sheet by one person alone": replace(REPRINTED, approvals=(replace(SECONDED, answered_by="clerk"),)),
    "I1 the second person declined": replace(REPRINTED, approvals=(replace(SECONDED, accepted=False),)),
    "I1 one answer, two more sheets": replace(
        REPRINTED, sheets=(TORN, SECOND_SHEET, replace(SECOND_SHEET, try_id="try-3", at=MINUTE.format(32)))
    ),
    "I2 the job vanished": replace(GOOD, jobs=()),
    "I2 the job stays on its way": replace(GOOD, jobs=(replace(JOB, state="sent"),)),
    "I2 refused without a reason": replace(GOOD, jobs=(replace(JOB, state="refused"),), sheets=()),
    "I2 one request, two jobs": replace(GOOD, jobs=(JOB, replace(JOB, job_id="j-2", orders=()))),
    "I2 asked again, given another job": replace(
        GOOD, requests=(replace(REQUEST, answers=((201, "j-1"), (200, "j-2"))),)
    ),
    "I3 a sheet of an order that nobody sent": replace(
        GOOD, sheets=(SHEET, replace(SHEET, order_id="o-9", serial=None))
    ),
    "I3 a sheet in another hall": replace(GOOD, sheets=(replace(SHEET, hall="h-02"),)),
    "I3 another document on the paper": replace(
        GOOD,
        requests=(REQUEST, Request("r-2", "h-01", 1, "康庄路500002号", ())),
        sheets=(replace(SHEET, text="中直路500001号 康庄路500002号"),),
    ),
    "I3 its own document is not on the paper": replace(GOOD, sheets=(replace(SHEET, text="坐落"),)),
    "I4 a sheet after the cancel": replace(
        GOOD, events=(DONE, Event("j-1", 8, MINUTE.format(9), "cancelled")), jobs=(replace(JOB, state="cancelled"),)
    ),
    "I4 a sheet after the order expired": replace(
        GOOD, events=(DONE, Event("j-1", 8, MINUTE.format(9), "received", reasons=("order-expired",)))
    ),
    "I4 a sheet of the order that had expired, beside the next one's": replace(
        GOOD, jobs=(replace(JOB, orders=(("o-1", "h-01"), ("o-2", "h-01"))),), events=(EXPIRED, ANOTHER, DONE)
    ),
    "I5 an event never told": replace(GOOD, told=(FIRST,)),
    "I5 told in the wrong order": replace(GOOD, told=(SECOND, FIRST)),
    "I5 an old event repeated later": replace(GOOD, told=(FIRST, SECOND, FIRST)),
    "I6 a blank unaccounted for": replace(GOOD, blanks=(replace(BLANKS, received=4),)),
    "I6 a number in two ranges": replace(
        GOOD, blanks=(replace(BLANKS, ranges=(("D001", "D002", 2, "used"), ("D002", "D002", 1, "loaded"))),)
    ),
    "I6 a number used twice": replace(GOOD, blanks=(replace(BLANKS, used=("D001", "D001")),)),
    "I6 another serial on the paper": replace(GOOD, sheets=(replace(SHEET, serial="D003"),)),
    "I6 one blank in two attempts": replace(REPRINTED, sheets=(TORN, replace(SECOND_SHEET, serial="D001"))),
    "I7 a sheet between question and answer": replace(
        REPRINTED, sheets=(TORN, replace(SECOND_SHEET, at=MINUTE.format(22)))
    ),
    "I7 a sheet while the question is open": replace(REPRINTED, events=(ASKED,)),
    "I7 called done while the question is open": replace(
        REPRINTED, sheets=(TORN,), events=(ASKED, replace(DONE, at=MINUTE.format(21)))
    ),
    "I8 a name in a log": replace(GOOD, leaks=(("logs/home.log", "张三"),)),
    "I9 done without a sheet": replace(GOOD, sheets=()),
    "I9 done with a torn sheet": replace(GOOD, sheets=(TORN,)),
    "I9 done before the sheet": replace(GOOD, sheets=(replace(SHEET, at=MINUTE.format(12)),)),
    "I9 issued with one side of two": replace(GOOD, requests=(replace(REQUEST, sides=2),)),
}


@pytest.mark.parametrize("name", BAD)
def test_a_broken_promise_is_seen(name):
    """Each invariant can fail, and says so by its own name."""
    assert name.split()[0] in broken(BAD[name])


def test_every_invariant_has_a_history_that_breaks_it():
    assert {name.split()[0] for name in BAD} == set(RULES)


def test_a_parked_callback_counts_as_told():
    """What was given up and parked waits for somebody: it is not lost."""
    assert judge(replace(GOOD, told=(FIRST,), parked=frozenset({"c-2"}))) == []


def test_a_question_ends_with_its_own_answer():
    """The answer to another pass leaves a question open."""
    other = replace(SPOILED, pass_number=2)

    assert [end for _, _, end in questions(replace(REPRINTED, events=(ASKED, other)))] == ["9"]
    assert [end for _, _, end in questions(REPRINTED)] == [SPOILED.at]
