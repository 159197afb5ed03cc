"""A grant is what both sides signed and neither withdrew; everything else grants nothing, whatever lies in the directory."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spooler.seal import rotation
from spooler.seal.rotation import KeyUse
from spooler.wire import grant_files, strict
from spooler.wire.granting import CannotGrant, GrantDesk
from spooler.wire.grants import (
    GRANT_TYPE,
    WITHDRAWAL_TYPE,
    GrantFile,
    Judged,
    Mark,
    Named,
    Side,
    SignedGrant,
    Withdrawal,
    judge,
)
from spooler.wire.keys import SigningKey
from spooler.wire.signed import countersign, sign
from spooler.wire.trust import grant_keys, load_records, load_trust
from tests.granting import KINDS, PAIR, People, a_signed_office
from tests.sealing import HALL, HOME, NOW, OTHER_HALL, OTHER_HOME, Office

FIRST, SECOND = f"{HOME}.{HALL}.1.json", f"{HOME}.{HALL}.2.json"
BOTH = pytest.mark.parametrize("side", list(Side))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return a_signed_office(tmp_path_factory.mktemp("office") / "pki")


@pytest.fixture
def people(office: Office, tmp_path: Path) -> People:
    return People.with_a_copy(office, tmp_path / "trust")


def judged(people: People, remembered: dict[tuple[str, str], Mark] | None = None) -> Judged:
    keys = grant_keys(load_records(people.trust))
    return judge(grant_files.read(people.trust), keys, remembered or {})


def is_granted(people: People, remembered: dict[tuple[str, str], Mark] | None = None) -> bool:
    return PAIR in judged(people, remembered).agreed


def faults(people: People, remembered: dict[tuple[str, str], Mark] | None = None) -> list[tuple[str, str]]:
    return [(fault.file, fault.code) for fault in judged(people, remembered).faults]


def test_a_grant_that_both_signed_holds_from_its_first_to_its_last_day(people: People):
    people.agree_anew(not_before=NOW, not_after=NOW + timedelta(days=10), kinds=["proof"])
    trust = load_trust(people.trust)

    assert trust.may_print(HOME, HALL, "proof", NOW)
    assert not trust.may_print(HOME, HALL, "certificate", NOW), "only what it names"
    assert trust.may_print(HOME, OTHER_HALL, "certificate", NOW), "other pairs have theirs"
    for outside in (NOW - timedelta(seconds=1), NOW + timedelta(days=10, seconds=1)):
        assert not trust.may_print(HOME, HALL, "proof", outside)


@BOTH
def test_what_one_side_signed_is_an_offer_and_the_grant_before_it_goes_on(people: People, side: Side):
    people.offers(side, kinds=["proof"])

    assert judged(people).agreed[PAIR].sequence == 1
    assert faults(people) == [(SECOND, "one-signature")]


def test_without_any_grant_an_offer_is_none_and_is_named(people: People):
    people.file(FIRST).unlink()
    people.offers(Side.REGISTRY)

    assert not is_granted(people)
    assert faults(people) == [(FIRST, "one-signature")]


def changed(people: People, change: Callable[[dict], None], name: str = FIRST) -> None:
    """Change what a signed file says, and leave its signatures as they are."""
    envelope = json.loads(people.file(name).read_bytes())
    said = json.loads(b64decode(envelope["payload"]))
    change(said)
    envelope["payload"] = b64encode(strict.canonical(said)).decode()
    people.file(name).write_bytes(strict.canonical(envelope))


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said.update(kinds=["certificate", "banknote"]),
        lambda said: said.update(not_after="2099-01-01T00:00:00Z"),
        lambda said: said.update(sequence=2),
        lambda said: said.update(hall=OTHER_HALL),
    ],
    ids=["kinds", "until", "sequence", "hall"],
)
def test_a_grant_that_was_changed_after_signing_is_none_and_is_named(people: People, change):
    changed(people, change)

    assert not is_granted(people)
    assert faults(people) == [(FIRST, "not-believed")]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"payload":1}', b"\xff" * 9, b"[" * 9000], ids=repr)
def test_a_file_that_is_no_grant_is_named_and_stops_no_other(people: People, content: bytes):
    people.file(FIRST).write_bytes(content)

    assert not is_granted(people)
    assert (OTHER_HOME, HALL) in judged(people).agreed
    assert faults(people) == [(FIRST, "not-believed")]


def test_no_flipped_bit_makes_another_grant_of_it(people: People):
    """Whatever is changed, it says the same as before or nothing at all."""
    genuine, content = judged(people).agreed[PAIR], people.file(FIRST).read_bytes()
    keys = grant_keys(load_records(people.trust))
    for place in range(len(content)):
        flipped = bytearray(content)
        flipped[place] ^= 1 << place % 8
        found = judge([GrantFile(FIRST, bytes(flipped))], keys, {})

        assert found.agreed.get(PAIR, genuine) == genuine
        assert bool(found.agreed) is not bool(found.faults)


@given(
    content=st.binary(max_size=200)
    | st.text().map(str.encode)
    | st.from_regex(r"\{.{0,80}\}", fullmatch=True).map(str.encode)
)
@settings(max_examples=200, deadline=None)
def test_no_rubbish_is_an_accident(office: Office, content: bytes):
    keys = grant_keys(office.trust)
    for name in (FIRST, f"{HOME}.{HALL}.1.withdrawn-by-hall.json", "rubbish"):
        found = judge([GrantFile(name, content)], keys, {})

        assert (dict(found.agreed), len(found.faults)) == ({}, 1)


def test_a_record_that_holds_no_key_stops_nobody_else(people: People):
    record = load_records(people.trust).halls[HALL]
    broken = tuple(key.model_copy(update={"public_key": "no key"}) for key in record.grant_keys)
    (people.trust / f"halls/{HALL}.json").write_text(record.model_copy(update={"grant_keys": broken}).model_dump_json())

    assert not is_granted(people)
    assert (HOME, OTHER_HALL) in judged(people).agreed


def a_grant(**varied: object) -> SignedGrant:
    facts = {
        "registry": HOME,
        "hall": HALL,
        "sequence": 2,
        "kinds": KINDS,
        "not_before": NOW,
        "not_after": NOW + timedelta(days=9),
        "at": NOW,
    }
    return SignedGrant.model_validate(facts | varied)


def put(people: People, grant: SignedGrant, *keys: SigningKey, name: str = SECOND) -> None:
    envelope = sign(grant.to_bytes(), GRANT_TYPE, keys[0])
    for key in keys[1:]:
        envelope = countersign(envelope, GRANT_TYPE, key)
    people.file(name).write_bytes(envelope)


def test_a_stranger_signs_for_nobody(people: People):
    put(people, a_grant(), people.key(Side.REGISTRY), SigningKey.generate())

    assert judged(people).agreed[PAIR].sequence == 1
    assert faults(people) == [(SECOND, "not-believed")]


@BOTH
def test_the_key_of_the_other_pair_signs_nothing_here(people: People, office: Office, side: Side):
    """Another hall's, another registry's: each speaks for itself only."""
    places = {Side.REGISTRY: f"grants/{OTHER_HOME}.pem", Side.HALL: f"halls/{OTHER_HALL}/grant.pem"}
    other = SigningKey.from_pem((office.directory / places[side]).read_bytes())
    mine = people.key(Side.HALL if side is Side.REGISTRY else Side.REGISTRY)
    put(people, a_grant(), mine, other)

    assert faults(people) == [(SECOND, "not-believed")]


@BOTH
def test_a_daemons_own_key_grants_nothing(people: People, side: Side):
    """Whoever owns the machine of a home or of a hall widens no grant."""
    other = Side.HALL if side is Side.REGISTRY else Side.REGISTRY
    put(people, a_grant(), people.daily_key(side), people.key(other))

    assert judged(people).agreed[PAIR].sequence == 1
    assert faults(people) == [(SECOND, "not-believed")]


def test_one_side_twice_is_not_both(people: People):
    """A registry with two grant keys is still one side."""
    second = SigningKey.generate()
    record = load_records(people.trust).registries[HOME]
    keys = (*record.grant_keys, second.record("grant", NOW, NOW + timedelta(days=9)))
    (people.trust / f"registries/{HOME}.json").write_text(
        record.model_copy(update={"grant_keys": keys}).model_dump_json()
    )
    put(people, a_grant(), people.key(Side.REGISTRY), second)

    assert judged(people).agreed[PAIR].sequence == 1
    assert faults(people) == [(SECOND, "one-signature")]


def test_the_same_key_twice_is_not_two_signatures(people: People):
    envelope = json.loads(sign(a_grant().to_bytes(), GRANT_TYPE, people.key(Side.REGISTRY)))
    envelope["signatures"] *= 2
    people.file(SECOND).write_bytes(strict.canonical(envelope))

    assert faults(people) == [(SECOND, "not-believed")]


def test_a_grant_under_anothers_name_is_none(people: People):
    """A file says the same inside and outside, so that nobody moves one hall's grant to another."""
    people.file(f"{HOME}.{HALL}.7.json").write_bytes(people.file(FIRST).read_bytes())
    people.file("anything.json").write_bytes(people.file(FIRST).read_bytes())

    assert faults(people) == [(f"{HOME}.{HALL}.7.json", "not-believed"), ("anything.json", "not-believed")]
    assert judged(people).agreed[PAIR].sequence == 1


