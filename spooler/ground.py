"""What the home stands on: read once at start from settings, credentials, trust directory and database.

Whatever cannot be used raises SettingsError: one sentence that names the setting.
"""

import fcntl
import os
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog
from pydantic import ValidationError
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from spooler import migrations
from spooler.ask_hall import HallAsker
from spooler.callback import Target
from spooler.daemon.broker import certificate_end, certificate_ends
from spooler.daemon.settings import Credentials, SettingsError
from spooler.documents import Documents, Locker
from spooler.grants import remembered
from spooler.items import BadItems, Item, find_items, load_items
from spooler.locker import KeyLocker, read_key
from spooler.metrics import KeyExpiry, Metrics
from spooler.render import BadTemplate, FontMissing, Renderer, find_templates
from spooler.seal.ring import SealRing, TicketRing
from spooler.settings import HomeSettings
from spooler.store import Database, Store
from spooler.store.values import Alarm, Endpoint, Topic
from spooler.token_keys import TokenKeys
from spooler.wire.errors import WireError
from spooler.wire.grant_mode import are_signed
from spooler.wire.grants import Fault
from spooler.wire.keys import SigningKey
from spooler.wire.letters import Link
from spooler.wire.link import BrokerAddress, PikaLink
from spooler.wire.ticket import MOST_SEAL_FILE_BYTES, SealFile
from spooler.wire.topology import dead_queue, hall_user, registry_queue
from spooler.wire.trust import Trust
from spooler.wire.trust_directory import TrustDirectory, Unfit, why
from spooler.write_off import HallsWrittenOff

Clock = Callable[[], datetime]
K = TypeVar("K")

_log = structlog.get_logger()


@dataclass(frozen=True)
class Keys:
    """What the home signs with, by registry."""

    seals: SealRing
    tickets: Mapping[str, SigningKey]
    tokens: TokenKeys | None = None
    seal_files: Mapping[str, SealFile] = field(default_factory=dict)


@dataclass(frozen=True)
class Ground:
    """What every part stands on."""

    settings: HomeSettings
    store: Store
    documents: Documents
    trust: Trust
    keys: Keys
    clock: Clock
    metrics: Metrics
    broker_expiries: Callable[[], Sequence[KeyExpiry]] = tuple

    @property
    def written_off(self) -> HallsWrittenOff:
        return HallsWrittenOff(self.store, self.trust)

    @property
    def asker(self) -> HallAsker:
        return HallAsker(self.keys.tickets)

    @property
    def registries(self) -> frozenset[str]:
        return frozenset(one.id for one in self.settings.registries)


def now() -> datetime:
    return datetime.now(UTC)


def make_directory(data_directory: Path) -> None:
    try:
        data_directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as e:
        raise SettingsError(f"home.data_directory: 目录不可用 · {data_directory}: {e.strerror}") from e


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


def open_documents(settings: HomeSettings, credentials: Credentials, *, is_shared: bool) -> Documents:
    """Open the documents, and lock those that lie open or under a former key; SettingsError when a key is none."""
    names = settings.home.document_key_credentials
    documents = Documents(settings.home.documents, _locker(credentials, names), is_shared=is_shared)
    locked = documents.lock_all()
    if locked:
        _log.info("documents locked", count=locked)
    if not names:
        _log.warning("documents are not encrypted at rest: home.document_key_credentials is not set")
    return documents


def _locker(credentials: Credentials, names: Sequence[str]) -> Locker | None:
    try:
        keys = [read_key(credentials.text(name)) for name in names]
    except ValueError as e:
        raise SettingsError(
            f"home.document_key_credentials: 不是密钥 · not a key (openssl rand -base64 32): {e}"
        ) from e
    return KeyLocker(keys) if keys else None


def open_store(settings: HomeSettings, clock: Clock) -> Store:
    """Open the store, its tables brought up to date; SettingsError when the database cannot be used."""
    try:
        database = Database(settings.home.database)
        migrations.upgrade(database.engine)
    except (SQLAlchemyError, ImportError) as e:
        raise SettingsError(f"home.database_url: 数据库不可用 · {_address(settings)}: {_first_line(e)}") from e
    endpoints = [
        Endpoint(one.name, frozenset(one.registries), None if one.types is None else frozenset(one.types))
        for one in settings.callbacks
    ]
    return Store(database, clock, endpoints)


def _address(settings: HomeSettings) -> str:
    """Without the password."""
    try:
        return make_url(settings.home.database).render_as_string(hide_password=True)
    except ArgumentError:
        return "not a database URL"


def _first_line(error: Exception) -> str:
    """What the driver says; the statement behind it is nobody's business."""
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().partition("\n")[0]


def read_keys(settings: HomeSettings, credentials: Credentials, trust: Trust) -> Keys:
    """Read every registry's keys, now and whenever another lies in their place; SettingsError names the one that cannot be used."""
    tokens = TokenKeys(settings.registries, credentials)
    for one in settings.registries:
        _key(credentials, one.seal_name, partial(tokens.seal, one.id))
        _key(credentials, one.ticket_key_name, partial(tokens.ticket, one.id))

    def is_revoked(registry: str, seal: str, at: datetime) -> bool:
        return trust.registries[registry].is_revoked(seal, at)

    def is_trusted(registry: str, kid: str) -> bool:
        return any(key.kid == kid and key.serves("ticket", now()) for key in trust.registries[registry].ticket_keys)

    seals = {one.id: one.seal_name for one in settings.registries}
    tickets = {one.id: one.ticket_key_name for one in settings.registries}
    return Keys(
        seals=SealRing(seals, read=credentials.traced, clock=now, is_revoked=is_revoked, load=tokens.seal),
        tickets=TicketRing(tickets, read=credentials.traced, is_trusted=is_trusted, load=tokens.ticket),
        tokens=tokens,
        seal_files=dict(_seal_files(settings)),
    )


