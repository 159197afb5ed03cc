"""A private RabbitMQ below a directory: own ports, own epmd, loopback only, nothing of the machine's touched.

It survives kill -9: started again on the same directory it has the same ports and users, and gives confirmed messages back.
"""

import ctypes
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from spooler.sandbox.ports import LOOPBACK, free_ports
from spooler.wire.errors import WireError
from spooler.wire.link import BrokerAddress, PikaLink
from spooler.wire.management import Management
from spooler.wire.rabbitmq_conf import BrokerFiles, plugins

# /usr/sbin/rabbitmq-server insists on root or the user rabbitmq; this one runs as whoever starts it.
SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
CONTROL = SERVER.with_name("rabbitmqctl")
EPMD = Path("/usr/bin/epmd")
ADMINISTRATOR = "administrator"
# By its address: a bare machine has no /etc/hosts that knows localhost.
NODE = f"certspool@{LOOPBACK}"
_PR_SET_PDEATHSIG = 1


class BrokerNotReady(Exception):
    """The private broker did not come up; its log says why."""


@dataclass(frozen=True)
class PrivateBroker:
    """Where a private broker lives; all of it kept in `<directory>/broker.json`."""

    directory: str
    amqp_port: int
    management_port: int
    distribution_port: int
    epmd_port: int
    password: str = field(repr=False)
    tls_port: int | None = None  # where users come by certificate; without one, as before there were any, by password

    @property
    def url(self) -> str:
        return f"amqp://{ADMINISTRATOR}:{self.password}@{LOOPBACK}:{self.amqp_port}/%2F"

    @property
    def management_url(self) -> str:
        return f"http://{LOOPBACK}:{self.management_port}"

    @property
    def log(self) -> Path:
        return Path(self.directory) / "log"

    def address(self, virtual_host: str = "/") -> BrokerAddress:
        """Return the administrator's way in."""
        return BrokerAddress(LOOPBACK, self.amqp_port, virtual_host, ADMINISTRATOR, self.password)

    def management(self, virtual_host: str = "certspool") -> Management:
        """Return the administrator's session with the management API."""
        return Management(self.management_url, ADMINISTRATOR, self.password, virtual_host=virtual_host)

    def argv(self) -> list[str]:
        return [str(SERVER)]

    def environment(self) -> dict[str, str]:
        """Return all that the server is told; no secret is in it."""
        home = Path(self.directory)
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "HOME": str(home),
            "RABBITMQ_NODENAME": NODE,
            "RABBITMQ_USE_LONGNAME": "true",
            "RABBITMQ_MNESIA_BASE": str(home / "data"),
            "RABBITMQ_LOG_BASE": str(home / "log"),
            "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(home / "rabbitmq-env.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(home / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
            "RABBITMQ_PID_FILE": str(home / "broker.pid"),
            "RABBITMQ_DIST_PORT": str(self.distribution_port),
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            # Without a shell around it the server's process is the one that was started; -noinput keeps it off our terminal.
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-noinput -kernel inet_dist_use_interface {127,0,0,1}",
        }


def prepare(directory: Path, keys: Path | None = None) -> PrivateBroker:
    """Return the broker of this directory: the one that was there, or a new one; with `keys`, one that speaks TLS."""
    record = directory / "broker.json"
    if record.exists():
        return PrivateBroker(**json.loads(record.read_text()))
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    amqp, management, distribution, epmd, *tls = free_ports(4 if keys is None else 5)
    password = secrets.token_urlsafe(24)
    broker = PrivateBroker(
        str(directory.resolve()), amqp, management, distribution, epmd, password, tls[0] if tls else None
    )
    _write_private(directory / "rabbitmq.conf", _configuration(broker, keys))
    _write_private(directory / "enabled_plugins", plugins())
    _write_private(record, json.dumps(asdict(broker)))
    return broker


def _configuration(broker: PrivateBroker, keys: Path | None) -> str:
    return _listeners(broker, keys) + "\n".join(
        (
            f"default_user = {ADMINISTRATOR}",
            f"default_pass = {broker.password}",
            "default_user_tags.administrator = true",
            "disk_free_limit.absolute = 50MB",
            "log.file.level = info",
            "log.console = false",
            "",
        )
    )


def _listeners(broker: PrivateBroker, keys: Path | None) -> str:
    """As on a broker's machine, all on loopback; and in plaintext there, for the administrator."""
    if keys is not None and broker.tls_port is not None:
        return BrokerFiles(
            keys=keys.resolve(),
            port=broker.tls_port,
            address=LOOPBACK,
            management_port=broker.management_port,
            plain_port=broker.amqp_port,
        ).configuration()
    return "\n".join(
        (
            f"listeners.tcp.local = {LOOPBACK}:{broker.amqp_port}",
            f"management.tcp.ip = {LOOPBACK}",
            f"management.tcp.port = {broker.management_port}",
            "loopback_users.administrator = true",
            "",
        )
    )


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


def start_epmd(broker: PrivateBroker) -> "subprocess.Popen[bytes]":
    """Start the name server of this broker; it dies with the thread that called.

    RabbitMQ would start one itself, as a daemon that nobody ever stops.
    """
    return subprocess.Popen(
        [str(EPMD), "-address", LOOPBACK, "-port", str(broker.epmd_port)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=broker.environment(),
        preexec_fn=_die_with_parent,
    )


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def start(broker: PrivateBroker) -> "subprocess.Popen[bytes]":
    """Start the server as a child of this process and return at once; its pid is the server's own."""
    Path(broker.directory, "log").mkdir(exist_ok=True)
    with open(Path(broker.directory, "log", "start.log"), "ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", __name__, broker.directory],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def become(broker: PrivateBroker) -> None:
    """Become the server: this process's pid and inherited locks are now the broker's. Does not return."""
    start_epmd(broker)
    os.chdir(broker.directory)
    os.execve(broker.argv()[0], broker.argv(), broker.environment())


def wait_ready(broker: PrivateBroker, timeout_seconds: float = 60.0) -> None:
    """Return when the administrator can log in and the management API answers, or raise BrokerNotReady."""
    give_up = time.monotonic() + timeout_seconds
    while not is_ready(broker):
        if time.monotonic() > give_up:
            raise BrokerNotReady(f"RabbitMQ was not ready after {timeout_seconds:.0f} s: see {broker.log}")
        time.sleep(0.2)


def is_ready(broker: PrivateBroker) -> bool:
    """Say whether one can log in. The ports are open earlier than that."""
    link = PikaLink(broker.address(), name="readiness")
    try:
        link.open()
        link.close()
        with broker.management("/") as management:
            management.depths()
    except WireError:
        return False
    return True


def control(broker: PrivateBroker, *arguments: str) -> None:
    """Run rabbitmqctl for this broker. It takes a second or two."""
    command = [str(CONTROL), "--quiet", "--longnames", "--node", NODE, *arguments]
    subprocess.run(command, env=broker.environment(), check=True, stdin=subprocess.DEVNULL, capture_output=True)


if __name__ == "__main__":
    become(prepare(Path(sys.argv[1])))
