"""At the counter: a sheet is asked for, measured, entered, proved and accepted; what does not fit is refused, naming what and why."""

import json

import pytest
from typer.testing import CliRunner

from agents.calibration.correction import IDENTITY
from agents.cli import app
from spooler.daemon.server import HttpServer
from spooler.wire.messages import Stock
from tests.agents.api.conftest import TOKENS, api_of

from .errors import PROOF, SPREADS, an_error, readings
from .measuring import body_of, calibrate

AT = "/v1/printers/booklet-1/calibration"
ERROR = an_error(SPREADS[1], 3, -2, 0.8, -0.4, 0.5)


def pause(desk, printer="booklet-1"):
    assert desk.post(f"/v1/printers/{printer}/pause").status_code == 200


def sheet(desk, spread="B", **more):
    return desk.post(AT, **{"act": "sheet", "spread": spread, "paper": "plain", **more})


def begun(counter, printer="booklet-1"):
    """The printer's worker takes it up to the point of no return."""
    return counter.begins(printer)


def test_from_sheet_to_acceptance(bare, desk):
    """The whole round, as a clerk goes it; the history tells who did what."""
    pause(desk)
    assert sheet(desk).json()["sheets"][0]["state"] == "ready"
    bare.book.done(begun(bare).id, {"why": "test"})
    entered = desk.post(AT, spread="B", **body_of(readings(SPREADS[1], ERROR))).json()
    assert (entered["version"], entered["in_force"], entered["by"]["id"]) == (1, False, "clerk")
    error = entered["error"]
    assert (error["right_mm"], error["down_mm"]) == pytest.approx((3, -2), abs=0.01)
    assert (error["wider_percent"], error["taller_percent"]) == pytest.approx((0.8, -0.4), abs=0.001)
    assert error["turned_degrees"] == pytest.approx(0.5, abs=0.001)
    desk.post(AT, act="proof", spread="B", paper="plain")
    bare.book.done(begun(bare).id, {"why": "test"})
    accepted = desk.post(AT, "both", act="accept", spread="B", version=1).json()

    side = next(one for one in accepted["spreads"] if one["spread"] == "B")
    assert side["in_force"] == 1
    (version,) = side["versions"]
    assert (version["by"]["id"], version["proved"], [a["by"]["id"] for a in version["accepted"]]) == (
        "clerk",
        True,
        ["both"],
    )
    assert [(s["what"], s["version"], s["state"]) for s in desk.get(AT).json()["sheets"]] == [
        ("proof", 1, "done"),
        ("sheet", None, "done"),
    ]


def test_a_sheet_takes_the_pass_protocol_under_ids_of_its_own(bare, desk):
    """Attempt 0: no numbered blank. Its document is the sheet; a proof's is moved as a certificate would be."""
    pause(desk)
    sheet(desk)
    released = bare.has_to_print("booklet-1")
    assert (released.number, released.attempt, released.pages, released.correction) == (0, 0, (0,), IDENTITY)
    assert (released.width_mm, released.height_mm, released.not_after is not None) == (332, 239, True)
    first = begun(bare)
    assert first.title == f"{released.order_id}/0/0/1"
    assert bare.book.document(released.order_id).startswith(b"%PDF")
    bare.book.again(first.id, "no-bytes", {})
    second = begun(bare)
    assert (second.sequence, second.released.order_id) == (2, released.order_id) and second.id != first.id
    assert [one.id for one in bare.book.open_tries("booklet-1")] == [second.id]
    bare.book.done(second.id, {})
    desk.post(AT, spread="B", **body_of(readings(SPREADS[1], ERROR)))
    desk.post(AT, act="proof", spread="B", paper="plain")

    assert bare.has_to_print("booklet-1").correction.offset_at((166, 119.5)) == pytest.approx((-3, 2), abs=0.1)


def test_no_blank_and_no_order_is_touched(bare, desk):
    counts = bare.ledger.blanks.counts()
    pause(desk)
    sheet(desk)
    bare.book.done(begun(bare).id, {})

    assert bare.ledger.blanks.counts() == counts
    assert bare.ledger.tries.outcomes() == {}
    assert [r.kind for r in bare.reports() if r.kind not in ("stock", "heartbeat")] == []


def test_the_watch_for_strangers_knows_its_tries(bare, desk):
    """A permit for a sheet is no permit that the journal never issued."""
    pause(desk)
    sheet(desk)
    begun_try = begun(bare)

    assert bare.ledger.past.unknown_tries([begun_try.id]) == []


