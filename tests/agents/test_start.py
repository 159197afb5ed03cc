"""What keeps an agent from starting is told in one sentence that names the setting, exit code 1, and never as a traceback."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agents import app as joined
from agents import permit
from agents.cli import app
from tests.sealing import HALL, Office


@pytest.fixture(scope="module")
def office(tmp_path_factory) -> Office:
    return Office.create(tmp_path_factory.mktemp("office") / "pki")


@pytest.fixture(autouse=True)
def this_process(monkeypatch) -> None:
    """Signals and logging stay the tests' own."""
    monkeypatch.setattr(joined.lifecycle, "stop_on_signals", lambda stop: None)
    monkeypatch.setattr(joined.logs, "set_up", lambda: None)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


@pytest.fixture
def says(office: Office, tmp_path: Path) -> Callable[..., str]:
    """Start an agent with these settings; return what it says as it gives up."""

    def start(*, hall: str = "", broker: str = "", text: str | None = None, **changed: object) -> str:
        credentials = office.directory / "halls" / HALL / "credentials"
        (credentials / "broker.password").write_text("secret\n")
        (credentials / "broker.password").chmod(0o600)
        settings = {
            "data_directory": tmp_path / "data",
            "trust_directory": office.directory / "trust",
            "credentials_directory": credentials,
            **changed,
        }
        lines = "\n".join(f'{name} = "{value}"' for name, value in settings.items())
        (tmp_path / "hall.toml").write_text(
            text
            or f'[hall]\nid = "{HALL}"\n{lines}\n{hall}\n'
            f'[broker]\nport = 9\nuser = "hall"\npassword_credential = "broker.password"\n{broker}\n'
        )
        ended = CliRunner().invoke(app, ["serve", "--config", str(tmp_path / "hall.toml")])
        assert isinstance(ended.exception, SystemExit) and ended.exit_code == 1, ended.exception
        (sentence,) = ended.stderr.strip().splitlines()
        return sentence

    return start


def test_permits_in_memory(says, monkeypatch):
    """A restart would forget what was printed."""
    monkeypatch.setattr(permit, "filesystem_type", lambda path: "tmpfs")

    told = says()

    assert "hall.permit_directory" in told and "许可目录不可用" in told and "in memory" in told


def test_permits_where_no_directory_can_be(says, tmp_path):
    (tmp_path / "file").write_text("")

    assert "hall.permit_directory" in says(permit_directory=tmp_path / "file" / "permits")


@pytest.mark.attack_row("S41")
def test_a_credential_that_is_missing(says, tmp_path):
    (tmp_path / "none").mkdir()

    assert "credential" in says(credentials_directory=tmp_path / "none")


def test_a_key_that_is_none(says, office, tmp_path):
    keys = tmp_path / "keys"
    keys.mkdir()
    for name in ("report.pem", "wrap.pem", "broker.password"):
        (keys / name).write_text("rubbish\n")
        (keys / name).chmod(0o600)

    told = says(credentials_directory=keys)

    assert "hall.report_key_credential" in told and "rubbish" not in told


def test_settings_that_are_no_toml(says):
    assert "hall.toml" in says(text="[hall\n")


def test_trust_that_is_not_there(says, tmp_path):
    assert "hall.trust_directory" in says(trust_directory=tmp_path / "nothing")


def test_trust_that_is_torn(says, office, tmp_path):
    for folder in ("registries", "halls"):
        (tmp_path / "trust" / folder).mkdir(parents=True)
    (tmp_path / "trust" / "grants.json").write_text("[")
    (tmp_path / "trust" / "ca.pem").write_text("")

    assert "hall.trust_directory" in says(trust_directory=tmp_path / "trust")


def test_a_port_that_is_taken(says, taken):
    told = says(listen=f"127.0.0.1:{taken}")

    assert f"listen = 127.0.0.1:{taken}" in told and "in use" in told


def test_an_address_that_is_none(says):
    assert "listen = " in says(listen="nowhere")


def test_a_calibration_file_that_is_none(says, tmp_path):
    assert "hall.calibration_file" in says(calibration_file=tmp_path)


def test_a_data_directory_that_cannot_be(says, tmp_path):
    (tmp_path / "file").write_text("")

    assert "hall.data_directory" in says(data_directory=tmp_path / "file" / "data")


def test_a_second_agent(says, tmp_path):
    lock = joined.OneAgent(tmp_path / "data")
    try:
        assert "another agent" in says()
    finally:
        lock.release()