def _seal_files(settings: HomeSettings) -> Iterator[tuple[str, SealFile]]:
    for one in settings.registries:
        if one.seal_file_gbt38540 is not None:
            yield one.id, _seal_file(f"registries.{one.id}.seal_file_gbt38540", one.seal_file_gbt38540)


def _seal_file(setting: str, file: Path) -> SealFile:
    try:
        content = file.read_bytes()
    except OSError as e:
        raise SettingsError(f"{setting}: 电子印章文件读不出 · {file}: {e.strerror}") from e
    if not 0 < len(content) <= MOST_SEAL_FILE_BYTES:
        raise SettingsError(f"{setting}: {file}: {len(content)} 字节 · bytes, 1 to {MOST_SEAL_FILE_BYTES} are carried")
    return SealFile.of(content)


def _key(credentials: Credentials, name: str, load: Callable[[bytes], K]) -> K:
    try:
        return load(credentials.read(name))
    except (ValueError, WireError) as e:
        raise SettingsError(f"credential {name}: {e}") from e


def read_targets(settings: HomeSettings, credentials: Credentials) -> list[Target]:
    """Read the callback secrets: one a line, the newest first."""
    return [
        Target(
            one.name,
            one.url,
            tuple(credentials.text(one.secret_credential).split()),
            one.allowed,
            _authorities(one.name, one.authorities_file),
        )
        for one in settings.callbacks
    ]


def _authorities(name: str, file: Path | None) -> ssl.SSLContext | None:
    try:
        return ssl.create_default_context(cafile=file) if file else None
    except (OSError, ssl.SSLError) as e:
        raise SettingsError(f"callback {name}: authorities_file {file}: 证书文件不可用 · {e.strerror}") from e


def broker_link(settings: HomeSettings, address: BrokerAddress) -> Callable[[], Link]:
    """Return how the courier reaches the broker: one connection for the reports and dead letters of all registries."""
    queues = [queue(one.id) for one in settings.registries for queue in (registry_queue, dead_queue)]
    return lambda: PikaLink(address, queues, name="certspool home")


def broker_expiries(settings: HomeSettings, address: BrokerAddress) -> list[KeyExpiry]:
    """Return when the certificates at the broker end: our own by its file, the others' by the trust directory."""
    published = settings.home.trust_directory / "broker"
    clients = certificate_ends(sorted((published / "clients").glob("*.pem")))
    own = certificate_end(address)
    if own is not None:
        clients[address.user] = own
    return [
        *(KeyExpiry("broker", user.removeprefix(hall_user("")), at) for user, at in clients.items()),
        *(
            KeyExpiry("broker-server", node, at)
            for node, at in certificate_ends(sorted((published / "servers").glob("*.pem"))).items()
        ),
    ]


def read_trust(settings: HomeSettings, metrics: Metrics, store: Store) -> Trust:
    """Read whom we believe, now and whenever it changes. A registry without a record cannot be served: its name is unknown."""
    directory = settings.home.trust_directory

    def serves_all(trust: Trust) -> None:
        unknown = sorted({one.id for one in settings.registries} - trust.registries.keys())
        if unknown:
            raise Unfit(f"no record of registries {', '.join(unknown)}")

    def alarm() -> None:
        metrics.count_alarm(Alarm("trust-unreadable"))

    def alarm_of(fault: Fault) -> None:
        metrics.count_alarm(Alarm("grant-not-believed", hall=fault.pair[1] if fault.pair else None))

    served, recalled = {one.id for one in settings.registries}, remembered(store)
    try:
        trust = TrustDirectory(
            directory,
            check=serves_all,
            on_trouble=alarm,
            signed=are_signed(
                directory, settings.home.grants, has_seen_signed=any(mark.agreed for mark in recalled().values())
            ),
            wanted=lambda pair: pair[0] in served,
            remembered=recalled,
            on_fault=alarm_of,
            time=now,
        )
    except (OSError, ValidationError, Unfit) as e:
        raise SettingsError(f"home.trust_directory {directory}: 信任目录不可用 · cannot be used: {why(e)}") from e
    store.transactions.listen(Topic.GRANTS, trust.recall)
    return trust


def read_items(settings: HomeSettings) -> Mapping[str, Item]:
    """Return the catalogue of registration items; SettingsError names what is wrong with it."""
    try:
        return load_items(settings.home.items_file or find_items())
    except BadItems as e:
        raise SettingsError(f"home.items_file: 登记事项目录有误 · registration items: {e}") from e


def read_templates(settings: HomeSettings) -> Renderer:
    """Return the renderer with the site's templates; SettingsError names what is wrong with them."""
    try:
        layout = Renderer(find_templates(), own=settings.home.templates_directory)
    except (BadTemplate, FontMissing) as e:
        raise SettingsError(f"templates: {e}") from e
    for one in settings.registries:
        missing = {f"{kind}/{version}" for kind, version in one.templates.items()} - layout.templates
        if missing:
            raise SettingsError(f"registry {one.id}: templates: there is no {', '.join(sorted(missing))}")
    return layout
