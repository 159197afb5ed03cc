"""Joins the hall's parts and runs them; read this first. It alone knows settings, sockets and CUPS at once."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import OperationalError
from threading import Event
from typing import TypeVar
from uuid import UUID

import structlog
from pydantic import ValidationError

from agents.api.app import make_api
from agents.api.parts import Parts
from agents.calibration.kept import KeptCalibrations, take_in
from agents.clock_watch import ClockWatch
from agents.doctor.look import Places, look
from agents.doctor.rounds import Rounds, by_journal
from agents.grants import GrantWatch, remembered
from agents.hall import Hall, Keys
from agents.identity import OneAgent, identity_of, is_unused, machine_of
from agents.ledger import Binding, Corrupt, Ledger
from agents.logins import Reception, hall_door
from agents.metrics import make_registry, watch_logins
from agents.permit import PermitDirectory, PermitsUnusable
from agents.printers import Cups
from agents.settings import HallSettings
from agents.spool import PrinterLine, Spool, SpoolSettings
from agents.strangers import note_strangers
from agents.stuck_reports import StuckReports
from spooler.daemon import lifecycle, logs
from spooler.daemon.broker import certificate_end, read_address
from spooler.daemon.late import Late
from spooler.daemon.probe import probe_router
from spooler.daemon.refusals import count_refusals
from spooler.daemon.server import HttpServer, split_listen
from spooler.daemon.settings import Credentials, SettingsError, load_settings
from spooler.daemon.verified import watch_verified
from spooler.wire.courier import Courier
from spooler.wire.errors import WireError
from spooler.wire.grant_mode import are_signed
from spooler.wire.keys import SigningKey, WrapKey
from spooler.wire.link import PikaLink
from spooler.wire.topology import hall_queue
from spooler.wire.trust import Trust
from spooler.wire.trust_directory import TrustDirectory, why

K = TypeVar("K")
LATE = ("agents.verify", "pypdf")

_log = structlog.get_logger()


def run(config: Path) -> int:
    """Run the hall's agent until a signal stops it; return its exit code."""
    logs.set_up()
    settings = load_settings(HallSettings, config)
    stop = Event()
    lifecycle.stop_on_signals(stop)
    with _alone(settings):
        return 0 if Agent(settings).run(stop) else 1


@contextmanager
def _alone(settings: HallSettings) -> Iterator[None]:
    """Hold the locks of the data and of the permits: a copy of either is no second hall."""
    with ExitStack() as locks:
        locks.callback(OneAgent(settings.hall.data_directory).release)
        locks.callback(OneAgent(settings.hall.permits, "hall.permit_directory").release)
        yield


class Agent:
    """One hall's daemon."""

    def __init__(self, settings: HallSettings) -> None:
        credentials = Credentials(settings.hall.credentials_directory)
        self._broker = read_address(settings.broker, credentials)
        self._permits = _open_permits(settings)
        ledger, is_damaged = open_ledger(settings.hall.data_directory / "ledger.sqlite")
        _take_in_calibrations(ledger, settings)
        trust = _trust(settings, ledger)
        self.hall = Hall(
            settings,
            ledger=ledger,
            binding=_bind(ledger, settings, self._permits, is_damaged),
            keys=_keys(settings, credentials),
            trust=trust,
            clock=now,
            clock_watch=ClockWatch(now),
        )
        self._rounds = self._make_rounds(settings)
        self._spool = self._make_spool(settings)
        self._courier = self._make_courier(settings)
        self._server = self._make_server(settings)
        self._wire_wakes()
        self.hall.pipeline.also(GrantWatch(hall=settings.hall.id, journal=self.hall.journal, trust=trust).look)
        self.hall.pipeline.also(StuckReports(ledger=ledger, clock=now).look)
        self.hall.reconciliation.begin()

    def run(self, stop: Event) -> bool:
        """Run all parts until `stop`; False when one of them died."""
        # Stopped from the end: whoever waits for a change is answered first, so that the server can go.
        parts: list[lifecycle.Part] = [
            self._rounds,
            self._spool,
            self.hall.pipeline,
            self._courier,
            self._server,
            self.hall.changes,
            Late(LATE, is_ready=lambda: self._courier.is_connected),
        ]
        try:
            return lifecycle.run(parts, stop, is_alive=self._is_alive)
        finally:
            self.hall.ledger.close()

    def _wire_wakes(self) -> None:
        wakes = self.hall.wakes
        wakes.courier = self._courier.wake
        wakes.printers = self._spool.wake
        wakes.printer = self._spool.wake
        wakes.recall = self._spool.recall
        wakes.step_aside = self._courier.step_aside

    def _is_alive(self) -> bool:
        return (
            self._rounds.is_alive and self.hall.pipeline.is_alive and self._courier.is_alive and self._server.is_alive
        )

    def _make_rounds(self, settings: HallSettings) -> Rounds:
        places, cups = Places(settings), Cups(settings.cups.socket)
        ours = by_journal(self._cups_job_of)
        return Rounds(
            lambda: look(places, cups, ours=ours, permits_are_ours=self._permits.is_ours()),
            told=self.hall.board.diagnosed,
        )

    def _cups_job_of(self, uuid: UUID) -> tuple[bool, int | None]:
        found = self.hall.ledger.tries.get(uuid) or self.hall.ledger.calibration_prints.get_try(uuid)
        return found is not None, None if found is None else found.cups_job

    def _make_spool(self, settings: HallSettings) -> Spool:
        return Spool(
            printers=[PrinterLine(name=p.name, device=p.device) for p in settings.printers],
            book=self.hall.book,
            permits=self._permits,
            settings=SpoolSettings(socket=settings.cups.socket, probes=settings.cups.probe_directory),
            told=self.hall.board.told,
            may_begin=self._rounds.may_begin,
        )

    def _make_courier(self, settings: HallSettings) -> Courier:
        address = self._broker
        queue = settings.broker.queue or hall_queue(settings.hall.id)
        name = f"hall-{settings.hall.id}"
        return Courier(lambda: PikaLink(address, [queue], name=name), self.hall.reporter, self.hall.inbox, name=name)

    def _make_server(self, settings: HallSettings) -> HttpServer:
        registry = make_registry(
            hall=settings.hall.id,
            ledger=self.hall.ledger,
            board=self.hall.board,
            is_connected=lambda: self._courier.is_connected,
            clock=now,
            foreign_jobs=lambda: self._rounds.foreign,
            blocked_reprints=lambda: self._rounds.blocked,
            broker_end=lambda: certificate_end(self._broker),
        )
        reception = Reception(self.hall.ledger, now)
        door = hall_door(settings.hall, reception)
        watch_logins(registry, settings.hall.id, reception.counts, door.count)
        probe = probe_router(
            ready={
                "broker": lambda: self._courier.is_connected,
                "permits": self._permits.is_ours,
                "reconciled": self.hall.may_print,
            },
            alive={"pipeline": lambda: self.hall.pipeline.is_alive, "courier": lambda: self._courier.is_alive},
            registry=registry,
        )
        api = make_api(
            Parts(
                acts=self.hall.acts,
                stock=self.hall.stock,
                reconciliation=self.hall.reconciliation,
                accounts=[account.account() for account in settings.accounts],
                probe=probe,
                changes=self.hall.changes,
                calibration=self.hall.calibration,
                door=door,
            )
        )
        count_refusals(api, registry)
        watch_verified(registry, settings.hall.data_directory)
        return HttpServer(api, *split_listen(settings.hall.listen))


