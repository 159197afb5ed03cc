"""The home, joined from its parts. Read this first.

    request ─▶ intake (render, check) ─▶ store ─▶ pipeline: prepare (seal) ─▶ dispatch (wrap) ─▶ outbox ─▶ courier ─▶ broker
    callback ◀─ store ◀─ hall_word ◀─ collect ◀──────────────────────────────────────────────── courier ◀─ broker

What is unfinished at start is taken up again by the same sweep that runs every few seconds; nothing is remembered but in the store.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from threading import Event
from typing import Protocol, TypeVar

import structlog
from fastapi import APIRouter

from spooler.another_order import AnotherOrder
from spooler.api.app import make_api
from spooler.api.auth import Caller, Callers
from spooler.api.parts import Parts
from spooler.ask_hall import HallAsker
from spooler.audit import AuditAnchors
from spooler.callback import Callbacks, CallbackSender, Target
from spooler.collect import Collector
from spooler.controls import Controls
from spooler.daemon import lifecycle, logs
from spooler.daemon.broker import read_address
from spooler.daemon.late import Late
from spooler.daemon.probe import probe_router
from spooler.daemon.refusals import count_refusals
from spooler.daemon.server import HttpServer, split_listen
from spooler.daemon.settings import Credentials, SettingsError, load_settings
from spooler.daemon.verified import watch_verified
from spooler.dead_letters import DeadLetterReader, HomeInbox
from spooler.dispatch import Dispatcher
from spooler.electronic.issue import ElectronicIssuer
from spooler.electronic.join import electronic_issuer, openings, page_beside_the_api
from spooler.enrolments import EnrolmentDesk
from spooler.gaps import GapWatch
from spooler.grants import GrantWatch
from spooler.ground import (
    Ground,
    broker_expiries,
    broker_link,
    make_directory,
    now,
    one_at_a_time,
    open_documents,
    open_store,
    read_items,
    read_keys,
    read_targets,
    read_templates,
    read_trust,
)
from spooler.intake.check import Checker
from spooler.intake.keep import Intake
from spooler.lease import Leases
from spooler.logins import home_door
from spooler.metrics import KeyExpiry, Metrics, StoreFigures, grant_expiries, key_expiries
from spooler.pipeline import Pipeline, next_steps
from spooler.prepare import Preparer
from spooler.reminders import Reminders
from spooler.restore import Restorer
from spooler.retention import Retention
from spooler.rewrap import Rewrapper
from spooler.settings import HomeSettings
from spooler.store.values import Alarm, Topic
from spooler.stuck_letters import StuckLetters
from spooler.unreceived import Unreceived
from spooler.watch import Watch
from spooler.wire.courier import Courier
from spooler.wire.letters import Link

Clock = Callable[[], datetime]
K = TypeVar("K")

THREADS = ("courier", "pipeline", "callbacks", "watch", "restore", "electronic", "retention")
LATE = ("spooler.seal.seal",)

_log = structlog.get_logger()


class Living(Protocol):
    """A part with a thread."""

    @property
    def is_alive(self) -> bool: ...


@dataclass(frozen=True)
class Home:
    """The parts that run. They are started in this order and stopped in the other."""

    courier: Courier
    pipeline: Pipeline
    callbacks: Callbacks
    watch: Watch
    restorer: Restorer
    electronic: ElectronicIssuer
    retention: Retention
    late: Late
    server: HttpServer  # comes last and goes first: whoever is answered finds everything behind it at work

    @property
    def parts(self) -> Sequence[lifecycle.Part]:
        return (*self.threads, self.late, self.server)

    @property
    def threads(self) -> tuple[Courier, Pipeline, Callbacks, Watch, Restorer, ElectronicIssuer, Retention]:
        return (self.courier, self.pipeline, self.callbacks, self.watch, self.restorer, self.electronic, self.retention)

    @property
    def is_alive(self) -> bool:
        return all(lives() for lives in _health(*self.threads).values())


def run(config: Path) -> int:
    """Serve until a signal; return the exit code."""
    logs.set_up()
    stop = Event()
    lifecycle.stop_on_signals(stop)
    try:
        settings = load_settings(HomeSettings, config)
        make_directory(settings.home.data_directory)
        with one_at_a_time(settings.home.data_directory):
            return 0 if _serve(settings, stop) else 1
    except SettingsError as e:
        _log.error("cannot start", code=e.code, error=str(e))
        return 2


def _serve(settings: HomeSettings, stop: Event) -> bool:
    credentials = Credentials(settings.home.credentials_directory)
    metrics = Metrics()
    broker = read_address(settings.broker, credentials)
    store = open_store(settings, now)
    try:
        trust = read_trust(settings, metrics, store)
        ground = Ground(
            settings=settings,
            store=store,
            documents=open_documents(settings, credentials, is_shared=store.database.is_shared),
            trust=trust,
            keys=read_keys(settings, credentials, trust),
            clock=now,
            metrics=metrics,
            broker_expiries=partial(broker_expiries, settings, broker),
        )
        home = join(ground, read_targets(settings, credentials), broker_link(settings, broker))
        return lifecycle.run(home.parts, stop, is_alive=lambda: home.is_alive)
    finally:
        store.close()


def join(ground: Ground, targets: Sequence[Target], link: Callable[[], Link]) -> Home:
    """Make every part and wire who wakes whom."""
    store, metrics = ground.store, ground.metrics
    courier = Courier(link, store.outbox, _inbox(ground), name="home")
    pipeline = _pipeline(ground)
    callbacks = Callbacks([CallbackSender(store=store, target=target, clock=ground.clock) for target in targets])
    watch = _watch(ground)
    restorer = _restorer(ground)
    electronic = _electronic(ground)
    retention = _retention(ground)
    store.transactions.listen(Topic.WORK, pipeline.wake)
    store.transactions.listen(Topic.OUTBOX, courier.wake)
    store.transactions.listen(Topic.CALLBACKS, callbacks.wake)
    store.transactions.listen(Topic.STANDING, restorer.wake)
    store.transactions.listen(Topic.ELECTRONIC, electronic.wake)
    store.transactions.watch_moves(metrics.count_move)
    store.transactions.watch_alarms(metrics.count_alarm)
    store.transactions.watch_alarms(log_alarm)
    metrics.registry.register(_figures(ground, targets))
    probe = probe_router(
        ready={"broker": lambda: courier.is_connected, "store": store.is_answering, **_tokens_ready(ground)},
        alive=_health(courier, pipeline, callbacks, watch, restorer, electronic, retention),
        registry=metrics.registry,
    )
    api = _api_parts(ground, probe)
    watch_verified(metrics.registry, ground.settings.home.data_directory)
    app = make_api(api)
    count_refusals(app, metrics.registry)
    server = HttpServer(app, *split_listen(ground.settings.home.listen), before_stop=api.stopping.set)
    late = Late(LATE, is_ready=lambda: courier.is_connected and server.is_alive)
    return Home(courier, pipeline, callbacks, watch, restorer, electronic, retention, late, server)


def _tokens_ready(ground: Ground) -> dict[str, Callable[[], bool]]:
    """With keys in tokens the home is ready when it can log into all of them."""
    tokens = ground.keys.tokens
    return {"tokens": tokens.are_there} if tokens is not None and tokens.tokens else {}


def _restorer(ground: Ground) -> Restorer:
    return Restorer(
        store=ground.store,
        documents=ground.documents,
        trust=ground.trust,
        asker=HallAsker(ground.keys.tickets),
        clock=ground.clock,
    )


def _electronic(ground: Ground) -> ElectronicIssuer:
    return electronic_issuer(
        ground.settings,
        store=ground.store,
        documents=ground.documents,
        seals=ground.keys.seals,
        clock=ground.clock,
        metrics=ground.metrics,
    )


def _retention(ground: Ground) -> Retention:
    return Retention(
        store=ground.store,
        documents=ground.documents,
        keep_days=ground.settings.home.keep_documents_days,
        keep_electronic_days=ground.settings.electronic.keep_ended_days,
        clock=ground.clock,
    )


def _preparer(ground: Ground) -> Preparer:
    return Preparer(
        store=ground.store,
        documents=ground.documents,
        trust=ground.trust,
        seals=ground.keys.seals,
        ticket_keys=ground.keys.tickets,
        order_days=ground.settings.home.order_days,
        clock=ground.clock,
        is_closed=ground.written_off.is_closed,
        seal_files=ground.keys.seal_files,
    )


def _pipeline(ground: Ground) -> Pipeline:
    prepare = _preparer(ground)
    dispatch = Dispatcher(
        store=ground.store,
        documents=ground.documents,
        trust=ground.trust,
        clock=ground.clock,
        seal_again=prepare.again,
    )
    return Pipeline(
        store=ground.store,
        steps=next_steps(prepare=prepare, dispatch=dispatch),
        clock=ground.clock,
        workers=ground.settings.home.workers,
    )


def _watch(ground: Ground) -> Watch:
    home = ground.settings.home
    gaps = GapWatch(store=ground.store, asker=ground.asker, clock=ground.clock)
    leases = Leases(
        store=ground.store, asker=ground.asker, trust=ground.trust, order_days=home.order_days, clock=ground.clock
    )
    return Watch(
        store=ground.store,
        clock=ground.clock,
        heartbeat_seconds=home.heartbeat_seconds,
        also=(
            gaps.look,
            leases.look,
            StuckLetters(store=ground.store, clock=ground.clock).look,
            Unreceived(
                store=ground.store,
                documents=ground.documents,
                trust=ground.trust,
                asker=ground.asker,
                clock=ground.clock,
            ).look,
            Reminders(store=ground.store, clock=ground.clock).look,
            Rewrapper(store=ground.store, another_order=_another_order(ground)).look,
            GrantWatch(store=ground.store, asker=ground.asker, trust=ground.trust, registries=ground.registries).look,
            AuditAnchors(store=ground.store, asker=ground.asker, registries=ground.registries, clock=ground.clock).look,
        ),
    )


def _another_order(ground: Ground) -> AnotherOrder:
    return AnotherOrder(store=ground.store, prepare=_preparer(ground))


def _inbox(ground: Ground) -> HomeInbox:
    return HomeInbox(_collector(ground), DeadLetterReader(ground.store))


def _collector(ground: Ground) -> Collector:
    return Collector(
        store=ground.store,
        trust=ground.trust,
        registries=ground.registries,
        clock=ground.clock,
        on_alarm=ground.metrics.count_alarm,
        on_pass=ground.metrics.count_pass,
        believed=ground.written_off.believed,
    )


def _figures(ground: Ground, targets: Sequence[Target]) -> StoreFigures:
    return StoreFigures(
        store=ground.store,
        clock=ground.clock,
        expiries=lambda: [
            *key_expiries(ground.trust, ground.registries),
            *grant_expiries(ground.trust, ground.registries),
            *(KeyExpiry("seal", registry, ends_at) for registry, ends_at in ground.keys.seals.ends().items()),
            *ground.broker_expiries(),
        ],
        endpoints=[target.name for target in targets],
    )


def _api_parts(ground: Ground, probe: APIRouter) -> Parts:
    layout, items = read_templates(ground.settings), read_items(ground.settings)
    checker = Checker(
        trust=ground.trust,
        served=ground.registries,
        layout=layout,
        clock=ground.clock,
        is_closed=ground.written_off.is_closed,
        templates={one.id: one.templates for one in ground.settings.registries},
        check_sheets={one.id: one.check for one in ground.settings.registries if one.check},
        items=items,
    )
    return Parts(
        intake=Intake(
            checker=checker,
            book=ground.store.jobs,
            shelf=ground.documents,
            openings=openings(ground.settings, ground.trust),
        ),
        store=ground.store,
        documents=ground.documents,
        acts=Controls(ground.store, ground.keys.tickets),
        another_order=_another_order(ground),
        written_off=ground.written_off,
        enrolments=EnrolmentDesk(ground.store, ground.clock),
        callers=Callers(_callers(ground.settings), door=home_door(ground.settings.home, ground.store, ground.metrics)),
        registries=ground.registries,
        items=items,
        hall_names={hall.hall: hall.name for hall in ground.trust.halls.values()},
        probe=probe,
        verify=page_beside_the_api(ground.store, ground.clock, ground.metrics),
        count_request=ground.metrics.count_request,
        most_waiting_letters=ground.settings.home.most_waiting_letters,
        most_unsealed=ground.settings.home.most_unsealed,
    )


def log_alarm(alarm: Alarm) -> None:
    """Tell whoever reads the log; the store keeps it, the metrics count it."""
    told = {name: value for name, value in asdict(alarm).items() if value is not None}
    _log.error("alarm", alarm=True, **told)


def _health(*threads: Living) -> dict[str, Callable[[], bool]]:
    """Return how each thread is asked whether it lives."""
    return {name: partial(getattr, one, "is_alive") for name, one in zip(THREADS, threads, strict=True)}


def _callers(settings: HomeSettings) -> Iterator[Caller]:
    for token in settings.tokens:
        yield Caller(
            id=token.id,
            sha256=token.sha256,
            roles=frozenset(token.roles),
            registries=frozenset(token.registries),
            halls=frozenset(token.halls),
        )
