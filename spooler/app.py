"""The home, joined from its parts. Read this first.

    request ─▶ intake (render, check) ─▶ store ─▶ pipeline: prepare (seal) ─▶ dispatch (wrap) ─▶ outbox ─▶ courier ─▶ broker
    callback ◀─ store ◀─ hall_word ◀─ collect ◀──────────────────────────────────────────────── courier ◀─ broker

What is unfinished at start is taken up again by the same sweep that runs every few seconds; nothing is remembered but in the store.
"""

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import TypeVar

import structlog
from fastapi import FastAPI

from spooler import migrations
from spooler.api.app import make_api
from spooler.api.auth import Caller, Callers
from spooler.api.parts import Parts
from spooler.callback import Callbacks, CallbackSender, Target
from spooler.collect import Collector
from spooler.controls import Controls
from spooler.daemon import lifecycle, logs
from spooler.daemon.probe import probe_router
from spooler.daemon.server import HttpServer, split_listen
from spooler.daemon.settings import Credentials, SettingsError, load_settings
from spooler.dispatch import Dispatcher
from spooler.documents import Documents
from spooler.intake.check import Checker
from spooler.intake.keep import Intake
from spooler.metrics import Metrics, StoreFigures, key_expiries
from spooler.pipeline import Pipeline, next_steps
from spooler.prepare import Preparer
from spooler.render import Renderer, find_templates
from spooler.seal.seal import SealKey
from spooler.settings import HomeSettings
from spooler.store import Database, Store
from spooler.store.values import Endpoint, Topic
from spooler.watch import Watch
from spooler.wire.courier import Courier
from spooler.wire.errors import WireError
from spooler.wire.keys import SigningKey
from spooler.wire.letters import Link
from spooler.wire.link import BrokerAddress, PikaLink
from spooler.wire.topology import registry_queue
from spooler.wire.trust import Trust, load_trust

Clock = Callable[[], datetime]
K = TypeVar("K")

_log = structlog.get_logger()


@dataclass(frozen=True)
class Keys:
    """What the home signs with, by registry."""

    seals: Mapping[str, SealKey]
    tickets: Mapping[str, SigningKey]


@dataclass(frozen=True)
class Home:
    """All parts that run, in the order in which they are started, and the application that is served."""

    parts: Sequence[lifecycle.Part]
    api: FastAPI
    is_alive: Callable[[], bool]


def run(config: Path) -> int:
    """Serve until a signal; return the exit code."""
    logs.set_up()
    stop = Event()
    lifecycle.stop_on_signals(stop)
    try:
        settings = load_settings(HomeSettings, config)
        settings.home.data_directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with one_at_a_time(settings.home.data_directory):
            return 0 if _serve(settings, stop) else 1
    except SettingsError as e:
        _log.error("cannot start", code=e.code, error=str(e))
        return 2


def _serve(settings: HomeSettings, stop: Event) -> bool:
    credentials = Credentials(settings.home.credentials_directory)
    store = open_store(settings, now)
    try:
        home = join(
            settings,
            store=store,
            trust=load_trust(settings.home.trust_directory),
            keys=read_keys(settings, credentials),
            targets=read_targets(settings, credentials),
            link=broker_link(settings, credentials),
            clock=now,
        )
        return lifecycle.run(home.parts, stop, is_alive=home.is_alive)
    finally:
        store.close()


def now() -> datetime:
    return datetime.now(UTC)


def open_store(settings: HomeSettings, clock: Clock) -> Store:
    """Open the store, its tables brought up to date."""
    database = Database(settings.home.database)
    migrations.upgrade(database.engine)
    endpoints = [
        Endpoint(one.name, frozenset(one.registries), None if one.types is None else frozenset(one.types))
        for one in settings.callbacks
    ]
    return Store(database, clock, endpoints)


def read_keys(settings: HomeSettings, credentials: Credentials) -> Keys:
    """Read every registry's keys; SettingsError names the one that cannot be used."""
    return Keys(
        seals={one.id: _key(credentials, one.seal_name, SealKey.from_pkcs12) for one in settings.registries},
        tickets={one.id: _key(credentials, one.ticket_key_name, SigningKey.from_pem) for one in settings.registries},
    )


def _key(credentials: Credentials, name: str, load: Callable[[bytes], K]) -> K:
    try:
        return load(credentials.read(name))
    except (ValueError, WireError) as e:
        raise SettingsError(f"credential {name}: {e}") from e


def read_targets(settings: HomeSettings, credentials: Credentials) -> list[Target]:
    """Read the callback secrets: one a line, the newest first."""
    return [
        Target(one.name, one.url, tuple(credentials.text(one.secret_credential).split())) for one in settings.callbacks
    ]


