"""A callback goes where the settings permit, and nowhere else: whatever a URL, a name server or a receiver says.

The server of these tests is real and listens on loopback: whoever is not refused reaches it.
"""

import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from spooler.callback import CallbackSender, Target
from spooler.callback_address import AddressRefused, Allowed
from spooler.daemon.settings import SettingsError, load_settings
from spooler.settings import HomeSettings
from tests.spooler.core.conftest import Home
from tests.spooler.core.receiver import Receiver
from tests.spooler.core.test_settings import SMALLEST

SECRET = "whsec_bmV3LXNlY3JldC1uZXctc2VjcmV0"
PUBLIC = Allowed(plain_http=True)
OFFICE = Allowed((ip_network("10.20.0.0/16"),), plain_http=True)
EVERYTHING = Allowed((ip_network("0.0.0.0/0"), ip_network("::/0")), plain_http=True)
LOOPBACK = Allowed((ip_network("127.0.0.1/32"),), plain_http=True)

INSIDE = [
    "127.0.0.1",
    "127.8.8.8",
    "169.254.169.254",
    "0.0.0.0",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:169.254.169.254]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[fe80::1]",
    "[ff02::1]",
    "255.255.255.255",
    "224.0.0.1",
]
ODD = [
    "0",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "017700000001",
    "127.1",
    "127.0.1",
    "127.0.0.1.",
    "0x",
]
LOCAL = ["localhost", "LOCALHOST", "localhost.", "records.localhost", "ip6-localhost"]
CONFUSING = [
    "http://records.example@127.0.0.1/",
    "http://127.0.0.1\\@records.example/",
    "http://records.example/#@127.0.0.1",
    "http://１２７.0.0.1/",
    "http://①②⑦.0.0.1/",
    "http://records。example/",
    "http://records example/",
    "http://records.example\n/",
    "http:///callbacks",
    "http://[::1/",
    "http://[fe80::1%25lo]/",
    "http://records.example:0/",
    "http://records.example:99999/",
    "ftp://records.example/",
    "file:///etc/passwd",
    "http://-records.example/",
]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.close()


@pytest.fixture
def names(monkeypatch) -> Callable[..., None]:
    """Let names be found at the addresses given, a set for each look-up and the last one from then on."""
    original = socket.getaddrinfo

    def answer(**found: list[list[str]]) -> None:
        def getaddrinfo(host, port, *args, **kwargs):
            rounds = found.get(str(host).replace(".", "_"))
            if rounds is None:
                return original(host, port, *args, **kwargs)
            addresses = rounds.pop(0) if len(rounds) > 1 else rounds[0]
            return [(_family(one), socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    return answer


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET if ip_address(address).version == 4 else socket.AF_INET6


def _told(home: Home, url: str, allowed: Allowed, authorities: ssl.SSLContext | None = None) -> str | None:
    """Tell one event; return why it was not taken."""
    home.accept()
    target = Target("records", url, (SECRET,), allowed, authorities)
    sender = CallbackSender(store=home.store, target=target, clock=home.clock, limit_seconds=3)
    sender.tell_due()
    sender.stop()
    waiting = home.store.callbacks.pending("records")
    return waiting[0].last_error if waiting else None


@pytest.mark.attack_row("S36")
@pytest.mark.parametrize("allowed", [PUBLIC, OFFICE, EVERYTHING], ids=["public", "office", "everything"])
@pytest.mark.parametrize("host", [*INSIDE, *ODD, *LOCAL])
def test_an_inside_address_is_refused_in_whatever_form_it_is_written(host: str, allowed: Allowed) -> None:
    """Also where the list says 0.0.0.0/0: this machine and its neighbours are meant only by who names them."""
    with pytest.raises(AddressRefused):
        allowed.check(f"http://{host}:8600/callbacks")


@pytest.mark.attack_row("S36")
@pytest.mark.parametrize("url", CONFUSING)
def test_an_address_that_readers_read_differently_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        EVERYTHING.check(url)


@pytest.mark.attack_row("S36")
@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('url = "http://records.example/"', "plain_http"),
        ('url = "https://127.0.0.1/"', "addresses"),
        ('url = "https://169.254.169.254/latest"', "addresses"),
        ('url = "https://[::1]/"', "addresses"),
        ('url = "https://[::ffff:127.0.0.1]/"', "addresses"),
        ('url = "https://0/"', "usual form"),
        ('url = "https://2130706433/"', "usual form"),
        ('url = "https://0177.0.0.1/"', "usual form"),
        ('url = "https://localhost/"', "this machine"),
        ('url = "https://10.21.0.1/"\naddresses = ["10.20.0.0/16"]', "addresses"),
        ('url = "https://10.20.0.1/"', "addresses"),
        ('url = "https://records.example/"\naddresses = ["10.20.0.1/16"]', "addresses"),
    ],
)
def test_a_home_does_not_start_with_such_an_endpoint(tmp_path: Path, line: str, why: str) -> None:
    """Refused at config: the sentence names the setting."""
    with pytest.raises(SettingsError, match=why):
        _load(tmp_path, line)