def test_plain_paper_goes_in_only_while_certificates_wait(bare, desk):
    """Not paused: refused. Paused: no order's pass begins. Resumed before it began: not wanted any more. Under way: waited for."""
    at = "/v1/printers/proof-1/calibration"
    wanted = {"act": "sheet", "spread": "P", "paper": "plain"}
    answer = desk.post(at, **wanted)
    assert (answer.status_code, answer.json()["code"], answer.json()["fits"]) == (409, "not-paused", ["pause"])
    calibrate(desk, "proof-1", "P")
    order_id = bare.arrives(bare.proof())
    bare.releases(order_id)
    pause(desk, "proof-1")
    desk.post(at, **wanted)
    assert bare.has_to_print("proof-1").attempt == 0
    assert desk.post("/v1/printers/proof-1/resume").status_code == 200
    assert bare.has_to_print("proof-1").order_id == order_id
    assert desk.get(at).json()["sheets"][0]["state"] == "lapsed"
    pause(desk, "proof-1")
    desk.post(at, **wanted)
    under_way = begun(bare, "proof-1")
    answer = desk.post("/v1/printers/proof-1/resume")
    assert (answer.status_code, answer.json()["code"]) == (409, "calibration-open")
    bare.book.unknown(under_way.id, {"why": "test"})
    assert desk.post("/v1/printers/proof-1/resume").status_code == 200


def test_a_printer_that_takes_certificates_begins_no_sheet(bare, desk):
    """However it came to be resumed: blanks lie in it. What is spooled by then is not released either."""
    pause(desk)
    sheet(desk)
    bare.ledger.pause("booklet-1", False)
    assert bare.has_to_print("booklet-1") is None
    bare.ledger.pause("booklet-1", True)
    released = bare.has_to_print("booklet-1")
    begun_try = bare.book.intent(released)
    bare.book.created(begun_try.id, 7)
    bare.book.spooled(begun_try.id)
    bare.ledger.pause("booklet-1", False)

    assert not bare.book.releasing(begun_try.id)


def test_between_the_passes_of_a_booklet_no_sheet_is_printed(bare, desk):
    for spread in "AB":
        calibrate(desk, "booklet-1", spread)
    bare.releases(bare.arrives(bare.booklet()))
    bare.prints("booklet-1")
    pause(desk)
    answer = sheet(desk)

    assert (answer.status_code, answer.json()["code"]) == (409, "printer-busy")


def test_a_sheet_that_was_not_begun_in_time_is_not_wanted_any_more(bare, desk):
    """Nobody stands there any more, and what lies in the printer by then nobody knows."""
    pause(desk)
    sheet(desk)
    answer = sheet(desk)
    assert (answer.status_code, answer.json()["code"]) == (409, "calibration-open")
    bare.clock.forward(minutes=11)

    assert bare.has_to_print("booklet-1") is None
    assert desk.get(AT).json()["sheets"][0]["state"] == "lapsed"
    assert sheet(desk).status_code == 200


def test_a_hall_that_does_not_trust_its_journal_prints_no_sheet(make_counter):
    from tests.agents.api.conftest import Desk

    desk = Desk(make_counter(permits_are_new=False))
    pause(desk)

    assert sheet(desk).status_code == 409


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"act": "sheet", "spread": "B"}, "paper", "missing"),
        ({"act": "sheet", "spread": "Z", "paper": "plain"}, "spread", "not-a-choice"),
        ({"act": "proof", "spread": "B", "paper": "plain"}, "version", "not-found"),
        ({"act": "accept", "spread": "B", "version": 7}, "version", "not-found"),
        ({"act": "enter", "spread": "B", "points": []}, "points", "too-few"),
        ({"act": "enter", "spread": "B", "points": [{"cross": 9, "x": 1, "y": 1}]}, "points.0.cross", "not-a-choice"),
        ({"act": "enter", "spread": "B", "points": [{"cross": 1, "x": 20, "y": "wide"}]}, "points.0.y", "wrong-type"),
        ({"act": "enter", "spread": "B", "points": [{"cross": 1, "x": 20, "y": 20}] * 2}, "points.1.cross", "twice"),
        ({"act": "enter", "spread": "B", "points": [{"cross": 1, "x": 20, "y": 35.5}]}, "points.0.y", "too-far"),
        ({"act": "measure", "spread": "B"}, "act", "not-a-choice"),
        ({"act": "enter"}, "spread", "missing"),
        ({"act": "enter", "spread": "B", "pionts": []}, "pionts", "unknown-field"),
    ],
)
def test_what_is_wrong_is_refused_naming_the_field(desk, body, field, code):
    pause(desk)
    answer = desk.post(AT, **body)

    assert answer.status_code == 422
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [(field, code)]


def test_a_version_without_a_proof_needs_a_reason(desk):
    entered = desk.post(AT, spread="A", **body_of(readings(SPREADS[0], an_error(SPREADS[0])))).json()
    refused = desk.post(AT, act="accept", spread="A", version=entered["version"], reason=" ")
    assert (refused.status_code, refused.json()["code"], refused.json()["fits"]) == (409, "no-proof", ["proof"])

    accepted = desk.post(AT, act="accept", spread="A", reason="compared with a blank").json()

    assert accepted["spreads"][0]["versions"][0]["accepted"][0]["reason"] == "compared with a blank"


