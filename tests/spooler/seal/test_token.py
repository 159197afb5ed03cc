"""A registry's keys in a token: what they sign is believed as a file's signatures are, and a token that is away stops sealing alone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from typer.testing import CliRunner

from agents.verify import verify
from spooler.cli.pki import app
from spooler.daemon.settings import Credentials, SettingsError
from spooler.seal import rotation
from spooler.seal.authority import SealAlgorithm, fingerprint
from spooler.seal.key import SealKey, SealUnavailable
from spooler.seal.ring import SealRing
from spooler.seal.rotation import KeyUse
from spooler.seal.ticket import seal_order
from spooler.seal.token import REST_SECONDS, Token, TokenError, key_id
from spooler.settings import RegistrySection
from spooler.token_keys import TokenKeys
from spooler.wire.algorithms import algorithm_of
from spooler.wire.errors import BadSignature
from spooler.wire.files import AlreadyThere
from spooler.wire.keys import SigningKey
from tests.sealing import HALL, HOME, NOW, Office, a_pdf, address_of, some_facts
from tests.spooler.seal.softhsm import MODULE, PIN

ALGORITHMS = (SealAlgorithm.P_256, SealAlgorithm.RSA_2048)
CREDENTIALS = "home/credentials"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office.create(tmp_path / "pki")


def issue(office: Office, token: Token, use: KeyUse, algorithm: SealAlgorithm = SealAlgorithm.P_256) -> Path:
    rotation.issue(office.directory, HOME, use, now=NOW, token=token, algorithm=algorithm)
    return rotation.activate(office.directory, HOME, use)


def section(label: str) -> dict[str, object]:
    return {"module": MODULE, "token": label, "pin_credential": "token.pin"}


def keys(office: Office, label: str, **more: object) -> TokenKeys:
    """As a home reads them whose home.toml names the token."""
    pin = office.directory / CREDENTIALS / "token.pin"
    if not pin.exists():
        pin.write_text(PIN)
        pin.chmod(0o600)
    settings = {"seal_pkcs11": section(label), "ticket_pkcs11": section(label), **more}
    one = RegistrySection.model_validate({"id": HOME, **settings})
    return TokenKeys([one], Credentials(office.directory / CREDENTIALS))


def seal_of(office: Office, found: TokenKeys) -> SealKey:
    return found.seal(HOME, (office.directory / CREDENTIALS / f"{HOME}.seal.pem").read_bytes())


def ticket_key_of(office: Office, found: TokenKeys) -> SigningKey:
    return found.ticket(HOME, (office.directory / CREDENTIALS / f"{HOME}.ticket.public.pem").read_bytes())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_order_sealed_and_signed_in_a_token_is_believed_by_a_hall(office, token, label, algorithm):
    issue(office, token, KeyUse.SEAL, algorithm)
    issue(office, token, KeyUse.TICKET)
    found = keys(office, label)

    order = seal_order(some_facts(), a_pdf(), seal_key=seal_of(office, found), ticket_key=ticket_key_of(office, found))

    trust = Office(office.directory).trust
    verified = verify(order.contents, address_of(order.ticket), trust=trust, hall=HALL, now=NOW)
    assert verified.ticket.order_id == order.ticket.order_id
    found.close()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_a_token_signs_is_what_a_file_would_sign(token, algorithm):
    """One interface: the same check takes either, and neither another's data."""
    public = token.generate("a key", algorithm)

    signature = token.sign(public, b"data")

    algorithm_of(public).verify(public, b"data", signature)
    with pytest.raises(BadSignature):
        algorithm_of(public).verify(public, b"other data", signature)


def test_the_private_half_never_leaves_the_token(office, token):
    """Not in a file that is written, and not out of the token when it is asked for it."""
    import pkcs11

    public = token.generate("a key", SealAlgorithm.P_256)
    file = issue(office, token, KeyUse.SEAL)

    assert b"PRIVATE" not in file.read_bytes()
    assert x509.load_pem_x509_certificates(file.read_bytes())[0].subject
    (private,) = token._session.get_objects(
        {pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY, pkcs11.Attribute.ID: key_id(public)}
    )
    assert private[pkcs11.Attribute.SENSITIVE] and not private[pkcs11.Attribute.EXTRACTABLE]


