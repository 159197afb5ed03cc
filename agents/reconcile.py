"""A hall that does not trust its own journal: it prints nothing, asks home for its orders, and two persons lead it out.

    bound elsewhere, older, damaged, halted ─▶ new epoch, ask ─▶ each registry answers, orders come back ─▶ blanks counted ─▶ left

A new hall leaves by itself, once every registry said that it never heard of it. In all other cases a person proposes to leave and a
second one agrees; passes that are unknown then still are, and are closed one by one at the counter.
"""

from collections.abc import Callable, Iterable, Sequence
from uuid import UUID, uuid4

import structlog

from agents.accounts import MACHINE, Account, Role
from agents.checks import a_reason
from agents.errors import DoesNotFit, NotAllowed
from agents.journal import Journal
from agents.ledger import Binding
from agents.ledger.binding import WHY, code_of
from agents.ledger.past import Leaving, Past
from agents.recollect import Recollection
from agents.standpoint import Standpoint
from agents.views import ReconcileView
from spooler.daemon.crash import crash_point
from spooler.wire.messages import Actor, Halt, Reconcile, Restore

STEP_ASIDE_SECONDS = 8.0  # so long another agent of this hall may read what home says to it
MOST_ORDERS = 15_000  # in one question; a report is at most 1 MiB
TWO_AGENTS = "two-agents"

_log = structlog.get_logger()


class Reconciliation:
    """The mode, and the only way out of it."""

    def __init__(
        self,
        *,
        journal: Journal,
        recollection: Recollection,
        registries: Iterable[str],
        binding: Callable[[], Binding],
        rebind: Callable[[Binding], None],
        left: Callable[[], None],
        step_aside: Callable[[float], None],
        new_id: Callable[[], UUID] = uuid4,
    ) -> None:
        self._journal = journal
        self._recollection = recollection
        self._registries = sorted(registries)
        self._binding = binding
        self._rebind = rebind
        self._left = left
        self._step_aside = step_aside
        self._new_id = new_id
        self._standpoint = Standpoint(journal, self._registries)

    @property
    def _past(self) -> Past:
        return self._journal.ledger.past

    def begin(self) -> None:
        """Ask every registry that was not asked yet. Called at each start."""
        if self._binding().may_print:
            return
        with self._journal.act():
            asked = {one.registry for one in self._past.asked()}
            self._ask([registry for registry in self._registries if registry not in asked], None)

    # what home says

    def halt(self, control: Halt) -> None:
        """Home has seen what cannot be: print nothing, and ask."""
        with self._journal.act():
            if not self._past.note_once(control.control_id):
                return
            if self._binding().may_print:
                self._begin_epoch(WHY.get(control.reason, WHY["rolled-back"]), None)
                self._past.note_once(control.control_id)  # what was noted before belongs to the epoch before
            if control.reason == TWO_AGENTS:
                self._journal.ledger.afterwards(lambda: self._step_aside(STEP_ASIDE_SECONDS))
        _log.error("halted by home", why=control.reason, alarm=True)

    def restore(self, control: Restore) -> None:
        """A part of a registry's answer."""
        with self._journal.act():
            is_news = self._past.answered(
                control.registry, control.ask, part=control.part, parts=control.parts, is_first=control.is_first
            )
            if not is_news:
                return
            for known in control.orders:
                self._past.keep(control.registry, known)
                self._recollection.told(known, control.registry)
            self._leave_if_new()
            crash_point("agent.before-restored-commit")
        crash_point("agent.after-restored-commit")

    def _leave_if_new(self) -> None:
        if self._binding().reconcile == WHY["new"] and self._standpoint.is_new_to_all():
            self._leave(MACHINE)

    # what people do

    def view(self, by: Account) -> ReconcileView:
        """Show why nothing is printed, what is known and what is not."""
        return self._standpoint.view(self._binding())

    def ask_again(self, by: Account) -> ReconcileView:
        """Begin anew: another agent was switched off, or somebody wants this journal compared with home."""
        actor = _any_role(by)
        with self._journal.act():
            self._begin_epoch(self._binding().reconcile or WHY["asked"], actor)
        return self.view(by)

    def leave(self, by: Account, *, reason: str = "", without: Sequence[str] = ()) -> ReconcileView:
        """Propose to print again; a second person, who may approve, does the same and it is so."""
        with self._journal.act():
            if self._binding().may_print:
                raise DoesNotFit("本厅无须核对 · this hall is not in reconcile mode", code="not-reconciling")
            proposed = self._past.leaving()
            self._check(without if proposed is None else proposed.without)
            if proposed is None:
                self._propose(by, reason, without)
            else:
                self._agree(by, proposed)
        return self.view(by)

    def take_back(self, by: Account) -> ReconcileView:
        """Take the proposal back; whoever may propose may."""
        _any_role(by)
        with self._journal.act():
            self._past.take_back_leaving()
        return self.view(by)

    def _check(self, without: Sequence[str]) -> None:
        hinders = self._standpoint.hindrances(without)
        if hinders:
            raise DoesNotFit("还不能恢复打印 · not yet: " + "; ".join(hinders), code="not-reconciled")

    def _propose(self, by: Account, reason: str, without: Sequence[str]) -> None:
        actor = _any_role(by)
        self._past.propose_leaving(Leaving(actor, self._journal.clock(), a_reason(reason), tuple(without)))
        _log.warning("leaving reconcile mode is proposed", by=actor.id)

    def _agree(self, by: Account, proposed: Leaving) -> None:
        actor = by.acting_as(Role.APPROVE)
        if actor.id == proposed.by.id:
            raise NotAllowed("须由另一人确认 · whoever proposed cannot approve")
        self._leave(actor)

    def _leave(self, by: Actor) -> None:
        before = self._binding()
        self._past.leave()
        for one in self._past.asked():
            self._tell(one.registry, "left", one.ask, before.reconcile, by)
        self._rebind(Binding(before.hall, before.epoch, before.instance, None, has_past=before.has_past))
        self._left()
        crash_point("agent.before-left-commit")
        self._journal.ledger.afterwards(lambda: crash_point("agent.after-left-commit"))
        _log.warning("the hall prints again", by=by.id, epoch=str(before.epoch))

    # asking

    def _begin_epoch(self, why: str, by: Actor | None) -> None:
        self._rebind(self._journal.ledger.begin_epoch(self._binding(), why, self._journal.clock()))
        self._ask(self._registries, by)

    def _ask(self, registries: Iterable[str], by: Actor | None) -> None:
        for registry in registries:
            ask = self._new_id()
            self._past.ask(registry, ask, self._journal.clock())
            self._tell(registry, "asked", ask, self._binding().reconcile, by)
            crash_point("agent.before-asked-commit")

    def _tell(self, registry: str, phase: str, ask: UUID, why: str | None, by: Actor | None) -> None:
        orders: tuple[UUID, ...] = ()
        if phase == "asked":
            orders = tuple(o.order_id for o in self._journal.ledger.orders.active() if o.registry == registry)
        self._journal.tell_registry(
            Reconcile,
            registry,
            phase=phase,
            ask=ask,
            why=code_of(why or ""),
            orders=orders[:MOST_ORDERS],
            actor=by,
        )


def _any_role(by: Account) -> Actor:
    """Whoever works here may propose; the login is what is written down."""
    return by.acting_as(Role.CLERK if Role.CLERK in by.roles else Role.APPROVE)
