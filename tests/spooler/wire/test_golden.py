"""Version 1 of the wire, byte by byte: what is in these files must stay readable, and be written the same, for ever.

Until version 1 is frozen (design.md §5) a file here may change, with a note in the changelog. The private keys were made for these
files and open nothing else.
"""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import get_args
from uuid import UUID

import pytest

from spooler.wire import signed, strict
from spooler.wire.addresses import headers, order_address
from spooler.wire.envelope import Address, Contents, unwrap
from spooler.wire.errors import BadEnvelope, BadMessage, BadSignature
from spooler.wire.keys import KeyRecord, WrapKey
from spooler.wire.letters import Delivery
from spooler.wire.messages import (
    CONTROL_TYPE,
    PRIVATE_TICKET_FIELDS,
    REPORT_TYPE,
    TICKET_TYPE,
    read_control,
    read_report,
    read_ticket,
)
from spooler.wire.messages import (
    Control as Controls,
)
from spooler.wire.messages import (
    Report as Reports,
)
from spooler.wire.topology import CONTROL_TYPE as CONTROL
from spooler.wire.topology import (
    CONTROLS,
    EVENT_TYPE,
    EVENTS,
    ORDER_TYPE,
    ORDERS,
    REPORTS,
    describe,
    to_hall,
    to_registry,
)
from spooler.wire.topology import REPORT_TYPE as REPORT

GOLDEN = Path(__file__).parent / "golden"
REPORT_FILES = sorted(GOLDEN.glob("report-*.json"))
CONTROL_FILES = sorted(GOLDEN.glob("control-*.json"))
READERS = [
    pytest.param(GOLDEN / "ticket.json", read_ticket, id="ticket"),
    pytest.param(GOLDEN / "ticket.renewal.json", read_ticket, id="ticket.renewal"),
    pytest.param(GOLDEN / "ticket.check-sheet.json", read_ticket, id="ticket.check-sheet"),
    pytest.param(GOLDEN / "ticket.seal-file.json", read_ticket, id="ticket.seal-file"),
    *(pytest.param(path, read_report, id=path.stem) for path in REPORT_FILES if ".signed" not in path.name),
    *(pytest.param(path, read_control, id=path.stem) for path in CONTROL_FILES if ".signed" not in path.name),
]
WHEN = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
ORDER = UUID("00000001-0000-4000-8000-000000000001")


def golden(name: str):
    return json.loads((GOLDEN / name).read_text())


def record(use: str) -> KeyRecord:
    return KeyRecord.model_validate(golden("keys.json")[use]["record"])


def the_address() -> Address:
    return Address("231221", "231282-01", ORDER, record("wrap").kid)


def test_every_kind_has_a_golden_file():
    """A new kind of report or control comes with its file."""
    kinds = {f"report-{kind.model_fields['kind'].default}" for kind in get_args(get_args(Reports)[0])}
    kinds |= {f"control-{kind.model_fields['kind'].default}" for kind in get_args(get_args(Controls)[0])}

    assert kinds == {case.id.partition(".")[0] for case in READERS} - {"ticket"}


@pytest.mark.parametrize("path, read", READERS)
def test_a_message_is_read_and_written_the_same(path, read):
    """Canonical bytes have not changed: signatures and hash chains of old messages still fit."""
    written = strict.canonical(golden(path.name))

    assert written == read(written).to_bytes()


@pytest.mark.parametrize("path, read", READERS)
def test_a_field_that_a_reader_does_not_know_is_ignored(path, read):
    """A newer other side may say more, at any depth."""
    message = golden(path.name)
    more = {key: _with_more(value) for key, value in message.items()} | {"from_a_later_release": {"a": [1]}}

    assert read(strict.canonical(message)) == read(strict.canonical(more))