# Withdrawals


@BOTH
def test_either_side_withdraws_alone(people: People, side: Side):
    people.withdraws(side)

    assert not is_granted(people)
    assert judged(people).marks[PAIR] == Mark(agreed=1, withdrawn=1)
    assert faults(people) == []


@BOTH
def test_the_key_at_hand_is_enough_to_take_away(people: People, side: Side):
    """At night, without the key that lies in a safe."""
    GrantDesk(people.trust, side).withdraw(PAIR, at=NOW, key=people.daily_key(side))

    assert not is_granted(people)


@BOTH
def test_nobody_withdraws_for_another(people: People, side: Side):
    """Neither with the other side's key nor with a stranger's."""
    other = Side.HALL if side is Side.REGISTRY else Side.REGISTRY
    for key in (people.key(other), people.daily_key(other), SigningKey.generate()):
        said = Withdrawal(registry=HOME, hall=HALL, sequence=1, by=side, at=NOW)
        content = sign(said.to_bytes(), WITHDRAWAL_TYPE, key)
        grant_files.write(people.trust, Named(PAIR, 1, side), content)

        assert is_granted(people)
        assert faults(people) == [(f"{HOME}.{HALL}.1.withdrawn-by-{side}.json", "not-believed")]


def test_a_withdrawal_wins_over_all_up_to_its_sequence_and_over_none_beyond(people: People):
    people.agree_anew()
    people.withdraws(Side.HALL)
    assert not is_granted(people), "sequence 2 is withdrawn, and 1 does not come back"

    assert people.agree_anew().sequence == 3
    assert judged(people).agreed[PAIR].sequence == 3


