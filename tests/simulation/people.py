"""The clerk, her chief, and the office: they look at the paper and say what they see, sometimes late, sometimes twice."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from agents.accounts import Account, Role
from agents.acts import Identity, Recipient
from agents.errors import HallError
from agents.ledger import Approval, Order, PassRow
from agents.order import BEFORE_THE_FIRST, OrderState, PassState
from agents.standing import keeps_blank
from spooler.job import Reason, is_final
from spooler.wire.addresses import headers
from spooler.wire.letters import Letter
from spooler.wire.messages import Cancel, Check, ControlBase, Hold, Lease, Resume, Stock, Withdraw
from spooler.wire.topology import ORDER_TYPE, ORDERS
from tests.simulation.checker import Checker
from tests.simulation.hall import HallSite
from tests.simulation.home import HomeSite
from tests.simulation.orders import REGISTRY, SealedOrder, enveloped
from tests.simulation.world import Actor, World

CLERK = Account("clerk-1", frozenset({Role.CLERK}))
CHIEF = Account("chief-1", frozenset({Role.APPROVE}))
_ACTIVE = (OrderState.WAITING, OrderState.PRINTING, OrderState.PRINTED)

# An impatient office asks for the next order again and again, whatever became of the last.
_WISHES = ("cancel", "hold", "resume", "withdraw", "lease", "forge", "replay", "order", "order")
_CONTROLS: dict[str, type[ControlBase]] = {"cancel": Cancel, "hold": Hold, "resume": Resume, "withdraw": Withdraw}

Act = Callable[[Any], object]


@dataclass
class Counter:
    """The hall's people. What they decide is decided by what they saw then."""

    world: World
    site: HallSite
    checker: Checker
    returns: float  # how often the content turns out to be wrong

    def __post_init__(self) -> None:
        self.world.add(Actor("clerk", self._clerk))
        self.world.add(Actor("chief", self._chief))

    def _clerk(self) -> float | None:
        if self.site.agent is not None:
            orders = [o for o in self.site.ledger.orders.every() if o.state in _ACTIVE]
            if orders:
                order = orders[int(self.world.chance() * len(orders))]
                act = self._intention(order)
                if act is not None:
                    self._do(act)
        return self.world.later(0.3, 4)

    def _do(self, act: Act) -> None:
        """Now, or late; once, or twice."""
        late = not self.world.is_calm and self.world.happens(0.15)
        if late:
            self.world.soon(self.world.later(1, 30), "late clerk", partial(self._carry_out, act))
        else:
            self._carry_out(act)
        if not self.world.is_calm and self.world.happens(0.05):
            self.world.soon(self.world.later(0.1, 10), "clerk again", partial(self._carry_out, act))

    def _carry_out(self, act: Act) -> None:
        agent = self.site.agent
        if agent is None:
            return
        self.checker.is_person = True
        try:
            act(agent.core.acts)
        except HallError:
            pass  # she is told so, and looks again
        finally:
            self.checker.is_person = False

    # what she means to do

    def _intention(self, order: Order) -> Act | None:
        if self.site.ledger.approvals.open_for(order.order_id) is not None:
            return None
        if not self.world.is_calm and self.world.happens(self.returns):
            return self._return(order)
        if order.state is OrderState.WAITING:
            sheet = next(iter(self.site.ledger.orders.passes(order.order_id, BEFORE_THE_FIRST)), None)
            if sheet is not None and (sheet.is_under_way or not self._is_read(order, sheet)):
                return self._before(order, sheet)
            return lambda acts: acts.release(CLERK, order.order_id, attempt=order.attempt)
        if order.state is OrderState.PRINTED:
            return lambda acts: acts.issue(
                CLERK, order.order_id, recipient=Recipient("holder"), identity=Identity("card", "match")
            )
        passes = self.site.ledger.orders.passes(order.order_id, order.attempt)
        current = next((row for row in passes if not row.is_closed), None)
        if current is None:
            return None if self._is_still_coming() else self._finish(order, passes)
        if current.state is PassState.UNKNOWN:
            return self._resolve(order, current)
        if current.state is PassState.READY and current.released is None:
            return lambda acts: acts.release_pass(
                CLERK, order.order_id, current.number, attempt=order.attempt, try_id=current.try_id
            )
        return None

    def _is_read(self, order: Order, sheet: PassRow) -> bool:
        """Of a sheet that is only offered some applicants want a copy."""
        if order.check_sheet is Check.REQUIRED:
            return order.checked
        return sheet.is_closed or sheet.try_id is not None or order.order_id.int % 3 == 0

    def _before(self, order: Order, sheet: PassRow) -> Act | None:
        """The applicant reads over what will be printed, and signs; sometimes it has to be printed once more."""
        if sheet.state is PassState.UNKNOWN:
            return self._resolve(order, sheet)
        if sheet.is_under_way:
            return None
        if not self.world.is_calm and self.world.happens(0.1):
            # She is in a hurry, and is told that the applicant signs first.
            return lambda acts: acts.release(CLERK, order.order_id, attempt=order.attempt)
        if not sheet.is_closed or self.world.happens(0.2):
            return lambda acts: acts.print_check_sheet(CLERK, order.order_id, attempt=order.attempt)
        if self._is_still_coming():
            return None
        if not any(s.is_whole for s in self.checker.of(order.order_id, sheet.number)):
            return lambda acts: acts.print_check_sheet(CLERK, order.order_id, attempt=order.attempt)
        return lambda acts: acts.sign_check_sheet(CLERK, order.order_id, attempt=order.attempt, try_id=sheet.try_id)

    def _is_still_coming(self) -> bool:
        """She hears it: a device that has all the data may still be at it."""
        return any(device.streams for device in self.site.devices.values())

    def _resolve(self, order: Order, row: PassRow) -> Act:
        """She looks: is this side on the paper?"""
        found = self.checker.of(order.order_id, row.number, row.attempt)
        outcome = "nothing_printed" if not found else "printed" if any(s.is_whole for s in found) else "spoiled"
        if row.shape.stock is Stock.PLAIN:
            fresh = [s for s in found if s.uuid == row.try_id]
            outcome = "nothing_printed" if not fresh else "printed" if fresh[0].is_whole else "spoiled"
        blanks: list[str] = []
        if row.shape.stock is not Stock.PLAIN and outcome == "spoiled":
            blanks = self._blanks(order)
        if row.shape.stock is not Stock.PLAIN and outcome == "printed" and self.world.happens(0.5):
            blanks = self._blanks(order)
        return lambda acts: acts.resolve(
            CLERK,
            order.order_id,
            attempt=order.attempt,
            number=row.number,
            try_id=row.try_id,
            outcome=outcome,
            blanks=blanks,
        )

    def _finish(self, order: Order, passes: tuple[PassRow, ...]) -> Act:
        """All passes are said to be done: she holds the paper in her hands."""
        blanks = self._blanks(order)
        sides = [row for row in passes if not row.shape.is_empty]
        missing = [row for row in sides if not any(s.is_whole for s in self._sheets(order, row))]
        lists = [row.number for row in missing if row.shape.stock is Stock.PLAIN]
        if len(blanks) == 1 and not missing:
            return lambda acts: acts.confirm(CLERK, order.order_id, attempt=order.attempt, serials=blanks)
        if len(blanks) == 1 and len(lists) == len(missing):
            return lambda acts: acts.spoil(
                CLERK, order.order_id, attempt=order.attempt, blanks=[], passes=lists, reason="a list is missing"
            )
        # Nothing came out of a device that swallowed the certificate: no blank says which paper is meant.
        unseen = [row.number for row in sides if row.shape.stock is not Stock.PLAIN] if not blanks else []
        return lambda acts: acts.spoil(
            CLERK, order.order_id, attempt=order.attempt, blanks=blanks, passes=unseen, reason="spoiled"
        )

    def _return(self, order: Order) -> Act | None:
        if self._is_under_way(order):
            return None
        blanks = self._blanks(order)
        return lambda acts: acts.return_to_home(
            CLERK, order.order_id, attempt=order.attempt, reason="wrong name", blanks=blanks
        )

    def _is_under_way(self, order: Order) -> bool:
        orders = self.site.ledger.orders
        rows = (*orders.passes(order.order_id, BEFORE_THE_FIRST), *orders.passes(order.order_id, order.attempt))
        return any(row.is_under_way for row in rows)

    def _sheets(self, order: Order, row: PassRow) -> list[Any]:
        """A plain list that was printed with an earlier attempt is still there."""
        attempt = self._attempt_of_paper(order) if row.shape.stock is not Stock.PLAIN else None
        return self.checker.of(order.order_id, row.number, attempt)

    def _blanks(self, order: Order) -> list[str]:
        """The numbered blanks of this attempt with anything on them."""
        wanted, attempt = str(order.order_id), self._attempt_of_paper(order)
        found = [s.serial for s in self.checker.sheets if s.order_id == wanted and s.attempt == attempt]
        return sorted({serial for serial in found if serial is not None})

    def _attempt_of_paper(self, order: Order) -> int:
        """The certificate of an earlier attempt is still good where only a list was printed again."""
        attempt = order.attempt
        while keeps_blank(self.site.ledger.orders.passes(order.order_id, attempt)):
            attempt -= 1
        return attempt

    # the second person

    def _chief(self) -> float | None:
        for approval in list(self.site.ledger.approvals.all(answered=False)):
            if self.site.agent is not None:
                self._answer(approval)
        return self.world.later(0.5, 6)

    def _answer(self, approval: Approval) -> None:
        accept = self.world.is_calm or self.world.happens(0.9)
        reprints = approval.act == "spoil" or approval.details.get("outcome") == "spoiled"
        if accept and reprints:
            self.checker.agreed[str(approval.order_id)][approval.id] = self._wrong_passes(approval)
        self._carry_out(lambda acts: acts.answer(CHIEF, approval.id, accept=accept))

    def _wrong_passes(self, approval: Approval) -> frozenset[int]:
        """Which passes' paper is said to be useless: all that is on the blank, or one list."""
        rows = self.site.ledger.orders.passes(approval.order_id, approval.attempt)
        on_blank = frozenset(row.number for row in rows if row.shape.stock is not Stock.PLAIN)
        named = approval.details.get("pass")
        if named is not None:
            return on_blank if named in on_blank else frozenset({named})
        return frozenset(approval.details["passes"])


