"""`certspool broker apply` and `check`, as an operator runs them against a real RabbitMQ."""

import itertools
import json
import stat
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from spooler.cli.broker import app
from spooler.seal import pki
from spooler.wire.link import BrokerAddress, PikaLink
from spooler.wire.topology import hall_queue, hall_user, registry_queue

REGISTRY, HALL = "231221", "231282-01"
_numbers = itertools.count(1)

HOME = """
[home]
data_directory = "{place}/home"
trust_directory = "{place}/pki/trust"
credentials_directory = "{place}/pki/home/credentials"
[broker]
port = {port}
virtual_host = "{host}"
user = "home-{host}"
password_credential = "broker.password"
[[registries]]
id = "231221"
"""


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Keys and trust of one registry and one hall."""
    place = tmp_path_factory.mktemp("broker-cli")
    registry = pki.NewRegistry(id=REGISTRY, name="望奎县", province="黑", place="望奎县")
    pki.init(place / "pki", [registry], [pki.NewHall(id=HALL, name="海伦市 01")], now=datetime.now(UTC))
    return place


@pytest.fixture
def private(keys):
    """Write a secret file."""

    def write(path: str, text: str):
        (keys / path).write_text(text)
        (keys / path).chmod(0o600)
        return keys / path

    return write


@pytest.fixture
def installation(keys, broker, private):
    """Return the command line's common options for a virtual host of its own."""
    host = f"cli-{next(_numbers)}"
    (keys / "home.toml").write_text(HOME.format(place=keys, port=broker.amqp_port, host=host))
    private("pki/home/credentials/broker.password", "of the home")
    password = private("admin.password", broker.password + "\n")
    options = [
        "--config",
        str(keys / "home.toml"),
        "--management",
        broker.management_url,
        "--password-file",
        str(password),
    ]
    return host, options


def run(*arguments: str):
    return CliRunner().invoke(app, list(arguments))


def test_apply_makes_a_broker_on_which_both_sides_can_talk(installation, broker, keys):
    """Passwords of halls are made where the halls' other credentials lie, for the owner alone."""
    host, options = installation
    assert run("check", *options).exit_code == 1

    applied = run("apply", *options, "--halls-directory", str(keys / "pki" / "halls"))

    assert applied.exit_code == 0, applied.output
    assert run("check", *options).exit_code == 0
    password = keys / "pki" / "halls" / HALL / "credentials" / "broker.password"
    assert stat.S_IMODE(password.stat().st_mode) == 0o600
    for user, secret, queue in (
        (f"home-{host}", "of the home", registry_queue(REGISTRY)),
        (hall_user(HALL), password.read_text(), hall_queue(HALL)),
    ):
        link = PikaLink(BrokerAddress("127.0.0.1", broker.amqp_port, host, user, secret), [queue])
        link.open()
        link.close()


def test_applying_again_keeps_the_halls_passwords(installation, broker, keys):
    """Halls run on while the home is changed."""
    host, options = installation
    halls = ("--halls-directory", str(keys / "pki" / "halls"))
    password = keys / "pki" / "halls" / HALL / "credentials" / "broker.password"
    run("apply", *options, *halls)
    before = password.read_text()

    run("apply", *options, *halls)
    run("apply", *options)

    assert password.read_text() == before
    PikaLink(BrokerAddress("127.0.0.1", broker.amqp_port, host, hall_user(HALL), before)).open()


def test_check_names_each_difference_for_people_and_for_programs(installation, broker):
    host, options = installation
    run("apply", *options)
    with broker.management(host) as management:
        management.delete_queue(hall_queue(HALL))

    told, parsed = run("check", *options), run("check", *options, "--json")

    assert (told.exit_code, parsed.exit_code) == (1, 1)
    assert f"queue {hall_queue(HALL)} is missing" in told.output
    answer = json.loads(parsed.output)
    assert not answer["ok"] and f"queue {hall_queue(HALL)} is missing" in answer["differences"]


def test_a_wrong_administrator_password_is_refused(installation, private):
    _, options = installation
    private("admin.password", "wrong")

    told = run("check", *options)

    assert told.exit_code == 3
    assert "password" in told.output


def test_a_broker_that_is_away_is_not_reachable(installation):
    _, options = installation
    options[options.index("--management") + 1] = "http://127.0.0.1:1"

    assert run("check", *options).exit_code == 4


@pytest.mark.parametrize("what", ["home.toml", "admin.password"])
def test_a_missing_file_is_wrong_usage(installation, what, keys):
    _, options = installation
    options = [option.replace(what, f"missing-{what}") for option in options]

    told = run("check", *options)

    assert told.exit_code == 2
    assert f"missing-{what}" in told.output


def test_an_administrator_password_that_others_can_read_is_refused(installation, keys):
    _, options = installation
    (keys / "admin.password").chmod(0o644)

    told = run("apply", *options)

    assert told.exit_code == 2
    assert "0644" in told.output


@pytest.mark.parametrize("command", ["apply", "check"])
def test_each_command_has_an_example(command):
    assert "Example: certspool broker" in run(command, "--help").output


def test_no_password_is_ever_printed(installation, broker):
    _, options = installation

    output = run("apply", *options).output + run("check", *options, "--json").output

    assert broker.password not in output and "of the home" not in output
