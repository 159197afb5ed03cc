"""Signed envelopes to the signature: how many there may be, by whom, and one kind of error for what is none."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from spooler.wire import strict
from spooler.wire.errors import BadMessage
from spooler.wire.keys import SigningKey
from spooler.wire.signed import MOST_SIGNATURES, countersign, open_by_all, open_signed, sign, signed_bytes

KIND = "application/vnd.certspool.report.v1+json"
NOW = datetime(2026, 5, 20, tzinfo=UTC)
KEYS = [SigningKey.generate() for _ in range(3)]
RECORDS = [key.record("report", NOW, NOW + timedelta(days=1)) for key in KEYS]
ONE = sign(b"payload", KIND, KEYS[0])
TWO = countersign(ONE, KIND, KEYS[1])


def changed(envelope: bytes, **members: object) -> bytes:
    return strict.canonical(json.loads(envelope) | members)


def opened(envelope: bytes) -> bytes:
    return open_signed(envelope, KIND, keys=RECORDS, use="report", at=NOW)


def test_a_letter_has_exactly_one_signature():
    """Else a reader would have to choose which of them to believe."""
    assert opened(ONE) == signed_bytes(ONE, KIND) == b"payload"
    for envelope in (changed(ONE, signatures=[]), TWO):
        with pytest.raises(BadMessage, match="not a signed"):
            opened(envelope)


def test_a_second_side_signs_beside_the_first_and_a_third_does_not():
    assert MOST_SIGNATURES == 2
    seen = []

    assert open_by_all(TWO, KIND, lambda payload, signed, one: seen.append(one[0]), max_bytes=10_000) == b"payload"
    assert seen == [KEYS[0].kid, KEYS[1].kid]
    with pytest.raises(BadMessage, match="of others already"):
        countersign(TWO, KIND, KEYS[2])


def test_whoever_signs_again_takes_the_place_of_his_own_signature():
    again = countersign(TWO, KIND, KEYS[0])

    assert {one["keyid"] for one in json.loads(again)["signatures"]} == {KEYS[0].kid, KEYS[1].kid}
    assert len(json.loads(countersign(ONE, KIND, KEYS[0]))["signatures"]) == 1


@pytest.mark.parametrize("signatures", [[], "twice", "three"])
def test_an_agreement_is_of_one_or_two_each_by_another_key(signatures):
    (first,) = json.loads(ONE)["signatures"]
    given = {"twice": [first, first], "three": [{**first, "keyid": str(n)} for n in range(3)]}.get(str(signatures), [])

    with pytest.raises(BadMessage, match="one or two signatures"):
        open_by_all(changed(ONE, signatures=given), KIND, lambda *_: None, max_bytes=10_000)


def test_a_signature_that_is_refused_refuses_the_whole():
    def check(payload, signed, one):
        if one[0] == KEYS[1].kid:
            raise BadMessage("not this one")

    with pytest.raises(BadMessage, match="not this one"):
        open_by_all(TWO, KIND, check, max_bytes=10_000)


@pytest.mark.parametrize(
    "members",
    [
        {"payload": 1},
        {"payload": "é"},
        {"payload": "abc"},
        {"signatures": 1},
        {"signatures": [1]},
        {"payloadType": "x"},
    ],
)
def test_what_is_no_envelope_is_one_error(members):
    with pytest.raises(BadMessage, match="not a signed"):
        opened(changed(ONE, **members))
    with pytest.raises(BadMessage):
        opened(b"[]")