@dataclass
class Office:
    """The registry: it asks for certificates, twice by accident, and changes its mind."""

    world: World
    home: HomeSite
    sites: list[HallSite]
    wanted: int
    acts: float  # how often something is asked of an order that is out

    def __post_init__(self) -> None:
        self._requested: list[tuple[str, int, int, Check | None, str]] = []
        self.world.add(Actor("office", self._act))

    def _act(self) -> float | None:
        if len(self._requested) < self.wanted:
            site = self._any_site()
            spreads, lists = 1 + self.world.happens(0.6), int(self._has_list(site))
            self._requested.append((f"r{len(self._requested)}", spreads, lists, self._check(), site.hall))
        if self.home.daemon is not None:
            self._submit_all()
            if not self.world.is_calm and self.world.happens(self.acts):
                self.ask_something()
        return self.world.later(1, 8)

    def _any_site(self) -> HallSite:
        return self.sites[int(self.world.chance() * len(self.sites)) if len(self.sites) > 1 else 0]

    def _has_list(self, site: HallSite) -> bool:
        """A list needs a plain printer, wherever it is printed in the end."""
        return all(len(site.devices) > 1 for site in self.sites) and self.world.happens(0.4)

    def _check(self) -> Check | None:
        """Some registries want their certificates signed for, or offer it; which, the seed says, and nothing else changes by it."""
        if self.world.seed % 4 != 3 or any(len(site.devices) < 2 for site in self.sites):
            return None
        return (Check.REQUIRED, Check.OFFERED, None)[len(self._requested) % 3]

    def _submit_all(self) -> None:
        """Whoever got no answer asks again; sometimes also who got one."""
        for request_id, spreads, lists, check, hall in self._requested:
            daemon = self.home.daemon
            known = request_id in self.home.store.requests
            if daemon is not None and (not known or self.world.happens(0.05)):
                daemon.submit(request_id, spreads=spreads, lists=lists, check=check, hall=self._open_hall(hall))

    def _open_hall(self, hall: str) -> str:
        """Where the request goes after it was refused for its hall."""
        return self.sites[0].hall if hall in self.home.store.written_off else hall

    @property
    def is_done(self) -> bool:
        return len(self._requested) == self.wanted and all(r[0] in self.home.store.requests for r in self._requested)

    def ask_something(self) -> None:
        jobs = list(self.home.store.jobs.values())
        if not jobs or self.home.daemon is None:
            return
        job = jobs[int(self.world.chance() * len(jobs))]
        what = self.world.random.choice(_WISHES)
        self.world.note(f"office: {what}")
        order = self.home.store.latest_order(job.job_id)
        if what in ("forge", "replay"):
            if order is not None and order.sealed is not None:
                self._send_again(order.sealed, is_forged=what == "forge")
        elif what == "order":
            self.home.daemon.order_again(job.job_id, self._any_site().hall)
        elif what == "lease":
            if order is not None:
                later = order.not_after + timedelta(seconds=self.world.later(0, 300))
                self.home.daemon.ask(job.job_id, Lease, not_after=later)
        else:
            self.home.daemon.ask(job.job_id, _CONTROLS[what], reason="")
            if what in ("hold", "resume") and int(job.job_id[-1], 16) % 2:
                self._change_its_mind(job.job_id, what)

    def _change_its_mind(self, job_id: str, what: str) -> None:
        """In one breath: the letters may overtake each other."""
        for said in ("resume", "hold") if what == "hold" else ("hold", "resume"):
            if self.home.daemon is not None:
                self.home.daemon.ask(job_id, _CONTROLS[said], reason="")

    def see_to_it(self) -> None:
        """What is held is not held for ever; a hall that burnt down is written off; what has no order any more gets its next."""
        daemon = self.home.daemon
        if daemon is None:
            return
        for order in [order for site in self.sites for order in site.ledger.orders.every() if order.held]:
            daemon.ask(str(order.job_id), Resume, reason="")
        for site in self.sites:
            if site.is_burnt:
                self.write_off(site)
        for job in list(self.home.store.jobs.values()):
            if Reason.HELD in job.reasons.split():
                daemon.ask(job.job_id, Resume, reason="")
            if self.home.store.open_order(job.job_id) is None and not is_final(job.state):
                standing = [site for site in self.sites if not site.is_given_up]
                daemon.order_again(job.job_id, standing[0].hall)

    def write_off(self, site: HallSite) -> None:
        """Two people give up a hall of which they think that nobody will ever hear again."""
        if self.home.daemon is not None:
            site.is_given_up = True
            self.home.daemon.write_off(site.hall)

    def _send_again(self, order: SealedOrder, *, is_forged: bool) -> None:
        """An old order once more, or another content under its id; both only once the true one is at the hall."""
        site = next((one for one in self.sites if one.ledger.orders.get(order.order_id) is not None), None)
        if site is None or site.is_burnt:
            return
        if is_forged:
            order = SealedOrder(order.order_id, order.job_id, order.passes, order.not_after, "forged")
        about = headers(registry=REGISTRY, hall=site.hall, order_id=order.order_id, kid="k")
        envelope = enveloped(order, self.world.new_id().int)
        self.home.broker.take(
            Letter(str(self.world.new_id()), ORDERS, f"{REGISTRY}.{site.hall}", ORDER_TYPE, envelope, about)
        )