def now() -> datetime:
    return datetime.now(UTC)


def open_ledger(path: Path) -> tuple[Ledger, bool]:
    """Return the ledger, and whether it had to be begun anew: one that cannot be read is kept beside, never printed from."""
    try:
        return Ledger(path), False
    except OperationalError as e:
        raise SettingsError(f"hall.data_directory: 账本打不开 · {path} cannot be opened: {e}") from e
    except Corrupt as e:
        beside = path.with_name(f"{path.name}.damaged-{now():%Y%m%dT%H%M%S}")
        _log.error("the ledger is damaged; a new one is begun beside it", why=str(e), kept=beside.name, alarm=True)
        for end in ("-wal", "-shm", ""):
            part = path.with_name(path.name + end)
            if part.exists():
                part.rename(beside.with_name(beside.name + end))
        return Ledger(path), True


def _open_permits(settings: HallSettings) -> PermitDirectory:
    """Open the permits, or say in one sentence why nothing may be printed with them."""
    try:
        return PermitDirectory.open(settings.hall.permits)
    except (PermitsUnusable, OSError, ValueError) as e:
        raise SettingsError(f"hall.permit_directory: 许可目录不可用，不能打印 · nothing may be printed: {e}") from e


def _take_in_calibrations(ledger: Ledger, settings: HallSettings) -> None:
    """A new ledger, or an old copy of one, is told how far the printers are off."""
    try:
        take_in(ledger, KeptCalibrations(settings.hall.calibrations))
    except OSError as e:
        raise SettingsError(f"hall.calibration_file: 校准文件不可用 · cannot be used: {e}") from e


def _trust(settings: HallSettings, ledger: Ledger) -> Trust:
    """Whom this hall believes, now and whenever that changes."""
    directory, hall = settings.hall.trust_directory, settings.hall.id
    has_seen_signed = any(mark.agreed for mark in remembered(ledger, hall).values())
    try:
        return TrustDirectory(
            directory,
            signed=are_signed(directory, settings.hall.grants, has_seen_signed=has_seen_signed),
            wanted=lambda pair: pair[1] == hall,
            remembered=lambda: remembered(ledger, hall),
            time=now,
        )
    except (OSError, ValidationError) as e:
        raise SettingsError(f"hall.trust_directory {directory}: 信任目录不可用 · cannot be used: {why(e)}") from e


def _bind(ledger: Ledger, settings: HallSettings, permits: PermitDirectory, is_damaged: bool) -> Binding:
    strangers = note_strangers(ledger, permits)
    binding = ledger.bind(
        hall=settings.hall.id,
        machine=machine_of(settings.hall.data_directory),
        permits=identity_of(permits.path, permits.identity),
        permits_are_new=is_unused(permits.path),
        has_strangers=bool(strangers),
        is_damaged=is_damaged,
        asks_first=True,
    )
    fields = {"hall": binding.hall, "epoch": str(binding.epoch), "instance": str(binding.instance)}
    if binding.reconcile is None:
        _log.info("ledger bound", **fields)
    else:
        _log.error("nothing is printed until this hall is reconciled", why=binding.reconcile, alarm=True, **fields)
    return binding


def _keys(settings: HallSettings, credentials: Credentials) -> Keys:
    hall = settings.hall
    return Keys(
        report=_key(credentials, "hall.report_key_credential", hall.report_key_credential, SigningKey.from_pem),
        wrap=tuple(
            _key(credentials, "hall.wrap_key_credentials", name, WrapKey.from_pem) for name in hall.wrap_key_credentials
        ),
    )


def _key(credentials: Credentials, setting: str, name: str, load: Callable[[bytes], K]) -> K:
    try:
        return load(credentials.read(name))
    except (ValueError, WireError) as e:
        raise SettingsError(f"{setting} = {name}: 密钥不可用 · not a key of ours: {e}") from e
