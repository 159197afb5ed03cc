"""Scenes: what has to happen to a job so that a point is passed, beyond being printed."""

import time
from collections.abc import Mapping, Sequence

from tests.crash.place import AGENT, HALL, HOME, Place
from tests.crash.scene import Scene, Step

LATE = "order-expired"


class Changed(Scene):
    """Held and let go again, its order renewed, printed, handed over and withdrawn."""

    points = (
        "home.before-control-commit", "home.after-act-commit", "home.before-answer-commit",
        "home.before-lease-commit", "home.after-lease-commit",
        "agent.before-control", "agent.before-control-commit", "agent.after-control-commit",
    )  # fmt: skip

    def steps(self) -> Sequence[Step]:
        return [
            self.clerk_goes,
            self.is_posted,
            self.is_received,
            lambda: self.ask("hold"),
            lambda: self.has("held"),
            lambda: self.ask("resume"),
            lambda: not self.has("held"),
            self.days_pass,
            lambda: self.mischief.order_is_renewed(self.order_id()),
            self.clerk_comes,
            lambda: self.is_in("issued"),
            lambda: self.ask("withdraw"),
            lambda: self.is_in("withdrawn"),
            self.is_over,
        ]

    def days_pass(self) -> bool:
        self.mischief.order_ends_soon(self.order_id())
        return True


class Stopped(Scene):
    """Cancelled in the middle of a pass."""

    points = ("agent.before-recall", "agent.before-ended-commit")

    def steps(self) -> Sequence[Step]:
        return [
            self.printer_stalls,
            self.is_posted,
            self.has_begun,
            lambda: self.ask("cancel"),
            self.is_heard,
            self.printer_goes_on,
            self.is_over,
        ]

    def printer_stalls(self) -> bool:
        self.place.fault("stall")
        return True

    def printer_goes_on(self) -> bool:
        self.place.fault("clear")
        return True

    def has_begun(self) -> bool:
        return self.is_in("printing") and any(one["state"] == "releasing" for one in self.order()["passes"])

    def is_heard(self) -> bool:
        """By the hall; if the pass had just ended, so has the order."""
        order = self.order()
        return "cancel-requested" in order["reasons"] or order["state"] == "cancelled"


class Elsewhere(Scene):
    """Sent to a hall of which nobody ever hears: that is written off. The next order comes too late to be begun, and is followed, too."""

    points = (
        "home.before-write-off-commit", "home.after-write-off-commit",
        "home.before-another-order-commit", "home.after-another-order-commit",
        "agent.before-expired-commit",
    )  # fmt: skip

    def __init__(self, place: Place, kind: str = "proof") -> None:
        super().__init__(place, kind)
        self._requests.clear()
        self.dead_hall = next(place.dead_halls)
        self.first = self.wants(self.dead_hall)

    def steps(self) -> Sequence[Step]:
        return [
            self.clerk_goes,
            self.is_posted,
            lambda: self.is_in("sealed", "sent"),
            self.is_written_off,
            lambda: self.is_ordered_here(2),
            self.is_received,
            self.days_pass,
            lambda: self.has(LATE) or len(self.job()["orders"]) > 2,
            lambda: self.is_ordered_here(3),
            self.clerk_comes,
            self.is_over,
        ]

    def is_written_off(self) -> bool:
        """One asks, another agrees."""
        call, path = self.place.driver.call, f"/v1/halls/{self.dead_hall}/write-off"
        asked = call("POST", path, json={"reason": "burnt down"})
        if asked.status_code == 202:
            path = f"/v1/approvals/{asked.json()['approval_id']}"
            approver = self.place.driver.home["approver_token"]
            call("POST", path, token=approver, json={"accept": True, "reason": "seen"})
        return asked.status_code == 409

    def is_ordered_here(self, orders: int) -> bool:
        if len(self.job()["orders"]) < orders:
            self.ask("orders", hall=HALL)
        return len(self.job()["orders"]) == orders

    def days_pass(self) -> bool:
        self.mischief.order_is_late(self.order_id())
        self.at_hall("/v1/printers/proof-1/resume", {})  # whatever a person does there, the hall looks about
        return True


class Missed(Scene):
    """Home was away, and what its hall said meanwhile is lost in the broker; the next job's reports show the gap."""

    points = (
        "home.before-parked-commit", "home.before-replay-asked-commit", "home.after-replay-asked-commit",
        "home.before-gap-closed-commit", "agent.before-replay-commit", "agent.after-replay-commit",
    )  # fmt: skip

    def steps(self) -> Sequence[Step]:
        return [
            self.clerk_goes,
            self.is_posted,
            self.is_received,
            self.home_goes,
            self.clerk_comes,
            self.is_handed_over,
            self.mischief.all_reports_are_sent,
            self.home_comes,
            lambda: self.is_posted(self.second),
            self.is_over,
        ]

    def home_goes(self) -> bool:
        self._at_hall = self.order_id()
        self.place.send_away(HOME)
        return True

    def is_handed_over(self) -> bool:
        return bool(self.place.ask_hall(f"/v1/orders/{self._at_hall}")["state"] == "issued")

    def home_comes(self) -> bool:
        self.mischief.reports_are_lost()
        self.place.call_back(HOME)
        self.second = self.wants(HALL)
        return True