@pytest.mark.parametrize(
    "line",
    [
        'url = "https://records.example/callbacks"',
        'url = "https://1.1.1.1/"',
        'url = "https://10.20.3.4:8443/"\naddresses = ["10.20.0.0/16"]',
        'url = "https://[fd00:20::4]/"\naddresses = ["fd00:20::/32"]',
        'url = "http://127.0.0.1:9000/"\naddresses = ["127.0.0.1/32"]\nplain_http = true',
        'url = "https://localhost/"\naddresses = ["127.0.0.0/8"]',
        'url = "https://xn--fiq228c.example/"',
    ],
)
def test_what_the_settings_permit_is_taken(tmp_path: Path, line: str) -> None:
    assert _load(tmp_path, line).callbacks[0].name == "records"


def _load(directory: Path, line: str) -> HomeSettings:
    (directory / "home.toml").write_text(
        f'{SMALLEST}\n[[callbacks]]\nname = "records"\nsecret_credential = "s"\n{line}\n'
    )
    return load_settings(HomeSettings, directory / "home.toml", {})


@pytest.mark.attack_row("S36")
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::ffff:127.0.0.1]", "0", "0.0.0.0", "2130706433", "0x7f.1", "localhost"]
)
def test_a_listener_on_this_machine_is_not_reached(home: Home, receiver: Receiver, host: str) -> None:
    """Refused at connect too, should a setting ever slip through."""
    assert _told(home, f"http://{host}:{receiver.port}/callbacks", EVERYTHING) == "address-refused"
    assert receiver.heard == []


@pytest.mark.attack_row("S36")
@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["::1"], ["0.0.0.0"], ["::ffff:127.0.0.1"], ["169.254.169.254"], ["10.21.0.1"], ["fe80::1"]],
)
def test_a_name_that_resolves_there_is_refused(home: Home, receiver: Receiver, names, addresses: list[str]) -> None:
    names(records_example=[addresses])

    assert _told(home, f"http://records.example:{receiver.port}/", OFFICE) == "address-refused"
    assert receiver.heard == []


@pytest.mark.attack_row("S36")
def test_a_name_that_turns_inside_between_two_look_ups_reaches_nothing(home: Home, receiver: Receiver, names) -> None:
    """DNS rebinding: what was judged is what is connected to, so a second answer is never asked for."""
    names(records_example=[["203.0.113.9"], ["127.0.0.1"]])
    narrow = Allowed((ip_network("203.0.113.9/32"),), plain_http=True)

    assert _told(home, f"http://records.example:{receiver.port}/", narrow) in ("ConnectError", "ConnectTimeout")
    assert receiver.heard == []


@pytest.mark.attack_row("S36")
def test_of_several_addresses_only_those_permitted_are_tried(home: Home, receiver: Receiver, names) -> None:
    names(records_example=[["::1", "10.99.0.1", "127.0.0.1"]])

    assert _told(home, f"http://records.example:{receiver.port}/", LOOPBACK) is None
    assert receiver.heard[0][0]["host"] == f"records.example:{receiver.port}"


def test_the_next_address_is_tried_when_one_does_not_answer(home: Home, receiver: Receiver, names) -> None:
    names(records_example=[["127.0.0.2", "127.0.0.1"]])  # nobody listens on the first

    allowed = Allowed((ip_network("127.0.0.0/8"),), plain_http=True)
    assert _told(home, f"http://records.example:{receiver.port}/", allowed) is None


@pytest.mark.attack_row("S36")
def test_a_redirect_to_the_inside_is_an_answer_and_no_more(home: Home, receiver: Receiver) -> None:
    """The receiver's Location says http://127.0.0.1/elsewhere, which would be permitted: even so nobody goes there."""
    receiver.answers = [307]

    assert _told(home, f"http://127.0.0.1:{receiver.port}/", LOOPBACK) == "http-307"
    assert len(receiver.heard) == 1


def test_a_name_that_nobody_knows_is_tried_again(home: Home, monkeypatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    assert _told(home, "http://records.example/", PUBLIC) == "ConnectError"


@pytest.mark.attack_row("S36")
@pytest.mark.parametrize(("certified", "error"), [("records.example", None), ("elsewhere.example", "ConnectError")])
def test_tls_is_checked_against_the_name_and_not_the_address(
    home: Home, names, tmp_path: Path, certified: str, error: str | None
) -> None:
    """Whoever bends the name to an address of the list still needs the name's certificate."""
    names(records_example=[["127.0.0.1"]])
    authority, chain = _certificate(tmp_path, certified)
    receiver = Receiver(chain)

    assert _told(home, f"https://records.example:{receiver.port}/", LOOPBACK, authority) == error
    assert len(receiver.heard) == (0 if error else 1)
    receiver.close()


def _certificate(directory: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return who trusts the certificate of that name, and who shows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "records")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (directory / "server.pem").write_bytes(pem + secret)
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(directory / "server.pem")
    return ssl.create_default_context(cadata=pem.decode()), shown
