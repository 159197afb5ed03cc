"""`certspool broker`: make RabbitMQ as the wire needs it, and name what is not so. Run by an operator, never by an agent."""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from spooler.cli import broker_files
from spooler.cli.client import Exit, JsonOption, fail
from spooler.daemon.broker import read_address
from spooler.daemon.settings import Credentials, SettingsError, load_settings
from spooler.settings import BrokerSection, HomeSettings
from spooler.wire.broker_guard import Guard, guard_faults
from spooler.wire.errors import BrokerUnreachable
from spooler.wire.management import BrokerRefused, Management
from spooler.wire.rabbitmq_conf import EXTERNAL, PLAIN
from spooler.wire.tls_probe import tls_faults
from spooler.wire.topology import Topology, describe, hall_user
from spooler.wire.trust import Trust, load_trust
from spooler.wire.ways import ways_of

app = typer.Typer(no_args_is_help=True, help="消息中间件 · Set RabbitMQ up, and check it.")

ConfigOption = Annotated[
    Path, typer.Option("--config", dir_okay=False, help="The home.toml: registries, user, virtual host.")
]
UrlOption = Annotated[
    str, typer.Option("--management", envvar="CERTSPOOL_MANAGEMENT", help="管理接口 · RabbitMQ's management API.")
]
UserOption = Annotated[
    str, typer.Option("--user", envvar="CERTSPOOL_MANAGEMENT_USER", help="管理员 · An administrator of RabbitMQ.")
]
PasswordOption = Annotated[
    Path,
    typer.Option(
        "--password-file", envvar="CERTSPOOL_MANAGEMENT_PASSWORD_FILE", help="The administrator's password, mode 0600."
    ),
]
HallsOption = Annotated[
    Path | None,
    typer.Option(
        "--halls-directory",
        file_okay=False,
        help="Without certificates: halls/ of the PKI directory; passwords are DIR/<hall>/credentials/broker.password, made when missing.",
    ),
]
KeepOption = Annotated[
    bool, typer.Option("--keep-passwords", help="With certificates: while some halls still come by password.")
]

app.command("config")(broker_files.config)

DEFAULT_URL = "http://127.0.0.1:15672"
HALL_PASSWORD = "broker.password"


@app.callback()
def _group() -> None:
    """消息中间件 · Set RabbitMQ up, and check it."""


