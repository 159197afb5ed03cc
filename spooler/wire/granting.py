"""What people do with grants, on either side: offer, agree, withdraw, look. Files of a trust directory in, files out; carried by hand.

Home's commands are `certspool grant`, a hall's `certspool-agent grant`; which key may sign for whom is said by the trust records.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from spooler.wire import grant_files
from spooler.wire.errors import BadMessage, BadSignature
from spooler.wire.grants import (
    GRANT_TYPE,
    TAKES_AWAY,
    WITHDRAWAL_TYPE,
    Judged,
    Named,
    Offer,
    Pair,
    Side,
    SignedGrant,
    Withdrawal,
    judge,
    read_offer,
)
from spooler.wire.keys import SigningKey
from spooler.wire.signed import countersign, sign
from spooler.wire.trust import grant_keys, load_records


class CannotGrant(Exception):
    """It cannot be done with this directory and this key: one sentence, what to do."""


@dataclass(frozen=True)
class Done:
    """A file was written, and this is what it now comes to."""

    pair: Pair
    sequence: int
    state: str
    file: Path


@dataclass(frozen=True)
class Line:
    """One grant, withdrawal or file that is neither, as `list` shows it."""

    file: str
    state: str  # in-force, not-yet, over, offered, replaced, withdrawn, or the code of a fault
    pair: Pair | None = None
    sequence: int | None = None
    kinds: tuple[str, ...] = ()
    not_before: datetime | None = None
    not_after: datetime | None = None
    signed_by: tuple[str, ...] = ()
    why: str = ""


class GrantDesk:
    """Works on one trust directory, for one side."""

    def __init__(self, trust_directory: Path, side: Side) -> None:
        """OSError or pydantic.ValidationError when it is no trust directory; CannotGrant where nothing is signed yet."""
        self._directory = trust_directory
        self._side = side
        self._trust = load_records(trust_directory)
        if not grant_files.are_signed(trust_directory) and (trust_directory / grant_files.PLAIN).exists():
            raise CannotGrant(
                f"{trust_directory} goes by {grant_files.PLAIN}, which nobody signed: first certspool grant sign-all"
            )

    def offer(
        self,
        pair: Pair,
        kinds: Sequence[str],
        *,
        not_before: datetime,
        not_after: datetime,
        at: datetime,
        key: SigningKey,
        sequence: int | None = None,
    ) -> Done:
        """Sign a grant for one's own side; the other agrees to it."""
        self._must_know(pair)
        self._must_be_mine(pair, key, {"grant"})
        try:
            grant = SignedGrant(
                registry=pair[0],
                hall=pair[1],
                sequence=sequence or 1 + self._highest(pair),
                kinds=tuple(kinds),
                not_before=not_before,
                not_after=not_after,
                at=at,
            )
        except ValidationError as e:
            raise CannotGrant("; ".join(fault["msg"] for fault in e.errors())) from e
        named = Named(pair, grant.sequence)
        if (self._directory / grant_files.FOLDER / named.file_name()).exists():
            raise CannotGrant(f"{named.file_name()} is there already")
        return self._write(named, sign(grant.to_bytes(), GRANT_TYPE, key))

    def agree(self, content: bytes, key: SigningKey, *, only: Pair | None = None) -> Done:
        """Add one's own signature to an offer of the other side; with `only`, to one between these two."""
        try:
            offer = read_offer(content, grant_keys(self._trust))
        except (BadMessage, BadSignature) as e:
            raise CannotGrant(f"this is no offer that can be believed: {e}") from e
        if only not in (None, offer.grant.pair):
            raise CannotGrant(f"this offer is between {' and '.join(offer.grant.pair)}")
        self._must_be_mine(offer.grant.pair, key, {"grant"})
        if self._side in offer.signed_by:
            raise CannotGrant(f"the {self._side} has signed it already")
        return self._write(Named(offer.grant.pair, offer.grant.sequence), countersign(content, GRANT_TYPE, key))

    def waiting(self, pair: Pair) -> bytes:
        """Return the newest offer to this pair that one's own side has not signed."""
        offers = [one for one in self.look().offers if one.grant.pair == pair and self._side not in one.signed_by]
        if not offers:
            raise CannotGrant(f"no offer to {' and '.join(pair)} waits for the {self._side}")
        newest = max(offers, key=lambda one: one.grant.sequence)
        name = Named(pair, newest.grant.sequence).file_name()
        return (self._directory / grant_files.FOLDER / name).read_bytes()

    def withdraw(self, pair: Pair, *, at: datetime, key: SigningKey) -> Done:
        """Sign that nothing which was agreed or offered up to now holds any more."""
        self._must_be_mine(pair, key, TAKES_AWAY[self._side])
        highest = self._highest(pair)
        if not highest:
            raise CannotGrant(f"nothing was ever offered between {' and '.join(pair)}: there is nothing to withdraw")
        said = Withdrawal(registry=pair[0], hall=pair[1], sequence=highest, by=self._side, at=at)
        return self._write(Named(pair, highest, self._side), sign(said.to_bytes(), WITHDRAWAL_TYPE, key))

    def look(self) -> Judged:
        """Return what the files come to, as somebody sees them who remembers nothing."""
        return judge(grant_files.read(self._directory), grant_keys(self._trust), {})

    def _write(self, named: Named, content: bytes) -> Done:
        file = grant_files.write(self._directory, named, content)
        if named.withdrawn_by is not None:
            return Done(named.pair, named.sequence, "withdrawn", file)
        offer = read_offer(content, grant_keys(self._trust))
        return Done(named.pair, named.sequence, "agreed" if offer.is_agreed else "offered", file)

    def _highest(self, pair: Pair) -> int:
        return highest(self.look(), pair)

    def _must_know(self, pair: Pair) -> None:
        if pair[0] not in self._trust.registries:
            raise CannotGrant(f"registry {pair[0]} is not known here")
        if pair[1] not in self._trust.halls:
            raise CannotGrant(f"hall {pair[1]} is not known here")

    def _must_be_mine(self, pair: Pair, key: SigningKey, uses: set[str] | frozenset[str]) -> None:
        of = grant_keys(self._trust).of(self._side, pair)
        known = [one for one in (*of.grant, *of.daily) if one.use in uses and one.revoked_at is None]
        if key.kid not in {one.kid for one in known}:
            owner = pair[0] if self._side is Side.REGISTRY else pair[1]
            raise CannotGrant(f"key {key.kid} is no {' or '.join(sorted(uses))} key of {owner} in this trust directory")