def test_an_offer_is_withdrawn_too(people: People):
    """Whoever changed his mind before the other signed need not wait for that."""
    offered = people.offers(Side.REGISTRY)
    people.withdraws(Side.REGISTRY)
    content = countersign(people.file(SECOND).read_bytes(), GRANT_TYPE, people.key(Side.HALL))
    people.file(SECOND).write_bytes(content)

    assert offered.sequence == 2 and not is_granted(people)


def test_an_old_directory_put_back_revives_nothing(people: People):
    """The withdrawal's file is gone, the grant is back: who has seen it withdrawn remembers."""
    kept = people.file(FIRST).read_bytes()
    people.withdraws(Side.REGISTRY)
    remembered = dict(judged(people).marks)
    for file in people.trust.glob("grants/*"):
        file.unlink()
    people.file(FIRST).write_bytes(kept)

    assert is_granted(people), "who remembers nothing believes it"
    assert not is_granted(people, remembered)


def test_a_wider_grant_from_before_a_narrower_one_does_not_come_back(people: People):
    people.agree_anew(kinds=["proof"])
    remembered = dict(judged(people).marks)
    people.file(SECOND).unlink()

    assert not is_granted(people, remembered)
    assert faults(people, remembered) == [(FIRST, "older")]


# Keys


@BOTH
def test_a_changed_key_leaves_what_it_signed_a_revoked_one_takes_it_along(tmp_path: Path, side: Side):
    own = a_signed_office(tmp_path / "pki")
    people = People(own, own.directory / "trust")
    owner = PAIR[0] if side is Side.REGISTRY else PAIR[1]
    old = people.key(side).kid
    rotation.issue(own.directory, owner, KeyUse.GRANT, now=NOW, overlap=timedelta(days=1))
    rotation.activate(own.directory, owner, KeyUse.GRANT)

    assert is_granted(people) and people.key(side).kid != old
    assert people.agree_anew(NOW + timedelta(days=30)).sequence == 2, "the new key signs"
    assert judged(people).agreed[PAIR].sequence == 2
    remembered = dict(judged(people).marks)

    rotation.revoke(own.directory, owner, KeyUse.GRANT, now=NOW, key_id=people.key(side).kid)
    assert not is_granted(people, remembered), "nor does the one before it come back"
    assert tuple(code for _, code in faults(people, remembered)) == ("not-believed", "older")