def test_the_newest_acceptance_is_in_force_and_nothing_is_forgotten(bare, desk):
    """Back to an older version is another acceptance; rows are never changed or removed."""
    calibrate(desk, "proof-1", "P", an_error(PROOF, 1))
    calibrate(desk, "proof-1", "P", an_error(PROOF, 2))
    at = "/v1/printers/proof-1/calibration"
    back = desk.post(at, act="accept", spread="P", version=1, reason="the second was worse").json()

    assert back["spreads"][0]["in_force"] == 1
    assert [len(v["accepted"]) for v in back["spreads"][0]["versions"]] == [1, 2]
    for sql in ("UPDATE calibrations SET version = 9", "DELETE FROM calibrations", "DELETE FROM acceptances"):
        with pytest.raises(Exception, match="append-only"), bare.ledger.transaction():
            bare.ledger._db.execute(sql)


def test_a_printer_that_errs_nowhere_is_corrected_by_nothing(bare, desk):
    """What goes to CUPS stays byte for byte what it was."""
    calibrate(desk, "proof-1", "P")

    assert bare.hall.board.calibrated("proof-1", PROOF).correction == IDENTITY
    assert bare.ledger.calibrations.get("proof-1", Stock.PROOF, "P", 1).correction == IDENTITY


@pytest.mark.parametrize("by", ["approver", None])
def test_only_a_clerk_measures(desk, by):
    pause(desk)
    assert desk.post(AT, by, act="sheet", spread="B", paper="plain").status_code == (401 if by is None else 403)
    answer = desk.post(AT, by, spread="B", **body_of(readings(SPREADS[1], ERROR)))
    assert answer.status_code == (401 if by is None else 403)


# ── the command line ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def run(bare):
    server = HttpServer(api_of(bare), "127.0.0.1", 0)
    server.start()
    environment = {"CERTSPOOL_API": f"http://127.0.0.1:{server.port}", "CERTSPOOL_TOKEN": TOKENS["clerk"]}
    yield lambda *words, **more: CliRunner().invoke(app, ["calibrate", *words], env=environment, **more)
    server.stop()


def test_a_round_from_the_command_line(bare, run):
    """Paused by `sheet`, asked for the paper in Chinese, each cross asked for, proof, acceptance, blanks in again."""
    asked = run("sheet", "proof-1", "P", input="y\n")
    assert asked.exit_code == 0 and "放入297 × 210 mm 的白纸" in asked.output
    bare.book.done(begun(bare, "proof-1").id, {})
    typed = "".join(f"{x:.2f} {y:.2f}\n" for x, y in readings(PROOF, an_error(PROOF, 2, 1)).values())
    entered = run("enter", "proof-1", "P", input=typed)
    assert "第 1 号十字" in entered.output and "右 +2.00 mm  下 +1.00 mm" in entered.output
    assert run("proof", "proof-1", "P", "--loaded").exit_code == 0
    bare.book.done(begun(bare, "proof-1").id, {})
    assert "版本 1" in run("accept", "proof-1", "P").output
    assert "已恢复打印证书" in run("done", "proof-1").output

    assert "版本 1" in run("show", "proof-1").output
    history = run("history", "proof-1").output
    assert "现行 in force" in history and "proof 1" in history and "accepted" in history
    assert "未校准" in run("show", "booklet-1").output


def test_readings_may_come_in_a_file_or_as_words(run, tmp_path):
    points = readings(PROOF, an_error(PROOF, 2, 1))
    file = tmp_path / "readings.json"
    file.write_text(json.dumps(points))
    words = [w for cross, (x, y) in points.items() for w in ("--point", f"{cross}:{x:.3f},{y:.3f}")]

    assert "右 +2.00 mm" in run("solve", "proof-1", "P", "--file", str(file)).output
    assert "未保存" in run("solve", "proof-1", "P", *words).output
    assert "未校准" in run("show", "proof-1").output


def test_wrong_usage_and_refusals_have_their_exit_codes(run, tmp_path):
    (tmp_path / "x.json").write_text("[1]")

    assert run("enter", "proof-1", "P", "--point", "1=2,3").exit_code == 2
    assert run("enter", "proof-1", "P", "--file", str(tmp_path / "x.json")).exit_code == 2
    assert run("enter", "proof-1", "P", "--point", "1:20,20").exit_code == 3
    assert run("sheet", "plain-1", "L1", "--loaded").exit_code == 3
    assert run("sheet", "proof-1", "P", input="n\n").exit_code == 1
    assert run("show", "nobody").exit_code == 3