def broker_link(settings: HomeSettings, credentials: Credentials) -> Callable[[], Link]:
    """Return how the courier reaches the broker: one connection for the reports of all registries."""
    broker = settings.broker
    address = BrokerAddress(
        host=broker.host,
        port=broker.port,
        virtual_host=broker.virtual_host,
        user=broker.user,
        password=credentials.text(broker.password_credential),
    )
    queues = [registry_queue(one.id) for one in settings.registries]
    return lambda: PikaLink(address, queues, name="certspool home")


def join(
    settings: HomeSettings,
    *,
    store: Store,
    trust: Trust,
    keys: Keys,
    targets: Sequence[Target],
    link: Callable[[], Link],
    clock: Clock,
) -> Home:
    """Make every part, hand it what it needs, and wire who wakes whom."""
    registries = frozenset(one.id for one in settings.registries)
    check_known(registries, trust)
    documents = Documents(settings.home.data_directory / "documents")
    metrics = Metrics()
    pipeline = Pipeline(
        store=store,
        clock=clock,
        workers=settings.home.workers,
        steps=next_steps(
            prepare=Preparer(
                store=store,
                documents=documents,
                trust=trust,
                seals=keys.seals,
                ticket_keys=keys.tickets,
                order_days=settings.home.order_days,
                clock=clock,
            ),
            dispatch=Dispatcher(store=store, documents=documents, trust=trust, clock=clock),
        ),
    )
    collector = Collector(
        store=store,
        trust=trust,
        registries=registries,
        clock=clock,
        on_alarm=metrics.count_alarm,
        on_pass=metrics.count_pass,
    )
    courier = Courier(link, store.outbox, collector, name="home")
    callbacks = Callbacks([CallbackSender(store=store, target=target, clock=clock) for target in targets])
    watch = Watch(store=store, clock=clock, heartbeat_seconds=settings.home.heartbeat_seconds)
    store.transactions.listen(Topic.WORK, pipeline.wake)
    store.transactions.listen(Topic.OUTBOX, courier.wake)
    store.transactions.listen(Topic.CALLBACKS, callbacks.wake)
    store.transactions.watch_moves(metrics.count_move)
    store.transactions.watch_alarms(metrics.count_alarm)
    metrics.registry.register(
        StoreFigures(
            store=store,
            clock=clock,
            expiries=key_expiries(trust, registries),
            endpoints=[target.name for target in targets],
        )
    )
    checker = Checker(trust=trust, served=registries, layout=Renderer(find_templates()), clock=clock)
    running = (courier, pipeline, callbacks, watch)
    api = make_api(
        Parts(
            intake=Intake(checker=checker, book=store.jobs, shelf=documents),
            store=store,
            documents=documents,
            acts=Controls(store, keys.tickets),
            callers=Callers(_callers(settings)),
            registries=registries,
            hall_names={hall.hall: hall.name for hall in trust.halls.values()},
            probe=probe_router(
                ready={"broker": lambda: courier.is_connected, "store": store.is_answering},
                alive={
                    "courier": lambda: courier.is_alive,
                    "pipeline": lambda: pipeline.is_alive,
                    "callbacks": lambda: callbacks.is_alive,
                    "watch": lambda: watch.is_alive,
                },
                registry=metrics.registry,
            ),
            count_request=metrics.count_request,
        )
    )
    server = HttpServer(api, *split_listen(settings.home.listen))
    # HTTP comes last and goes first: whoever is answered finds everything behind it at work.
    return Home(
        parts=(*running, server),
        api=api,
        is_alive=lambda: all(part.is_alive for part in (*running, server)),
    )


def check_known(registries: frozenset[str], trust: Trust) -> None:
    """A registry without its trust record cannot be served: its name and numbers are unknown."""
    unknown = sorted(registries - trust.registries.keys())
    if unknown:
        raise SettingsError(f"registries {', '.join(unknown)} have no record in the trust directory")


def _callers(settings: HomeSettings) -> Iterator[Caller]:
    for token in settings.tokens:
        yield Caller(
            id=token.id,
            sha256=token.sha256,
            roles=frozenset(token.roles),
            registries=frozenset(token.registries),
            halls=frozenset(token.halls),
        )


@contextmanager
def one_at_a_time(directory: Path) -> Iterator[None]:
    """Hold the data directory; a second home on it does not start. The lock ends with the process, however it ends."""
    descriptor = os.open(directory / "home.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as e:
        raise SettingsError(f"{directory}: another home works in this directory") from e
    finally:
        os.close(descriptor)
