"""Step 5: a hall's signed report comes in, is believed only by its signature, taken once and in order, and turned into what the job is.

    trusted? ─▶ its turn in the chain? ─▶ told to the job (spooler.tell) ─▶ parked ones that follow now

What is not to be trusted goes to the dead letters and is counted. What is trusted but cannot be (an illegal move, an unknown order) is
kept and alarmed: it never stops the reports behind it.
"""

from base64 import b64decode
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import partial
from hashlib import sha256

import structlog

from spooler.daemon.crash import crash_point
from spooler.hall_word import apply
from spooler.store import Change, Store, gaps, reports, standing
from spooler.store.halls import note_report
from spooler.store.reports import Place
from spooler.store.values import Alarm
from spooler.wire import signed, strict
from spooler.wire.errors import BadMessage, NotTrusted
from spooler.wire.keys import KeyRecord
from spooler.wire.letters import Delivery
from spooler.wire.messages import REPORT_TYPE as SIGNED_REPORT
from spooler.wire.messages import Answer, PassReport, ReportBase, read_report
from spooler.wire.topology import REPORT_TYPE, registry_queue
from spooler.wire.trust import Trust

Tell = Callable[[Change, ReportBase], None]

_log = structlog.get_logger()


class Collector:
    """The home's inbox (the wire's Inbox)."""

    def __init__(
        self,
        *,
        store: Store,
        trust: Trust,
        registries: Collection[str],
        clock: Callable[[], datetime],
        on_alarm: Callable[[Alarm], None] = lambda alarm: None,
        on_pass: Callable[[PassReport], None] = lambda report: None,
        believed: Callable[[str, Sequence[KeyRecord]], Sequence[KeyRecord]] = lambda hall, keys: keys,
    ) -> None:
        self._store = store
        self._trust = trust
        self._registries = frozenset(registries)
        self._clock = clock
        self._on_alarm = on_alarm
        self._on_pass = on_pass
        self._believed = believed
        self._tell = partial(apply, has_newer_key=self._has_newer_key)

    def handle(self, delivery: Delivery) -> None:
        """Return when the report is durable; raise NotTrusted for what is none."""
        try:
            report, payload = self._trusted(delivery)
            crash_point("home.before-report")
            taken = self._take(report, sha256(payload).hexdigest(), delivery.body)
        except NotTrusted:
            self._on_alarm(Alarm("report-not-trusted"))
            raise
        for passed in taken:
            if isinstance(passed, PassReport):
                self._on_pass(passed)

    def _trusted(self, delivery: Delivery) -> tuple[ReportBase, bytes]:
        """Return the report and its signed bytes; its hall and registry are those of its way here."""
        hall, _, registry = delivery.routing_key.partition(".")
        if delivery.type != REPORT_TYPE or delivery.queue != registry_queue(registry):
            raise BadMessage(f"a message of type {delivery.type!r} is none for {delivery.queue}")
        record = self._trust.halls.get(hall)
        if record is None or registry not in self._registries:
            raise BadMessage(f"hall {hall} or registry {registry} is not known here")
        payload = signed.open_signed(
            delivery.body,
            SIGNED_REPORT,
            keys=self._believed(hall, record.report_keys),
            use="report",
            at=self._clock(),
        )
        report = read_report(payload)
        if (report.hall, report.registry) != (hall, registry):
            raise BadMessage(f"a report of {report.hall} for {report.registry} came as one of {hall} for {registry}")
        return report, payload

    def _has_newer_key(self, hall: str, since: datetime) -> bool:
        """Say whether the hall was given another key to wrap for after that time."""
        now = self._clock()
        return any(key.serves("wrap", now) and key.not_before > since for key in self._trust.halls[hall].wrap_keys)

    def _take(self, report: ReportBase, digest: str, envelope: bytes) -> list[ReportBase]:
        """Write down the report, and all that it makes possible; return what was told to jobs."""
        taken: list[ReportBase] = []
        with self._store.changing() as change:
            place = reports.judge(change, report, digest)
            standing.suspect(change, report, place)
            if place is Place.EARLY:
                reports.park(change, report, digest, envelope)
                gaps.note_early(change, report)
                crash_point("home.before-parked-commit")
                taken = _pass_over_forgotten(change, report, self._tell)
                _log.warning("report parked", hall=report.hall, registry=report.registry, sequence=report.sequence)
            elif place is Place.NEXT:
                taken = _take_with_followers(change, report, digest, envelope, self._tell)
            elif place is Place.CONFLICT:
                change.alarm(Alarm("report-conflict", hall=report.hall, registry=report.registry))
            crash_point("home.before-report-commit")
        crash_point("home.after-report-commit")
        if place is Place.CONFLICT:
            raise BadMessage(f"report {report.sequence} of {report.hall} for {report.registry} does not fit its chain")
        return taken


def _take_with_followers(
    change: Change, report: ReportBase, digest: str, envelope: bytes, tell: Tell
) -> list[ReportBase]:
    taken: list[ReportBase] = []
    following: ReportBase | None = report
    while following is not None:
        reports.take(change, following, digest, envelope)
        gaps.note_progress(change, following)
        note_report(change, following.hall)
        tell(change, following)
        taken.append(following)
        following, digest, envelope = _follower(change, following)
    return taken


def _follower(change: Change, report: ReportBase) -> tuple[ReportBase | None, str, bytes]:
    """Return the parked report whose turn it is now; one that does not follow is dropped and alarmed."""
    envelope = reports.next_parked(change, report)
    if envelope is None:
        return _beyond_forgotten(change, report, report.sequence)
    parked, digest = _unpark(change, envelope)
    if reports.judge(change, parked, digest) is not Place.NEXT:
        change.alarm(Alarm("report-conflict", hall=report.hall, registry=report.registry))
        return None, "", b""
    return parked, digest, envelope


def _pass_over_forgotten(change: Change, report: ReportBase, tell: Tell) -> list[ReportBase]:
    """The hall's word that it no longer has what is missing comes early itself: what is parked is taken without the rest."""
    if not isinstance(report, Answer) or report.order_id is not None or report.outcome != "forgotten":
        return []
    if gaps.note_forgotten(change, str(report.control_id)) is None:
        return []
    first, digest, envelope = _beyond_forgotten(change, report, reports.end_of_chain(change, report))
    return [] if first is None else _take_with_followers(change, first, digest, envelope, tell)


def _beyond_forgotten(change: Change, report: ReportBase, after: int) -> tuple[ReportBase | None, str, bytes]:
    """Return the first report beyond a hole that the hall cannot fill; None while it may still be filled."""
    envelope = reports.first_parked(change, report, after) if gaps.may_be_passed(change, report) else None
    if envelope is None:
        return None, "", b""
    parked, digest = _unpark(change, envelope)
    reports.skip_to(change, parked)
    return parked, digest, envelope


def _unpark(change: Change, envelope: bytes) -> tuple[ReportBase, str]:
    # Its signature was checked before it was parked.
    payload = b64decode(strict.parse(envelope)["payload"])
    parked = read_report(payload)
    reports.drop_parked(change, parked)
    return parked, sha256(payload).hexdigest()
