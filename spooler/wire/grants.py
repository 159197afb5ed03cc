"""Mutual grants (互授权限): which registry may print which kinds at which hall, signed by both; withdrawn by either. No input or output.

    offered (one signature) ─▶ agreed (both) ─▶ replaced by the next sequence, withdrawn by one side, or over at its end

Of a pair the grant with the highest sequence counts. A withdrawal wins over every grant of its sequence and below, for ever: what was
ever agreed or withdrawn is kept as a `Mark`, so that an old file put back revives nothing. docs/grants.md says why it is so.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from re import fullmatch
from typing import Annotated, Literal, TypeVar

from pydantic import Field, ValidationError, model_validator

from spooler.wire import strict
from spooler.wire.errors import BadMessage, BadSignature
from spooler.wire.keys import KeyRecord, check_signature
from spooler.wire.signed import Signature, open_by_all
from spooler.wire.words import Code, GrantSequence, HallId, Message, RegistryId, UtcTime

GRANT_TYPE = "application/vnd.certspool.grant.v1+json"
WITHDRAWAL_TYPE = "application/vnd.certspool.grant-withdrawal.v1+json"
MAX_BYTES = 16 << 10

Pair = tuple[str, str]  # registry, hall


class Side(StrEnum):
    """Who speaks."""

    REGISTRY = "registry"
    HALL = "hall"


# To give takes the key that is kept for it; to take away, any key of one's own that is at hand.
TAKES_AWAY: Mapping[Side, frozenset[str]] = {
    Side.REGISTRY: frozenset({"grant", "ticket"}),
    Side.HALL: frozenset({"grant", "report"}),
}


class SignedGrant(Message):
    """This registry may print these kinds at this hall, from then until then."""

    version: Literal[1] = 1
    registry: RegistryId
    hall: HallId
    sequence: GrantSequence
    kinds: Annotated[tuple[Code, ...], Field(min_length=1, max_length=16)]
    not_before: UtcTime
    not_after: UtcTime
    at: UtcTime  # when it was offered

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "SignedGrant":
        if self.not_after <= self.not_before:
            raise ValueError("it ends before it begins")
        return self

    @property
    def pair(self) -> Pair:
        return self.registry, self.hall

    def allows(self, kind: str, at: datetime) -> bool:
        return kind in self.kinds and self.not_before <= at <= self.not_after


class Withdrawal(Message):
    """One side's word that no grant of this sequence or below holds any more."""

    version: Literal[1] = 1
    registry: RegistryId
    hall: HallId
    sequence: GrantSequence
    by: Side
    at: UtcTime

    @property
    def pair(self) -> Pair:
        return self.registry, self.hall


@dataclass(frozen=True)
class Mark:
    """The highest sequences of a pair that were ever agreed and ever withdrawn, as far as one side has seen."""

    agreed: int = 0
    withdrawn: int = 0
    # The highest that a file in the hall's name withdraws: for the report of it, and not remembered.
    by_hall: int = field(default=0, compare=False)

    def raised(self, other: "Mark") -> "Mark":
        return Mark(
            max(self.agreed, other.agreed), max(self.withdrawn, other.withdrawn), max(self.by_hall, other.by_hall)
        )


@dataclass(frozen=True)
class SideKeys:
    """All key records of one registry or hall."""

    grant: Sequence[KeyRecord] = ()
    daily: Sequence[KeyRecord] = ()  # what its daemon signs with: tickets and controls, or reports


@dataclass(frozen=True)
class Keys:
    """Whose signatures are known."""

    registries: Mapping[str, SideKeys]
    halls: Mapping[str, SideKeys]

    def of(self, side: Side, pair: Pair) -> SideKeys:
        known, owner = (self.registries, pair[0]) if side is Side.REGISTRY else (self.halls, pair[1])
        return known.get(owner, SideKeys())