def test_a_key_that_had_ended_signs_nothing_new(people: People):
    record = load_records(people.trust).halls[HALL]
    ended = tuple(ended_soon(key) for key in record.grant_keys)
    (people.trust / f"halls/{HALL}.json").write_text(record.model_copy(update={"grant_keys": ended}).model_dump_json())

    assert is_granted(people), "what it signed before stays"
    put(people, a_grant(at=NOW + timedelta(days=2)), people.key(Side.REGISTRY), people.key(Side.HALL))
    assert faults(people) == [(SECOND, "not-believed")]


def ended_soon(key):
    return key.model_copy(update={"not_after": NOW + timedelta(days=1)})


# The desk


def test_a_desk_signs_only_for_its_own_side(people: People):
    for side, key in ((Side.REGISTRY, people.key(Side.HALL)), (Side.HALL, people.daily_key(Side.HALL))):
        with pytest.raises(CannotGrant, match="is no grant key of"):
            GrantDesk(people.trust, side).offer(
                PAIR, KINDS, not_before=NOW, not_after=NOW.replace(year=2030), at=NOW, key=key
            )


def test_an_offer_is_signed_only_if_it_can_be_believed(people: People):
    people.offers(Side.REGISTRY)
    changed(people, lambda said: said.update(kinds=["banknote"]), SECOND)
    desk = GrantDesk(people.trust, Side.HALL)

    with pytest.raises(CannotGrant, match="believed"):
        desk.agree(people.file(SECOND).read_bytes(), people.key(Side.HALL))
    with pytest.raises(CannotGrant, match="waits for the hall"):
        desk.waiting(PAIR)


@pytest.mark.parametrize(
    "varied",
    [{"not_after": NOW - timedelta(days=1)}, {"kinds": []}, {"kinds": ["Not a kind"]}, {"pair": (HOME, "231299-01")}],
    ids=["ends before it begins", "no kind", "no word", "unknown hall"],
)
def test_what_cannot_be_a_grant_is_not_offered(people: People, varied):
    with pytest.raises(CannotGrant):
        people.offers(Side.REGISTRY, **varied)


def test_a_deployment_with_the_plain_list_is_moved_over_before_anything_is_signed(tmp_path: Path):
    """One signed grant in the folder would otherwise end all those of the list."""
    plain = Office.create(tmp_path / "pki")

    with pytest.raises(CannotGrant, match="sign-all"):
        GrantDesk(plain.directory / "trust", Side.REGISTRY)


def test_marks_only_rise():
    assert Mark(2, 3) == Mark(2, 1).raised(Mark(1, 3))
