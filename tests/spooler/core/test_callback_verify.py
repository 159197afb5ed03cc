"""A receiver with our verifier takes what home sent, once it is fresh and whole; all else is one error."""

import base64
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spooler.callback import Target
from spooler.callback_verify import NotGenuine, verify

SECRET, OTHER = "whsec_bmV3LXNlY3JldC1uZXctc2VjcmV0", "whsec_b2xkLXNlY3JldC1vbGQtc2VjcmV0"
NOW = datetime(2026, 5, 20, 2, tzinfo=UTC)
BODY = b'{"type":"job.received","data":{"job_id":"j"}}'


def headers(body: bytes = BODY, secrets: tuple[str, ...] = (SECRET,), at: datetime = NOW) -> dict[str, str]:
    return Target("records", "https://records.example/", secrets).headers("evt_1", body, at)


def test_what_home_signed_is_taken():
    assert verify(BODY, headers(), secrets=[SECRET], now=NOW)["type"] == "job.received"


@pytest.mark.parametrize("kept", [SECRET, OTHER])
def test_while_a_secret_is_exchanged_either_is_enough(kept):
    assert verify(BODY, headers(secrets=(SECRET, OTHER)), secrets=[kept], now=NOW)


def test_header_names_are_read_in_any_case():
    assert verify(BODY, {name.upper(): value for name, value in headers().items()}, secrets=[SECRET], now=NOW)


@pytest.mark.attack_row("S37")
@pytest.mark.parametrize("away", [timedelta(minutes=5, seconds=1), -timedelta(minutes=5, seconds=1)])
def test_a_callback_of_another_time_is_refused(away):
    """Replayed later than five minutes, or dated ahead to be replayed later."""
    assert verify(BODY, headers(at=NOW - away / 1.1), secrets=[SECRET], now=NOW)
    with pytest.raises(NotGenuine):
        verify(BODY, headers(at=NOW - away), secrets=[SECRET], now=NOW)


@pytest.mark.attack_row("S37")
@pytest.mark.parametrize("body", [BODY + b" ", BODY.replace(b"received", b"issued  "), b"", b"{}", b"\xff\xfe"])
def test_a_changed_body_is_refused(body):
    with pytest.raises(NotGenuine):
        verify(body, headers(), secrets=[SECRET], now=NOW)


@pytest.mark.attack_row("S37")
@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp"])
def test_a_changed_id_or_time_is_refused(name):
    """They are signed with the body: an old event gets no new date."""
    given_ = headers()
    with pytest.raises(NotGenuine):
        verify(BODY, {**given_, name: given_[name] + "1"}, secrets=[SECRET], now=NOW + timedelta(0))


@pytest.mark.attack_row("S37")
def test_a_forged_callback_is_refused():
    with pytest.raises(NotGenuine):
        verify(BODY, headers(secrets=(OTHER,)), secrets=[SECRET], now=NOW)


GARBAGE = [
    "", " ", ",", "v1", "v1,", "v1,=", "v1,%%%", "v2,abc", "v1a,abc", "v1,a,b,c", "\x00", "v1," + "A" * 3000, "é", "𝟙", "٣",
    "-1", "1e9", "0x1", "1_000", "9" * 400, "nan", "inf", " 1716170400", "1716170400.0", "\ud800", "v1,\ud800", "v1," * 5000,
]  # fmt: skip


@pytest.mark.attack_row("S37")
@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_garbage_in_a_header_is_the_same_error(name):
    """And a header that is not there."""
    for value in GARBAGE:
        with pytest.raises(NotGenuine):
            verify(BODY, {**headers(), name: value}, secrets=[SECRET], now=NOW)
    with pytest.raises(NotGenuine):
        verify(BODY, {key: value for key, value in headers().items() if key != name}, secrets=[SECRET], now=NOW)


def test_garbage_beside_a_good_signature_does_no_harm():
    """Receivers must skip versions that they do not know."""
    good = headers()["webhook-signature"]
    for garbage in ("v1,%%%", "v2,abc", "v1,"):
        assert verify(BODY, {**headers(), "webhook-signature": f"{garbage} {good}"}, secrets=[SECRET], now=NOW)


@pytest.mark.attack_row("S37")
@pytest.mark.parametrize("body", [b"[]", b"1", b"no json", b"[" * 100_000, b"\xff"])
def test_a_signed_body_that_is_no_event_is_the_same_error(body):
    signed = _signed(body)
    with pytest.raises(NotGenuine):
        verify(body, signed, secrets=[SECRET], now=NOW)


@pytest.mark.attack_row("S37")
@pytest.mark.parametrize("secrets", [[], [""], ["whsec_"], ["whsec_%"]])
def test_without_a_secret_nothing_is_genuine(secrets):
    """An empty secret would let everybody sign."""
    stamp = str(int(NOW.timestamp()))
    empty = base64.b64encode(hmac.digest(b"", f"evt_1.{stamp}.".encode() + BODY, "sha256")).decode()
    forged = {"webhook-id": "evt_1", "webhook-timestamp": stamp, "webhook-signature": f"v1,{empty}"}
    with pytest.raises(NotGenuine):
        verify(BODY, forged, secrets=secrets, now=NOW)


@pytest.mark.attack_row("S37")
@given(st.binary(max_size=200), st.dictionaries(st.sampled_from(sorted(headers())), st.text(max_size=80)))
def test_whatever_comes_is_one_error(body, changed):
    with pytest.raises(NotGenuine):
        verify(body, {**headers(b"another body"), **changed}, secrets=[SECRET], now=NOW)


def _signed(body: bytes) -> dict[str, str]:
    stamp = str(int(NOW.timestamp()))
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    mac = base64.b64encode(hmac.digest(key, f"evt_1.{stamp}.".encode() + body, "sha256")).decode()
    return {"webhook-id": "evt_1", "webhook-timestamp": stamp, "webhook-signature": f"v1,{mac}"}
