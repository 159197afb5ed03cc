"""A whole home as a process of its own, on a real RabbitMQ, that can be killed and started again on what it left."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from spooler.wire.topology import describe
from tests.conftest import VirtualHost
from tests.sealing import HALL, HOME, OTHER_HALL, OTHER_HOME

TOKEN = "a-token-of-this-test"
TOPOLOGY = describe([HOME, OTHER_HOME], [HALL, OTHER_HALL])


@dataclass
class HomeProcess:
    """`certspool serve` below a directory."""

    directory: Path
    pki: Path
    port: int
    virtual_host: VirtualHost
    callback_port: int
    broker_port: int | None = None  # where a test stands between home and broker
    home_settings: str = ""  # more lines of [home]
    process: "subprocess.Popen[bytes] | None" = None
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        authorization = {"authorization": f"Bearer {TOKEN}"}
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers=authorization, timeout=30)
        self._write_settings()

    @property
    def log(self) -> str:
        return (self.directory / "log").read_text()

    def start(self) -> None:
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", "from spooler.cli import main; main()", "serve", "--config", str(self.config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def wait_ready(self, timeout_seconds: float = 60) -> None:
        if not until(self._is_ready, timeout_seconds):
            raise AssertionError(f"the home did not become ready: {self.log[-2000:]}")

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def restart(self) -> None:
        self.kill()
        self.start()
        self.wait_ready()

    @property
    def config(self) -> Path:
        return self.directory / "home.toml"

    def job(self, job_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(f"/v1/jobs/{job_id}").json()
        return found

    def _is_ready(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise AssertionError(f"the home ended with {self.process.returncode}: {self.log[-2000:]}")
        try:
            return self.client.get("/readyz").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def _write_settings(self) -> None:
        credentials = self.pki / "home" / "credentials"
        _write_private(credentials / "broker.password", "home\n")
        _write_private(credentials / "callback.secret", "whsec_bmV3LXNlY3JldC1uZXctc2VjcmV0\n")
        address = self.virtual_host.address("home", port=self.broker_port)
        self.config.write_text(
            f"""
            [home]
            data_directory = "{self.directory}/data"
            listen = "127.0.0.1:{self.port}"
            credentials_directory = "{credentials}"
            trust_directory = "{self.pki}/trust"
            {self.home_settings}
            [broker]
            host = "{address.host}"
            port = {address.port}
            virtual_host = "{address.virtual_host}"
            user = "home"
            password_credential = "broker.password"
            [[registries]]
            id = "{HOME}"
            [[registries]]
            id = "{OTHER_HOME}"
            [[tokens]]
            id = "system"
            sha256 = "{sha256(TOKEN.encode()).hexdigest()}"
            roles = ["submit", "read", "operate"]
            registries = ["*"]
            [[callbacks]]
            name = "records"
            url = "http://127.0.0.1:{self.callback_port}/callbacks"
            secret_credential = "callback.secret"
            addresses = ["127.0.0.1/32"]
            plain_http = true
            """
        )


def until(condition: Callable[[], bool], timeout_seconds: float = 30) -> bool:
    """Return whether the condition came true in time."""
    give_up = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > give_up:
            return False
        time.sleep(0.02)
    return True


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
