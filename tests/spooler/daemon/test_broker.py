"""`[broker]` in home.toml and hall.toml: one node, or the nodes of a cluster."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from spooler.daemon.broker import BrokerSection, certificate_end, read_address
from spooler.daemon.settings import Credentials, SettingsError
from spooler.seal import broker_keys


def a_section(**more) -> BrokerSection:
    return BrokerSection(user="home", password_credential="broker.password", **more)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, [("127.0.0.1", 5672)]),
        ({"host": "mq", "port": 5673}, [("mq", 5673)]),
        ({"nodes": ["mq-1:5672", "mq-2:5672"]}, [("mq-1", 5672), ("mq-2", 5672)]),
        ({"host": "mq-0", "nodes": ["mq-1:5672", "[::1]:5673"]}, [("mq-0", 5672), ("mq-1", 5672), ("::1", 5673)]),
        ({"host": "mq-1", "nodes": ["mq-1:5672", "mq-2:5672"]}, [("mq-1", 5672), ("mq-2", 5672)]),
    ],
    ids=["nothing said", "one node", "a cluster", "host beside nodes comes first", "none twice"],
)
def test_where_the_broker_is(given, expected):
    address = a_section(**given).address("secret")

    assert list(address.nodes) == expected


def test_a_node_that_is_none_is_a_mistake_to_be_told():
    with pytest.raises(ValidationError, match="mq-1"):
        a_section(nodes=["mq-1"])


def test_where_another_node_can_be_asked_none_is_waited_for_long():
    """F8: connected again within five seconds. A broker alone is waited for, slow as it may be."""
    alone, among_others = a_section().address("x"), a_section(nodes=["a:1", "b:2"]).address("x")

    assert among_others.connect_seconds + among_others.confirm_seconds < alone.confirm_seconds
    assert among_others.connect_seconds <= 2


# how both sides show who they are


@pytest.fixture
def keys(tmp_path) -> Path:
    """The home's key, and whom it believes."""
    broker_keys.add_home(tmp_path, "home", datetime.now(UTC))
    return tmp_path


def by_certificate(keys: Path, **more) -> BrokerSection:
    settings = {
        "user": "home",
        "authority_file": keys / "trust/broker-ca.pem",
        "certificate_credential": "home.broker.pem",
    }
    return BrokerSection(**{**settings, **more})


def credentials(keys: Path) -> Credentials:
    return Credentials(keys / "home/credentials", {})


def test_with_an_authority_the_port_is_that_of_tls(keys):
    assert by_certificate(keys).ways_in == (("127.0.0.1", 5671),)
    assert by_certificate(keys, port=7000).ways_in == (("127.0.0.1", 7000),)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"password_credential": "p", "certificate_credential": "c", "authority_file": "ca.pem"},
        {"certificate_credential": "c"},
        {"password_credential": "p", "server_name": "mq-1"},
    ],
    ids=["neither", "both", "a certificate without TLS", "a name without TLS"],
)
def test_settings_that_do_not_fit_together_are_told(said):
    with pytest.raises(ValidationError):
        BrokerSection(user="home", **said)


def test_by_certificate_there_is_no_password_and_the_files_are_found(keys):
    address = read_address(by_certificate(keys), credentials(keys))

    assert address.tls is not None and address.tls.certificate == keys / "home/credentials/home.broker.pem"
    assert address.password == ""
    end = certificate_end(address)
    assert end is not None and end > datetime.now(UTC) + timedelta(days=700)


@pytest.mark.parametrize("missing", ["trust/broker-ca.pem", "home/credentials/home.broker.pem"])
@pytest.mark.parametrize("how", ["gone", "not a certificate"])
def test_a_file_that_cannot_be_used_is_told_at_the_start(keys, missing, how):
    (keys / missing).unlink()
    if how == "not a certificate":
        (keys / missing).touch(mode=0o600)

    with pytest.raises(SettingsError, match=Path(missing).name):
        read_address(by_certificate(keys), credentials(keys))


@pytest.mark.attack_row("S41")
def test_a_key_at_the_broker_that_others_may_read_is_refused(keys):
    (keys / "home/credentials/home.broker.pem").chmod(0o640)

    with pytest.raises(SettingsError, match="0640"):
        read_address(by_certificate(keys), credentials(keys))


def test_a_certificate_of_somebody_else_is_told_at_the_start(keys):
    """The broker would only say that it refuses the letters."""
    with pytest.raises(SettingsError, match=r"'home'.*'north'"):
        read_address(by_certificate(keys, user="north"), credentials(keys))


@pytest.mark.parametrize(
    ("host", "warned"), [("127.0.0.1", False), ("::1", False), ("localhost", False), ("mq-1", True), ("10.0.0.5", True)]
)
def test_what_travels_in_the_open_is_warned_of_at_each_start(tmp_path, host, warned):
    """An installation from before goes on working."""
    password = tmp_path / "broker.password"
    password.touch(mode=0o600)
    password.write_text("secret\n")
    with capture_logs() as logs:
        address = read_address(a_section(host=host), Credentials(tmp_path, {}))

    assert (address.password, address.tls) == ("secret", None)
    assert [log["log_level"] for log in logs] == (["warning"] if warned else [])