@dataclass(frozen=True)
class GrantFile:
    """One file of `trust/grants/`, as it was read."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Named:
    """What a file's name says of it."""

    pair: Pair
    sequence: int
    withdrawn_by: Side | None = None

    def file_name(self) -> str:
        ending = "" if self.withdrawn_by is None else f".withdrawn-by-{self.withdrawn_by}"
        return f"{self.pair[0]}.{self.pair[1]}.{self.sequence}{ending}.json"


@dataclass(frozen=True)
class Offer:
    """A grant as it lies there, and who has signed it."""

    grant: SignedGrant
    signed_by: frozenset[Side]

    @property
    def is_agreed(self) -> bool:
        return self.signed_by == frozenset(Side)


@dataclass(frozen=True)
class Fault:
    """A file that grants nothing, although somebody put it there for that."""

    file: str
    code: str  # one-signature, not-believed, misnamed, older
    why: str
    pair: Pair | None = None


@dataclass(frozen=True)
class Judged:
    """What the files and what is remembered come to."""

    agreed: Mapping[Pair, SignedGrant]  # the one that counts of each pair, whether or not this is its time
    marks: Mapping[Pair, Mark]
    faults: tuple[Fault, ...]
    offers: tuple[Offer, ...] = ()
    withdrawals: tuple[Withdrawal, ...] = ()


def read_name(name: str) -> Named | None:
    """Return what the name says; None for a file that is none of ours."""
    found = fullmatch(r"(\d{6})\.(\d{6}-\d{2})\.([1-9]\d{0,9})(?:\.withdrawn-by-(registry|hall))?\.json", name)
    if found is None:
        return None
    registry, hall, sequence, by = found.groups()
    return Named((registry, hall), int(sequence), None if by is None else Side(by))


def judge(files: Iterable[GrantFile], keys: Keys, remembered: Mapping[Pair, Mark]) -> Judged:
    """Read every file by itself, then let the highest sequence of each pair count, unless it was withdrawn or is an old one put back."""
    offers: list[Offer] = []
    withdrawals: list[Withdrawal] = []
    faults: list[Fault] = []
    for file in files:
        try:
            read = _read(file, keys)
        except (BadMessage, BadSignature, ValueError) as e:  # ValueError: a key record that holds no key
            faults.append(_fault(file.name, "not-believed", str(e)))
            continue
        if isinstance(read, Withdrawal):
            withdrawals.append(read)
        else:
            offers.append(read)
    marks = _marks(offers, withdrawals, remembered)
    agreed = {one.grant.pair: one.grant for one in offers if _counts(one, marks[one.grant.pair])}
    return Judged(agreed, marks, (*faults, *_idle(offers, marks)), tuple(offers), tuple(withdrawals))


def read_offer(content: bytes, keys: Keys) -> Offer:
    """Return the grant and whose valid signatures it has; BadMessage or BadSignature when any of it is not as it must be."""
    signed_by: set[Side] = set()

    def check(payload: bytes, to_be_signed: bytes, signature: Signature) -> None:
        signed_by.add(_signer(_parsed(payload, SignedGrant), keys, to_be_signed, signature))

    grant = _parsed(open_by_all(content, GRANT_TYPE, check, max_bytes=MAX_BYTES), SignedGrant)
    return Offer(grant, frozenset(signed_by))


def read_withdrawal(content: bytes, keys: Keys) -> Withdrawal:
    """Return the withdrawal that this is, signed by the side that it names; BadMessage or BadSignature otherwise."""

    def check(payload: bytes, to_be_signed: bytes, signature: Signature) -> None:
        said = _parsed(payload, Withdrawal)
        known = keys.of(said.by, said.pair)
        able = [key for key in (*known.grant, *known.daily) if key.use in TAKES_AWAY[said.by]]
        _check(able, to_be_signed, signature, said.at, f"the {said.by}")

    return _parsed(open_by_all(content, WITHDRAWAL_TYPE, check, max_bytes=MAX_BYTES), Withdrawal)


