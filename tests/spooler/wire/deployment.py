"""A broker as an operator makes one: `pki init`, `broker config`, `broker apply`; only its ports are chosen here."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from typer.testing import CliRunner, Result

from spooler.cli import command
from spooler.sandbox import broker as sandbox
from spooler.sandbox.broker import PrivateBroker
from spooler.sandbox.ports import LOOPBACK, free_ports
from spooler.wire.errors import WireError
from spooler.wire.link import BrokerAddress, Tls
from spooler.wire.tls_probe import offers
from spooler.wire.topology import hall_user

REGISTRY, HALL, OTHER_HALL = "231221", "231282-01", "231283-01"
READY_SECONDS = 60.0
HOME = """
[home]
data_directory = "{place}/home"
trust_directory = "{place}/pki/trust"
credentials_directory = "{place}/pki/home/credentials"
[broker]
host = "{host}"
port = {port}
virtual_host = "certspool"
user = "home"
authority_file = "{place}/pki/trust/broker-ca.pem"
server_name = "mq-1"
certificate_credential = "home.broker.pem"
[[registries]]
id = "{registry}"
"""


def certspool(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command(str(arguments[0])), [str(argument) for argument in arguments])


@dataclass(frozen=True)
class Deployment:
    """The operator's directory, and where the broker listens."""

    place: Path
    port: int
    private: PrivateBroker

    @property
    def pki(self) -> Path:
        return self.place / "pki"

    @property
    def authority(self) -> Path:
        return self.pki / "trust/broker-ca.pem"

    def certificate(self, owner: str) -> Path:
        """Return the key of a hall, or of a home's user."""
        if owner == "home":
            return self.pki / "home/credentials/home.broker.pem"
        return self.pki / f"halls/{owner}/credentials/broker.pem"

    def tls(self, owner: str | None, **changes: Path) -> Tls:
        certificate = None if owner is None else self.certificate(owner)
        return Tls(**{"authority": self.authority, "certificate": certificate, "server_name": "mq-1", **changes})

    def address(self, owner: str, tls: Tls | None = None) -> BrokerAddress:
        user = owner if owner == "home" else hall_user(owner)
        return BrokerAddress(LOOPBACK, self.port, "certspool", user, tls=tls or self.tls(owner))

    @property
    def session(self) -> list[str]:
        """Return the options of an operator at the management API."""
        config, password = str(self.place / "home.toml"), str(self.place / "mq-1/administrator.password")
        return ["--config", config, "--password-file", password, "--management", self.private.management_url]


@contextmanager
def deployed(place: Path) -> Iterator[Deployment]:
    """Make one and start it (about 8 s)."""
    halls = f"{HALL},{OTHER_HALL}"
    keys = ("--broker", "mq-1", "--broker-address", "localhost")
    _done(certspool("pki", "init", "--dir", place / "pki", "--registries", REGISTRY, "--halls", halls, *keys))
    port, management, distribution, epmd = free_ports(4)
    out = place / "mq-1"
    ports = ("--port", port, "--address", LOOPBACK, "--management-port", management)
    where = ("--place", out, "--keys", place / "pki/broker/mq-1", "--revoked", place / "pki/trust/broker/revoked")
    _done(certspool("broker", "config", "--out", out, *where, *map(str, ports)))
    password = (out / "administrator.password").read_text().strip()
    private = PrivateBroker(str(out), 0, management, distribution, epmd, password)
    (out / "broker.json").write_text(json.dumps(asdict(private)))
    (place / "home.toml").write_text(HOME.format(place=place, host=LOOPBACK, port=port, registry=REGISTRY))
    deployment = Deployment(place, port, private)
    process = sandbox.start(private)
    try:
        _wait_ready(deployment, process)
        _done(certspool("broker", "apply", *deployment.session))
        yield deployment
    finally:
        process.kill()
        process.wait(10)


def _done(result: Result) -> None:
    assert result.exit_code == 0, result.output


def _wait_ready(deployment: Deployment, process: "subprocess.Popen[bytes]") -> None:
    give_up = time.monotonic() + READY_SECONDS
    while not _is_ready(deployment):
        assert process.poll() is None, "the broker ended"
        assert time.monotonic() < give_up, f"the broker was not ready: see {deployment.private.log}"
        time.sleep(0.2)


def _is_ready(deployment: Deployment) -> bool:
    try:
        with deployment.private.management("/") as management:
            management.depths()
        offers((LOOPBACK, deployment.port), deployment.tls("home").context(), "mq-1", 5)
    except (OSError, WireError):
        return False
    return True