def _with_more(value):
    if isinstance(value, dict):
        return {**value, "from_a_later_release": True}
    return [_with_more(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("path, read", READERS)
def test_a_key_that_stands_twice_is_refused(path, read):
    """Two parsers could read it in two ways."""
    text = strict.canonical(golden(path.name))

    with pytest.raises(BadMessage, match="twice"):
        read(b'{"version":1,' + text[1:])


@pytest.mark.parametrize("path, read", READERS)
@pytest.mark.fault_row("F44")
def test_another_version_is_refused(path, read):
    """A field that changes the meaning of others makes a new version, which this reader must not guess at (F44)."""
    with pytest.raises(BadMessage, match="version"):
        read(strict.canonical(golden(path.name) | {"version": 2}))


@pytest.mark.parametrize("path, read", READERS)
def test_a_message_without_one_of_its_ids_is_refused(path, read):
    message = golden(path.name)
    for key in ("hall", "registry"):
        with pytest.raises(BadMessage, match=key):
            read(strict.canonical({k: v for k, v in message.items() if k != key}))


@pytest.mark.parametrize("bad", [b"[]", b"null", b"{", b'{"a":NaN}', b"\xff", b"[" * 5000], ids=repr)
def test_what_is_no_object_is_refused(bad):
    for read in (read_ticket, read_report, read_control):
        with pytest.raises(BadMessage):
            read(bad)


def test_a_refusal_does_not_repeat_what_was_wrong():
    """The value may be a person's name, and the message goes to a log."""
    with pytest.raises(BadMessage) as refused:
        read_ticket(strict.canonical(golden("ticket.json") | {"holder": ["王小明"]}))

    assert "holder" in str(refused.value) and "王小明" not in str(refused.value)


def test_what_is_embedded_in_a_document_names_nobody():
    """The document shows its face; the parties travel only inside the envelope."""
    ticket = golden("ticket.json")
    embedded = (GOLDEN / "ticket.public.json").read_bytes()

    assert embedded == read_ticket(strict.canonical(ticket)).public_bytes()
    assert set(ticket) - set(PRIVATE_TICKET_FIELDS) == set(json.loads(embedded))
    assert ticket["holder"].encode() not in embedded and b"id_number" not in embedded


@pytest.mark.parametrize(
    "name, plain, payload_type, use",
    [
        ("ticket.signed.json", "ticket.json", TICKET_TYPE, "ticket"),
        ("report-received.signed.json", "report-received.json", REPORT_TYPE, "report"),
        ("control-cancel.signed.json", "control-cancel.json", CONTROL_TYPE, "ticket"),
    ],
)
def test_a_signed_message_opens(name, plain, payload_type, use):
    payload = signed.open_signed((GOLDEN / name).read_bytes(), payload_type, keys=[record(use)], use=use, at=WHEN)

    assert strict.canonical(golden(plain)) == payload


def test_a_signed_control_does_not_pass_for_a_report():
    """The type is signed with the payload."""
    with pytest.raises(BadMessage):
        signed.open_signed(
            (GOLDEN / "control-cancel.signed.json").read_bytes(),
            REPORT_TYPE,
            keys=[record("ticket")],
            use="ticket",
            at=WHEN,
        )


def test_a_ticket_key_signs_no_reports():
    with pytest.raises(BadSignature):
        signed.open_signed(
            (GOLDEN / "report-received.signed.json").read_bytes(),
            REPORT_TYPE,
            keys=[record("report")],
            use="ticket",
            at=WHEN,
        )


def test_a_wrapped_order_opens_for_its_hall():
    key = WrapKey.from_pem(golden("keys.json")["wrap"]["private"].encode())

    contents = unwrap((GOLDEN / "order.wrapped").read_bytes(), the_address(), key)

    document = (GOLDEN / "document.pdf").read_bytes()
    assert Contents((GOLDEN / "ticket.signed.json").read_bytes(), document) == contents
    assert golden("ticket.json")["document_sha256"] == sha256(document).hexdigest()


@pytest.mark.parametrize(
    "part, other", [("registry", "231202"), ("hall", "231283-01"), ("order_id", UUID(int=9)), ("kid", "0")]
)
@pytest.mark.attack_row("S17", "S18")
def test_a_wrapped_order_does_not_open_under_another_address(part, other):
    """Moved to another hall, registry, order or key it stays shut (S18)."""
    key = WrapKey.from_pem(golden("keys.json")["wrap"]["private"].encode())
    address = Address(**{**asdict(the_address()), part: other})

    with pytest.raises(BadEnvelope):
        unwrap((GOLDEN / "order.wrapped").read_bytes(), address, key)


LETTERS = {
    "order": (ORDERS, to_hall("231221", "231282-01"), ORDER_TYPE, {"hall": "231282-01", "order_id": ORDER}, "wrap"),
    "control": (CONTROLS, to_hall("231221", "231282-01"), CONTROL, {"hall": "231282-01", "order_id": ORDER}, "ticket"),
    "report": (REPORTS, to_registry("231282-01", "231221"), REPORT, {"hall": "231282-01", "order_id": ORDER}, "report"),
    "heartbeat": (REPORTS, to_registry("231282-01", "231221"), REPORT, {"hall": "231282-01"}, "report"),
    "event": (EVENTS, "231221.job.received", EVENT_TYPE, {}, None),
}


@pytest.mark.parametrize("name", golden("letters.json"))
def test_letters_are_addressed_as_ever(name):
    """Exchange, key, type and headers: ids only."""
    exchange, key, type, ids, use = LETTERS[name]
    kid = record(use).kid if use else None

    found = {
        "exchange": exchange,
        "routing_key": key,
        "type": type,
        "headers": headers(registry="231221", kid=kid, **ids),
    }

    assert golden("letters.json")[name] == found


def a_delivery(found) -> Delivery:
    return Delivery("x", "order", b"", found, "hall.231282-01", "231221.231282-01", False, (object(), 1))


def test_the_address_of_an_order_is_read_back():
    assert the_address() == order_address(a_delivery(golden("letters.json")["order"]["headers"]))


@pytest.mark.parametrize(
    "wrong",
    [{"v": 2}, {"v": None}, {"order_id": "1"}, {"order_id": 5}, {"kid": ""}, {"hall": None}, {"registry": "x" * 65}],
    ids=str,
)
def test_an_order_whose_address_cannot_be_read_is_refused(wrong):
    """Refused as a message, never an accident: headers come from outside."""
    with pytest.raises(BadMessage):
        order_address(a_delivery({**golden("letters.json")["order"]["headers"], **wrong}))


def test_the_topology_is_as_ever():
    """Queues and limits that stand on brokers already: a change here needs a word on how to get there."""
    found = asdict(describe(["231221", "231202"], ["231282-01", "231283-01"]))

    assert golden("topology.json") == json.loads(json.dumps(found))