def _read(file: GrantFile, keys: Keys) -> Offer | Withdrawal:
    named = read_name(file.name)
    if named is None:
        raise BadMessage("the file is not named <registry>.<hall>.<sequence>.json")
    if named.withdrawn_by is not None:
        said = read_withdrawal(file.content, keys)
        is_as_named = Named(said.pair, said.sequence, said.by) == named
        found: Offer | Withdrawal = said
    else:
        offer = read_offer(file.content, keys)
        is_as_named = Named(offer.grant.pair, offer.grant.sequence) == named
        found = offer
    if not is_as_named:
        raise BadMessage("it is about another pair or sequence than its name says")
    return found


def _signer(grant: SignedGrant, keys: Keys, to_be_signed: bytes, signature: Signature) -> Side:
    """Return whose grant key made it. A changed key leaves its grants as they are, a revoked one takes them along."""
    for side in Side:
        able = [key for key in keys.of(side, grant.pair).grant if key.use == "grant" and key.revoked_at is None]
        if any(key.kid == signature[0] for key in able):
            _check(able, to_be_signed, signature, grant.at, f"the {side}")
            return side
    raise BadSignature(
        f"no grant key {signature[0][:16]} of {grant.registry} or {grant.hall} is known, or it is revoked"
    )


def _check(keys: Iterable[KeyRecord], to_be_signed: bytes, signature: Signature, at: datetime, whose: str) -> None:
    """A key that is younger than the offer may agree to it; one that had ended when it was made may not."""
    kid, made = signature
    for key in keys:
        if key.kid == kid:
            check_signature(to_be_signed, made, kid, [key], key.use, max(at, key.not_before))
            return
    raise BadSignature(f"not signed by a key of {whose}")


M = TypeVar("M", SignedGrant, Withdrawal)


def _parsed(payload: bytes, model: type[M]) -> M:
    try:
        return model.model_validate(strict.parse(payload, max_bytes=MAX_BYTES))
    except ValidationError as e:
        where = ", ".join(sorted({".".join(map(str, item["loc"])) or "all" for item in e.errors()}))
        raise BadMessage(f"not a version 1 grant or withdrawal: {where}") from None


def _marks(
    offers: Iterable[Offer], withdrawals: Iterable[Withdrawal], remembered: Mapping[Pair, Mark]
) -> dict[Pair, Mark]:
    seen = [(one.grant.pair, Mark(agreed=one.grant.sequence if one.is_agreed else 0)) for one in offers]
    seen += [
        (one.pair, Mark(withdrawn=one.sequence, by_hall=one.sequence if one.by is Side.HALL else 0))
        for one in withdrawals
    ]
    marks = dict(remembered)
    for pair, mark in seen:
        marks[pair] = marks.get(pair, Mark()).raised(mark)
    return marks


def _counts(offer: Offer, mark: Mark) -> bool:
    return offer.is_agreed and offer.grant.sequence == mark.agreed and offer.grant.sequence > mark.withdrawn


def _idle(offers: Sequence[Offer], marks: Mapping[Pair, Mark]) -> Iterator[Fault]:
    """Name what is no grant and looks like one: half-signed, or older than what was agreed since and is not here."""
    for offer in offers:
        grant, mark = offer.grant, marks[offer.grant.pair]
        name = Named(grant.pair, grant.sequence).file_name()
        if not offer.is_agreed and grant.sequence > max(mark.withdrawn, mark.agreed):
            (only,) = offer.signed_by
            yield _fault(name, "one-signature", f"signed by the {only} only")
        if offer.is_agreed and _is_newest(offer, offers) and grant.sequence < mark.agreed > mark.withdrawn:
            yield _fault(name, "older", f"sequence {mark.agreed} was agreed since, and is not here")


def _is_newest(offer: Offer, offers: Iterable[Offer]) -> bool:
    same = (one.grant.sequence for one in offers if one.is_agreed and one.grant.pair == offer.grant.pair)
    return offer.grant.sequence == max(same)


def _fault(name: str, code: str, why: str) -> Fault:
    named = read_name(name)
    return Fault(name, code, why, None if named is None else named.pair)