@app.command()
def apply(
    config: ConfigOption,
    password_file: PasswordOption,
    management: UrlOption = DEFAULT_URL,
    user: UserOption = "administrator",
    halls_directory: HallsOption = None,
    keep_passwords: KeepOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make virtual host, exchanges, queues, policies, bindings and users for these registries and all halls of the trust directory.

    Applying again changes nothing that is right, and loses nothing. Where home.toml names a certificate, users have no password; else halls
    keep the passwords they have without --halls-directory. RabbitMQ's own guest is removed (docs/broker.md).

    Example: certspool broker apply --config home.toml --password-file admin.password --halls-directory pki/halls
    """
    with _failures_told():
        settings, trust = _read(config)
        topology = _topology(settings, trust)
        if settings.broker.has_certificates and halls_directory is not None:
            raise SettingsError(
                f"{config}: names a certificate_credential: halls have no passwords, leave --halls-directory"
            )
        has_certificates = settings.broker.has_certificates and not keep_passwords
        with _session(settings, management, user, password_file) as session:
            session.apply(topology, _passwords(settings, trust, halls_directory), has_certificates=has_certificates)
            faults = [*session.check(topology), *_guard_faults(session, settings, topology, user, keep_passwords)]
    _tell(faults, topology, as_json)


@app.command()
def check(
    config: ConfigOption,
    password_file: PasswordOption,
    management: UrlOption = DEFAULT_URL,
    user: UserOption = "administrator",
    keep_passwords: KeepOption = False,
    as_json: JsonOption = False,
) -> None:
    """Read the broker back and name each difference: queue types, limits, bindings, policies, who may do what. Exit code 1 if any.

    Also guest and strangers; and where home.toml names an authority_file, listeners in plaintext, passwords beside certificates, and, asked
    over the network as home asks: TLS below 1.2, other logins than by certificate, who comes without one.

    Example: certspool broker check --config home.toml --password-file admin.password --json
    """
    with _failures_told():
        settings, trust = _read(config)
        topology = _topology(settings, trust)
        with _session(settings, management, user, password_file) as session:
            faults = [*session.check(topology), *_guard_faults(session, settings, topology, user, keep_passwords)]
    _tell(faults, topology, as_json)


def _guard_faults(
    session: Management, settings: HomeSettings, topology: Topology, administrator: str, keep_passwords: bool
) -> Iterator[str]:
    broker = settings.broker
    guard = Guard(
        administrator=administrator,
        has_tls=broker.authority_file is not None,
        has_certificates=broker.has_certificates and not keep_passwords,
        plaintext_on_loopback=broker.plaintext_on_loopback,
    )
    yield from guard_faults(session.facts(), topology, guard)
    if broker.authority_file is not None:
        address = read_address(broker, Credentials(settings.home.credentials_directory))
        yield from tls_faults(address, _logins(broker, keep_passwords))


def _logins(broker: BrokerSection, keep_passwords: bool) -> frozenset[str] | None:
    """Return the ways to log in that the broker should offer; None where that is not ours to say."""
    if not broker.has_certificates or keep_passwords:
        return None
    return frozenset({EXTERNAL, PLAIN} if broker.plaintext_on_loopback else {EXTERNAL})


@contextmanager
def _failures_told() -> Iterator[None]:
    try:
        yield
    except SettingsError as e:
        fail(str(e), Exit.WRONG_USAGE)
    except BrokerUnreachable as e:
        fail(f"连接不上 · {e}", Exit.NOT_REACHABLE)
    except BrokerRefused as e:
        fail(f"被拒绝 · {e}", Exit.REFUSED)


def _read(config: Path) -> tuple[HomeSettings, Trust]:
    settings = load_settings(HomeSettings, config)
    try:
        return settings, load_trust(settings.home.trust_directory)
    except (OSError, ValidationError) as e:
        reason = f"not a trust directory ({type(e).__name__})"
        raise SettingsError(f"{config}: home.trust_directory: {settings.home.trust_directory}: {reason}") from e


def _topology(settings: HomeSettings, trust: Trust) -> Topology:
    registries, home = (registry.id for registry in settings.registries), settings.home
    signed = home.grants != "plain"
    ways = ways_of(home.trust_directory, datetime.now(UTC), order_days=home.order_days) if signed else None
    return describe(registries, trust.halls, home=settings.broker.user, ways=ways)


def _session(settings: HomeSettings, url: str, user: str, password_file: Path) -> Management:
    password = Credentials(password_file.parent).text(password_file.name)
    return Management(url, user, password, virtual_host=settings.broker.virtual_host)


def _passwords(settings: HomeSettings, trust: Trust, halls_directory: Path | None) -> dict[str, str]:
    if settings.broker.has_certificates:
        return {}
    own = Credentials(settings.home.credentials_directory).text(settings.broker.password_credential)
    return {settings.broker.user: own} | _hall_passwords(trust, halls_directory)


def _hall_passwords(trust: Trust, directory: Path | None) -> dict[str, str]:
    if directory is None:
        return {}
    return {hall_user(hall): _hall_password(directory / hall / "credentials") for hall in trust.halls}


def _hall_password(credentials: Path) -> str:
    """Return the hall's password; made now when it has none yet."""
    path = credentials / HALL_PASSWORD
    if not path.exists():
        credentials.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(24))
    return Credentials(credentials).text(HALL_PASSWORD)


def _tell(faults: list[str], topology: Topology, as_json: bool) -> None:
    """Print what was found, and end with 1 when anything is not as it should be."""
    if as_json:
        queues = [queue.name for queue in topology.queues]
        typer.echo(json.dumps({"ok": not faults, "differences": faults, "queues": queues}, ensure_ascii=False))
    elif faults:
        typer.echo("\n".join(faults))
    else:
        typer.echo(f"一致 · as described: {len(topology.queues)} queues, {len(topology.users)} users")
    raise typer.Exit(Exit.FAILED if faults else Exit.DONE)