def test_a_new_key_in_the_token_takes_the_place_of_a_file_and_of_the_one_before(office, token):
    """Both stay pinned; the file of before stays where it was."""
    before = fingerprint(office.seal_key().certificate)
    first = issue(office, token, KeyUse.SEAL).read_bytes()
    second = issue(office, token, KeyUse.SEAL).read_bytes()

    record = Office(office.directory).trust.registries[HOME]
    assert len(record.seal_fingerprints) == 3 and record.seal_fingerprints[0] == before
    assert first != second
    (former,) = (office.directory / CREDENTIALS).glob(f"{HOME}.seal.former-*.pem")
    assert former.read_bytes() == first
    assert (office.directory / CREDENTIALS / f"{HOME}.seal.p12").exists()


def test_no_second_key_is_made_while_one_waits(office, token):
    rotation.issue(office.directory, HOME, KeyUse.TICKET, now=NOW, token=token)

    with pytest.raises(AlreadyThere):
        rotation.issue(office.directory, HOME, KeyUse.TICKET, now=NOW, token=token)
    assert len(Office(office.directory).trust.registries[HOME].ticket_keys) == 2


def test_a_revoked_seal_of_a_token_stands_on_the_authoritys_list(office, token):
    file = issue(office, token, KeyUse.SEAL)
    certificate = x509.load_pem_x509_certificates(file.read_bytes())[0]

    rotation.revoke(office.directory, HOME, KeyUse.SEAL, now=NOW, key_id=fingerprint(certificate))

    listed = x509.load_pem_x509_crl((office.directory / "trust/ca.crl").read_bytes())
    assert listed.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None


def test_a_token_that_was_taken_out_stops_sealing_and_one_that_comes_back_starts_it(hsm, token, label, seconds):
    public = token.generate("a key", SealAlgorithm.P_256)
    assert token.is_there()
    hsm.take_out(label)

    with pytest.raises(TokenError) as gone:
        token.sign(public, b"data")
    assert gone.value.code in ("token-absent", "token-failed")
    assert not token.is_there()

    hsm.put_back(label)
    seconds.now += REST_SECONDS
    assert token.is_there()
    assert token.sign(public, b"data")


def test_a_wrong_pin_is_tried_once_and_never_again(token, pin_file, seconds):
    """A card that is asked a few times more with it locks itself for good."""
    pin_file.write_text("wrong")
    tried = []
    real = Token._look_for
    for _ in range(5):
        seconds.now += REST_SECONDS
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Token, "_look_for", lambda self, library: tried.append(1) or real(self, library))
            with pytest.raises(TokenError) as refused:
                token.generate("a key", SealAlgorithm.P_256)
        assert refused.value.code == "token-pin"
    assert tried == [1]

    pin_file.write_text(PIN)
    seconds.now += REST_SECONDS
    assert token.generate("a key", SealAlgorithm.P_256)


def test_a_key_that_is_not_in_the_token_is_said_so(token, office):
    stranger = office.seal_key().certificate.public_key()
    with pytest.raises(TokenError) as missing:
        token.sign(stranger, b"data")

    assert missing.value.code == "token-key"
    assert token.is_there()


def test_a_session_that_ended_is_opened_again_without_a_word(token):
    """Somebody logged the token out, or its cable was out for a moment."""
    public = token.generate("a key", SealAlgorithm.P_256)
    token._session.close()

    assert token.sign(public, b"data")


def test_a_token_that_failed_is_left_alone_for_a_moment(hsm, token, label, seconds):
    public = token.generate("a key", SealAlgorithm.P_256)
    hsm.take_out(label)
    with pytest.raises(TokenError):
        token.sign(public, b"data")
    hsm.put_back(label)

    with pytest.raises(TokenError):
        token.sign(public, b"data")
    seconds.now += REST_SECONDS
    assert token.sign(public, b"data")


