"""What keeps a home from starting is told in one line that names the setting, and never as a traceback."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from spooler import app
from tests.sealing import HOME, Office


@pytest.fixture(autouse=True)
def this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signals and logging stay the tests' own."""
    monkeypatch.setattr("spooler.app.lifecycle.stop_on_signals", lambda stop: None)
    monkeypatch.setattr("spooler.app.logs.set_up", lambda: None)


@pytest.fixture
def says(office: Office, tmp_path: Path) -> Callable[..., str]:
    def start(*, text: str | None = None, **changed: object) -> str:
        credentials = office.directory / "home" / "credentials"
        (credentials / "broker.password").write_text("secret\n")
        (credentials / "broker.password").chmod(0o600)
        settings = {
            "data_directory": tmp_path / "data",
            "listen": "127.0.0.1:0",
            "trust_directory": office.directory / "trust",
            "credentials_directory": credentials,
            **changed,
        }
        lines = "\n".join(f'{name} = "{value}"' for name, value in settings.items())
        (tmp_path / "home.toml").write_text(
            text
            or f"[home]\n{lines}\n[broker]\nport = 9\n"
            f'user = "home"\npassword_credential = "broker.password"\n[[registries]]\nid = "{HOME}"\n'
        )
        with capture_logs() as logged:
            assert app.run(tmp_path / "home.toml") == 2
        (told,) = [one for one in logged if one["event"] == "cannot start"]
        assert "\n" not in told["error"] and "exc_info" not in told
        return str(told["error"])

    return start


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


def test_a_database_that_does_not_answer(says: Callable[..., str]) -> None:
    told = says(database_url="postgresql+psycopg://home:secret@127.0.0.1:9/home")

    assert "home.database_url" in told and "secret" not in told


def test_a_database_url_that_is_none(says: Callable[..., str]) -> None:
    assert "home.database_url" in says(database_url="nonsense")


def test_a_port_that_is_taken(says: Callable[..., str], taken: int) -> None:
    assert f"listen = 127.0.0.1:{taken}" in says(listen=f"127.0.0.1:{taken}")


@pytest.mark.attack_row("S41")
def test_a_credential_that_is_missing(says: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()

    assert "credential" in says(credentials_directory=tmp_path / "none")


def test_settings_that_are_no_toml(says: Callable[..., str]) -> None:
    assert "home.toml" in says(text="[home\n")


def test_trust_that_is_not_there(says: Callable[..., str], tmp_path: Path) -> None:
    assert "home.trust_directory" in says(trust_directory=tmp_path / "nothing")


def test_a_data_directory_that_cannot_be(says: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert "home.data_directory" in says(data_directory=tmp_path / "file" / "data")


def test_a_catalogue_of_items_with_a_fault(says: Callable[..., str], tmp_path: Path) -> None:
    """A site's own, and a kind of document that nobody knows: file, line and key."""
    own = tmp_path / "items.toml"
    own.write_text('[items]\nhouse = { name = "房屋", english = "House", yields = "booklet", source = "§20" }\n')

    assert f"home.items_file: 登记事项目录有误 · registration items: {own}:2: items.house.yields: " in says(
        items_file=own
    )
    assert "items.toml: No such file" in says(items_file=tmp_path / "none" / "items.toml")
