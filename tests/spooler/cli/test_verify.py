"""`certspool verify`: anybody with the trust directory can tell a genuine document."""

import json

import pytest
import typer
from typer.testing import CliRunner

from spooler.cli.verify import verify
from spooler.seal.seal import seal_document
from tests.sealing import HOLDER, HOME, OTHER_HOME, Office, a_pdf

app = typer.Typer()
app.command()(verify)


@pytest.fixture(scope="module")
def office(tmp_path_factory) -> Office:
    return Office.create(tmp_path_factory.mktemp("office") / "pki")


def say(office, tmp_path, document: bytes, *, trust=None):
    file = tmp_path / "document.pdf"
    file.write_bytes(document)
    return CliRunner().invoke(app, [str(file), "--trust", str(trust or office.directory / "trust"), "--json"])


def test_a_genuine_document_is_told_with_its_registry(office, tmp_path):
    """Which registry, which seal, which order: ids, and no person."""
    order = office.order()

    result = say(office, tmp_path, order.document)

    said = json.loads(result.stdout)
    assert result.exit_code == 0
    assert said["genuine"] and said["registry"] == HOME
    assert said["ticket"]["order_id"] == str(order.ticket.order_id)
    assert HOLDER not in result.stdout


def flipped(document: bytes) -> bytes:
    at = document.index(b"stream") + 20
    return document[:at] + bytes([document[at] ^ 1]) + document[at + 1 :]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (flipped, "signature-invalid"),
        (lambda document: document + b"\n", "bytes-after"),
        (lambda document: a_pdf(), "signature-count"),
        (lambda document: b"", "byte-rules"),
    ],
    ids=["flipped", "appended", "unsealed", "empty"],
)
def test_any_other_document_is_refused_by_its_code(office, tmp_path, change, code):
    result = say(office, tmp_path, change(office.order().document))

    assert result.exit_code == 3
    assert json.loads(result.stdout)["code"] == code


def test_another_registrys_seal_is_refused(office, tmp_path):
    """The ticket inside says whose seal it must be."""
    document = seal_document(a_pdf(), office.order().ticket.public_bytes(), office.seal_key(OTHER_HOME))

    assert json.loads(say(office, tmp_path, document).stdout)["code"] == "signer-not-pinned"


@pytest.mark.parametrize("ticket", [b"{}", b"[]", b"x", b'{"registry":"231221"}', b'{"registry":"1","issued_at":""}'])
def test_a_document_without_a_readable_ticket_is_refused(office, tmp_path, ticket):
    result = say(office, tmp_path, seal_document(a_pdf(), ticket, office.seal_key()))

    assert result.exit_code == 3


def test_a_stranger_to_the_deployment_is_refused(office, tmp_path):
    """A seal made by the same software elsewhere proves nothing here."""
    other = Office.create(tmp_path / "elsewhere")

    assert say(office, tmp_path, other.order().document).exit_code == 3


def test_a_directory_that_is_no_trust_is_a_failure_not_a_verdict(office, tmp_path):
    (tmp_path / "empty").mkdir()

    assert say(office, tmp_path, office.order().document, trust=tmp_path / "empty").exit_code == 1
