"""The simulated clerk and her colleague (`--clerk auto`): release, turn pages, read the serial, hand over, answer what is asked.

python -m spooler.sandbox.clerk DIR

One thread a hall; each waits in the hall's own API until something is otherwise than before, and does what a person would
do next, with the same calls. What a person would see on the desk she reads in the sheets (`eyes`).
"""

import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import structlog

from agents.client import Answered, HallClient, NotReachable
from spooler.daemon import logs
from spooler.sandbox.eyes import Eyes, Output
from spooler.sandbox.site import HallSite, load

OPEN_STATES = ("printing", "printed", "waiting")
MOST_ORDERS = 20  # of each state at a look; what is more urgent comes first
LONG_WAIT_SECONDS = 20.0
SHORT_WAIT_SECONDS = 0.2  # when something is still to come out
BREATH_SECONDS = 0.04  # between two looks, so that a batch costs no look for each single change
AWAY_SECONDS = 0.3
MOST_ACTS = 6
CLOSED = ("done", "confirmed")

Order = dict[str, Any]

_log = structlog.get_logger()


@dataclass(frozen=True)
class Act:
    """One call, and who makes it."""

    path: str
    body: dict[str, Any]
    by: Literal["clerk", "approver"] = "clerk"


def next_act(order: Order, eyes: Eyes) -> Act | None:
    """Return what to do with this order now, or None to let it be."""
    if order["approvals"]:
        return Act(f"/v1/approvals/{order['approvals'][0]['id']}", {"accept": True}, by="approver")
    for word, act in _ACTS.items():
        if word in order["next"]:
            return act(order, eyes)
    return None


def _release(order: Order, eyes: Eyes) -> Act:
    return _act(order, "release")


def _turn_page(order: Order, eyes: Eyes) -> Act:
    current = _current_pass(order)
    seen = {"try": current["try"]} if current["try"] else {}
    return _act(order, f"passes/{current['number']}/release", **seen)


def _confirm(order: Order, eyes: Eyes) -> Act | None:
    """The serial is read off the paper, never taken from the screen."""
    blanks = eyes.blanks_of(order["order_id"], order["attempt"])
    if order["proposed_serial"] is None:
        return _act(order, "confirm", serials=[], reason="plain paper")
    if not blanks:
        return None
    reason = {} if blanks == [order["proposed_serial"]] else {"reason": "another serial is on the paper"}
    return _act(order, "confirm", serials=blanks, **reason)


def _resolve(order: Order, eyes: Eyes) -> Act:
    """By looking: a whole side came out, something useless did, or nothing."""
    current = _current_pass(order)
    sheets = eyes.of_try(current["try"])
    seen = {"pass": current["number"], "try": current["try"]}
    if not sheets:
        return _act(order, "resolve", **seen, outcome="nothing_printed", reason="nothing came out")
    if all(sheet.is_complete for sheet in sheets):
        return _act(order, "resolve", **seen, outcome="printed")
    numbered = any(sheet.serial for sheet in sheets)
    blanks = eyes.blanks_of(order["order_id"], order["attempt"]) if numbered else []
    return _act(order, "resolve", **seen, outcome="spoiled", blanks=blanks, reason="the side is incomplete")


def _issue(order: Order, eyes: Eyes) -> Act:
    return _act(
        order, "issue", recipient={"role": "holder"}, identity={"method": "id-card-reader", "result": "matched"}
    )


def _take_old_back(order: Order, eyes: Eyes) -> Act:
    """The holder brings the paper that home named."""
    return _act(order, "old-returned", serial=order["replaces"]["serial"])


def _print_check_sheet(order: Order, eyes: Eyes) -> Act:
    return _act(order, "check-sheet/print")


def _sign_check_sheet(order: Order, eyes: Eyes) -> Act:
    return _act(order, "check-sheet/sign", **{"try": order["check_sheet"]["pass"]["try"]})