def highest(judged: Judged, pair: Pair) -> int:
    """Return the highest sequence that anybody ever named between these two."""
    named = [one.grant.sequence for one in judged.offers if one.grant.pair == pair]
    return max([*named, *(one.sequence for one in judged.withdrawals if one.pair == pair)], default=0)


def lines(judged: Judged, now: datetime) -> list[Line]:
    """Return how everything stands, pair by pair, the newest first."""
    said = [_offer_line(one, judged, now) for one in judged.offers]
    said += [_withdrawal_line(one) for one in judged.withdrawals]
    said += [
        Line(fault.file, fault.code, fault.pair, why=fault.why)
        for fault in judged.faults
        if fault.code not in ("one-signature", "older")
    ]
    return sorted(said, key=lambda one: (one.pair or ("", ""), -(one.sequence or 0), one.file))


def _offer_line(offer: Offer, judged: Judged, now: datetime) -> Line:
    grant = offer.grant
    return Line(
        Named(grant.pair, grant.sequence).file_name(),
        _state(offer, judged, now),
        grant.pair,
        grant.sequence,
        grant.kinds,
        grant.not_before,
        grant.not_after,
        tuple(sorted(offer.signed_by)),
    )


def _state(offer: Offer, judged: Judged, now: datetime) -> str:
    grant = offer.grant
    if grant.sequence <= judged.marks[grant.pair].withdrawn:
        return "withdrawn"
    if not offer.is_agreed:
        return "offered"
    if judged.agreed.get(grant.pair) != grant:
        return "replaced"
    if now < grant.not_before:
        return "not-yet"
    return "over" if now > grant.not_after else "in-force"


def _withdrawal_line(said: Withdrawal) -> Line:
    name = Named(said.pair, said.sequence, said.by).file_name()
    return Line(name, "withdrawal", said.pair, said.sequence, signed_by=(said.by,), not_before=said.at)