class GivenUp(Scene):
    """A letter that no hall can take dies, and home reads that it did: once, however often it is delivered."""

    points = ("home.before-dead-letter-commit", "home.after-dead-letter-commit")

    def steps(self) -> Sequence[Step]:
        return [
            self.is_posted,
            self.letter_is_sent,
            lambda: self.mischief.dead_letters(self._letter) > 0,
            self.is_over,
            self.place.is_ready,
            self.some_time_passes,
            self.is_known_once,
        ]

    def letter_is_sent(self) -> bool:
        self._letter = self.mischief.rubbish_for_the_hall()
        return True

    def some_time_passes(self) -> bool:
        """In which it may be delivered again."""
        self._since = getattr(self, "_since", time.monotonic())
        return time.monotonic() - self._since > 1.0

    def is_known_once(self) -> bool:
        known = self.mischief.dead_letters(self._letter)
        if known != 1:
            self.wrong.append(f"a dead letter is kept {known} times")
        return True


class Forgotten(Scene):
    """The hall loses its journal while an order waits there; home tells it again, and two persons lead the hall out."""

    points = (
        "home.after-restore-part", "home.before-order-again-commit", "home.before-restored-commit",
        "agent.before-epoch-commit", "agent.after-epoch-commit", "agent.before-asked-commit",
        "agent.before-restored-commit", "agent.after-restored-commit",
        "agent.before-left-commit", "agent.after-left-commit",
    )  # fmt: skip

    def steps(self) -> Sequence[Step]:
        return [
            self.clerk_goes,
            self.is_posted,
            self.is_received,
            self.mischief.all_reports_are_sent,
            self.journal_is_lost,
            self.order_is_back,
            self.is_counted,
            self.is_led_out,
            self.clerk_comes,
            self.is_over,
        ]

    def journal_is_lost(self) -> bool:
        self._lost = self.order_id()
        self.mischief.journal_is_lost()
        self.place.call_back(AGENT)
        return True

    def order_is_back(self) -> bool:
        headers = {"Authorization": f"Bearer {self.place.hall['token']}"}
        url = f"{self.place.hall['api']}/v1/orders/{self._lost}"
        return self.place.driver.http.get(url, headers=headers).is_success

    def is_counted(self) -> bool:
        for tray in self.mischief.trays():
            for movement, blanks in tray.items():
                self.at_hall(f"/v1/stock/{movement}", blanks)
        return not self.place.ask_hall("/v1/reconcile")["hindered_by"]

    def is_led_out(self) -> bool:
        view = self.place.ask_hall("/v1/reconcile")
        if view["why"] is not None:
            account = "token" if view["leaving"] is None else "approver_token"
            self.at_hall("/v1/reconcile", {"act": "leave", "reason": "blanks counted"}, account)
        return bool(view["why"] is None)


class Unheard(Scene):
    """The registration system hears nothing for three days; later what is parked is replayed."""

    points = ("callback.before-parked", "callback.after-parked-commit", "callback.before-replayed-commit")

    def steps(self) -> Sequence[Step]:
        return [
            self.system_is_deaf,
            self.is_posted,
            lambda: self.mischief.parked() > 0 or self.mischief.callbacks_are_old(self.job_id),
            lambda: self.mischief.parked() > 0,
            self.system_hears,
            self.is_replayed,
            self.is_over,
        ]

    def system_is_deaf(self) -> bool:
        self.mischief.registration_goes_deaf()
        return True

    def system_hears(self) -> bool:
        self.mischief.registration_hears()
        return True

    def is_replayed(self) -> bool:
        left = self.mischief.parked()
        if left:
            self.place.bear_once("replay")
        return left == 0


class Seconded(Scene):
    """A torn sheet; the clerk says so, and the second person is at home."""

    points = (
        "home.before-approval-commit", "home.before-decision-commit", "home.after-decision-commit",
        "agent.before-approval-commit", "agent.before-answered-commit", "agent.after-answered-commit",
    )  # fmt: skip
    asks = 1

    def steps(self) -> Sequence[Step]:
        return [
            self.clerk_goes,
            self.is_posted,
            self.is_received,
            self.is_torn,
            self.is_told,
            self.is_agreed,
            self.clerk_comes,
            self.is_over,
        ]

    def is_torn(self) -> bool:
        order = self.order()
        if order["passes"][0]["state"] == "unknown":
            self.place.fault("clear")
            return True
        if "release" in order["next"]:
            self.place.fault("cut:3000")
            self.at_hall(f"/v1/orders/{order['order_id']}/release", {"attempt": order["attempt"]})
        return False

    def is_told(self) -> bool:
        """The clerk has asked for a second person."""
        order = self.order()
        if order["approvals"] or order["attempt"] > 1:
            return True
        if "resolve" in order["next"]:
            current = order["passes"][0]
            said = {"pass": current["number"], "try": current["try"], "outcome": "spoiled"}
            blanks = [order["proposed_serial"]]
            body = {"attempt": order["attempt"], **said, "blanks": blanks, "reason": "torn"}
            self.at_hall(f"/v1/orders/{order['order_id']}/resolve", body)
        return False

    def is_agreed(self) -> bool:
        """The other one says so at home."""
        approver = self.place.driver.home["approver_token"]
        waiting = self.place.driver.call("GET", "/v1/approvals", token=approver).json()["approvals"]
        for one in waiting:
            if one.get("order_id") == self.order_id():
                path = f"/v1/approvals/{one['approval_id']}"
                self.place.driver.call("POST", path, token=approver, json={"accept": True, "reason": "torn, yes"})
        return bool(self.order()["attempt"] > 1)


SCENES = (Changed, Stopped, Elsewhere, Missed, GivenUp, Forgotten, Unheard, Seconded)
SCENE_OF: Mapping[str, type[Scene]] = {point: scene for scene in SCENES for point in scene.points}