# What a person does first, when several acts are possible.
_ACTS = {
    "resolve": _resolve,
    "release_pass": _turn_page,
    "confirm": _confirm,
    "old_returned": _take_old_back,
    "issue": _issue,
    "sign_check_sheet": _sign_check_sheet,
    "release": _release,
    "print_check_sheet": _print_check_sheet,  # of one that is only offered the certificate goes first
}


def _act(order: Order, act: str, **body: Any) -> Act:
    return Act(f"/v1/orders/{order['order_id']}/{act}", {"attempt": order["attempt"], **body})


def _current_pass(order: Order) -> dict[str, Any]:
    sheet = order.get("check_sheet")
    passes = [*([sheet["pass"]] if sheet and sheet["pass"]["state"] == "unknown" else []), *order["passes"]]
    return next(one for one in passes if one["state"] not in CLOSED)


class Clerk:
    """Both accounts of one hall."""

    def __init__(self, hall: HallSite, stop: threading.Event) -> None:
        self._hall = hall.hall
        self._accounts = {
            "clerk": HallClient(hall.api, hall.token),
            "approver": HallClient(hall.api, hall.approver_token),
        }
        self._eyes = Eyes([Output(p.stock.value, p.directory) for p in hall.printers], self._status_of)
        self._stop = stop

    def work(self) -> None:
        """Look and act until told to stop. A hall that does not answer is asked again."""
        version, wait = "", 0.0
        while not self._stop.is_set():
            try:
                version, wait = self._look(version, wait)
                self._stop.wait(BREATH_SECONDS)
            except NotReachable:
                version = ""
                self._stop.wait(AWAY_SECONDS)
            except Answered as e:
                _log.warning("the hall said no", hall=self._hall, status=e.status, error=str(e))
                self._stop.wait(AWAY_SECONDS)

    def _look(self, version: str, wait: float) -> tuple[str, float]:
        """Do what can be done now; return the version seen, and how long the next look may wait for another."""
        page = self._accounts["clerk"].get("/v1/orders", state=OPEN_STATES, limit=MOST_ORDERS, wait=wait, since=version)
        patience = LONG_WAIT_SECONDS
        for order in page["orders"]:
            patience = min(patience, self._attend(order))
            if order["state"] == "waiting" and patience < LONG_WAIT_SECONDS:
                break  # a printer is taken now: what the page says of the others has passed
        return page["version"], patience

    def _attend(self, order: Order) -> float:
        """Act on one order as long as something follows at once; return for how long it can be left alone after that."""
        for acts in range(MOST_ACTS):
            act = next_act(order, self._eyes)
            if act is None:
                unread = "confirm" in order["next"]
                return 0.0 if acts else SHORT_WAIT_SECONDS if unread else LONG_WAIT_SECONDS
            try:
                order = self._accounts[act.by].post(act.path, act.body)
            except Answered as e:
                # Somebody was faster, or the state moved on between the look and the act.
                _log.info("act refused", hall=self._hall, path=act.path, status=e.status, error=str(e))
                return SHORT_WAIT_SECONDS
            _log.info("act", hall=self._hall, path=act.path, by=act.by, state=order["state"])
            if act.by == "approver":
                break  # the answer shows what the approver may do; the clerk's own comes with the next look
        return 0.0

    def _status_of(self, stock: str, serial: str) -> str:
        found = self._accounts["clerk"].get(f"/v1/stock/{quote(stock)}/{quote(serial)}")
        return str(found["status"])


def main(arguments: list[str]) -> None:
    """Play the clerks of every hall until a signal."""
    logs.set_up()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    clerks = [
        threading.Thread(target=Clerk(hall, stop).work, name=hall.hall, daemon=True)
        for hall in load(Path(arguments[0])).halls
    ]
    for clerk in clerks:
        clerk.start()
    while not stop.wait(1.0):
        if not all(clerk.is_alive() for clerk in clerks):
            sys.exit("a clerk fell ill: see the log")  # a hall without one would only wait


if __name__ == "__main__":
    main(sys.argv[1:])