def test_where_the_token_does_not_sign_nothing_is_sealed_and_the_reason_is_said(hsm, office, token, label):
    """`SealUnavailable`: the pipeline puts the job off with this code and an alarm, and the API answers 503."""
    issue(office, token, KeyUse.SEAL)
    issue(office, token, KeyUse.TICKET)
    token.close()
    found = keys(office, label)
    hsm.take_out(label)

    for sign in (lambda: seal_order(some_facts(), a_pdf(), seal_key=seal_of(office, found), ticket_key=office.ticket_key()),
                 lambda: ticket_key_of(office, found).sign(b"data")):  # fmt: skip
        with pytest.raises(SealUnavailable) as unavailable:
            sign()
        assert unavailable.value.code in ("token-absent", "token-failed")
    assert not found.are_there()
    hsm.put_back(label)


def test_a_certificate_for_another_key_than_the_tokens_never_seals(office, token, label):
    """The file says which key; the token has none such."""
    issue(office, token, KeyUse.SEAL)
    other = office.seal_key().certificate.public_bytes(serialization.Encoding.PEM)
    found = keys(office, label)

    with pytest.raises(SealUnavailable) as unavailable:
        seal_order(some_facts(), a_pdf(), seal_key=found.seal(HOME, other), ticket_key=office.ticket_key())
    assert unavailable.value.code == "token-key"
    found.close()


def test_a_new_certificate_in_its_place_is_used_without_a_restart(office, token, label):
    issue(office, token, KeyUse.SEAL)
    found = keys(office, label)
    names = {HOME: f"{HOME}.seal.pem"}
    ring = SealRing(names, read=Credentials(office.directory / CREDENTIALS).traced, clock=lambda: NOW, load=found.seal)
    before = ring[HOME].fingerprint

    issue(office, token, KeyUse.SEAL)

    assert ring[HOME].fingerprint != before
    found.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [({"module": "/nowhere/lib.so"}, "seal_pkcs11.module"), ({"pin_credential": "no.pin"}, "no.pin")],
)
def test_settings_that_cannot_be_are_told_at_the_start(office, label, change, said):
    with pytest.raises(SettingsError, match=said):
        keys(office, label, seal_pkcs11={**section(label), **change})


def test_a_home_without_a_token_never_loads_the_library():
    program = "import sys, spooler.app, spooler.token_keys; assert 'pkcs11' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stderr) == (0, "")


def called(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return done.exit_code, done.output


def test_the_command_makes_the_key_in_the_token_and_puts_it_in_use(office, label, pin_file):
    at = ("issue", "--dir", office.directory, "--registry", HOME, "--key", "seal")
    code, out = called(*at, "--pkcs11", MODULE, "--token", label, "--pin-file", pin_file, "--json")
    issued = json.loads(out)
    assert code == 0 and issued["file"].endswith(f"{HOME}.seal.next.pem")

    code, out = called(*at, "--activate", "--json")
    activated = json.loads(out)
    assert code == 0 and activated["file"].endswith(f"{HOME}.seal.pem") and "seal_pkcs11" in activated["next"]
    assert issued["id"] in Office(office.directory).trust.registries[HOME].seal_fingerprints


def test_a_token_that_cannot_be_used_makes_no_key_and_changes_no_trust(office, label, tmp_path):
    wrong = tmp_path / "wrong.pin"
    wrong.write_text("0000")
    before = Office(office.directory).trust.registries[HOME]
    at = ("issue", "--dir", office.directory, "--registry", HOME, "--key", "ticket", "--token", label)

    assert called(*at, "--pkcs11", MODULE, "--pin-file", wrong)[0] == 1
    assert called(*at, "--pkcs11", MODULE)[0] == 2
    assert called(*at[:6], "wrap", "--pkcs11", MODULE, "--token", label, "--pin-file", wrong)[0] == 2
    assert Office(office.directory).trust.registries[HOME] == before
