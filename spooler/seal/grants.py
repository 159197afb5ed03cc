"""Grants of a small deployment, whose keys of both sides lie in one directory: everybody granted to everybody, signed by both.

    DIR/grants/<registry>.pem      DIR/halls/<hall>/grant.pem      beside the credentials, not among them: no daemon needs these

Where each side keeps its own key they meet over `wire.granting` instead: one offers, the other agrees.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import product
from os import replace
from pathlib import Path
from shutil import rmtree

from spooler.seal.authority import CLOCK_MARGIN, SEAL_LIFE
from spooler.wire import grant_files, strict
from spooler.wire.files import PRIVATE, write_again, write_new
from spooler.wire.granting_days import DEFAULT_LIFE
from spooler.wire.grants import GRANT_TYPE, Named, Pair, Side, SignedGrant
from spooler.wire.keys import SigningKey
from spooler.wire.signed import countersign, sign
from spooler.wire.trust import HallRecord, RegistryRecord, Trust, load_records, plain_grants


def are_to_be_signed(directory: Path, wanted: bool) -> bool:
    """Say whether grants are added as signed ones: a deployment that goes by the plain list goes on so until `sign_all`."""
    trust = directory / "trust"
    return grant_files.are_signed(trust) or (wanted and not (trust / grant_files.PLAIN).exists())


def credential(directory: Path, side: Side, owner: str) -> Path:
    """Return where the grant key of a registry or hall lies in a deployment's directory."""
    if side is Side.HALL:
        return directory / f"halls/{owner}/grant.pem"
    return directory / f"grants/{owner}.pem"


def grant_new(directory: Path, new: Iterable[str], kinds: Sequence[str], now: datetime) -> list[Pair]:
    """Sign a grant of every pair with somebody new in it; return those."""
    names = frozenset(new)
    trust = _with_keys(directory, now)
    pairs = [pair for pair in product(sorted(trust.registries), sorted(trust.halls)) if names & {*pair}]
    return _sign(directory, dict.fromkeys(pairs, tuple(kinds)), now)


def sign_all(directory: Path, now: datetime) -> list[Pair]:
    """Sign what the plain list grants, all of it before any of it is there to be read; return the pairs that were not signed yet."""
    listed: dict[Pair, tuple[str, ...]] = {}
    for registry, hall, kind in sorted(plain_grants(directory / "trust")):
        listed[registry, hall] = (*listed.get((registry, hall), ()), kind)
    trust = _with_keys(directory, now)
    known = {pair: kinds for pair, kinds in listed.items() if pair[0] in trust.registries and pair[1] in trust.halls}
    return _sign(directory, known, now)


def _sign(directory: Path, wanted: Mapping[Pair, tuple[str, ...]], now: datetime) -> list[Pair]:
    trust = directory / "trust"
    there = {path.name.rpartition(".")[0] for path in grant_files.paths(trust)}
    new = {pair: kinds for pair, kinds in wanted.items() if f"{pair[0]}.{pair[1]}.1" not in there}
    signed = {_first(pair): _signed(directory, pair, kinds, now) for pair, kinds in new.items()}
    made = {named: content for named, content in signed.items() if content is not None}
    if grant_files.are_signed(trust):
        for named, content in made.items():
            grant_files.write(trust, named, content)
    else:
        _write_whole(trust, made)
    return sorted(named.pair for named in made)


def _write_whole(trust: Path, made: Mapping[Named, bytes]) -> None:
    """The folder appears with all that is in it: from then on nothing else grants."""
    aside = trust / "grants.new"
    rmtree(aside, ignore_errors=True)
    (aside / grant_files.FOLDER).mkdir(parents=True)
    for named, content in made.items():
        grant_files.write(aside, named, content)
    replace(aside / grant_files.FOLDER, trust / grant_files.FOLDER)
    aside.rmdir()


def _first(pair: Pair) -> Named:
    return Named(pair, 1)


def _signed(directory: Path, pair: Pair, kinds: tuple[str, ...], now: datetime) -> bytes | None:
    """Sign for each side whose key lies here: for one only it is an offer, for none it is nothing."""
    grant = SignedGrant(
        registry=pair[0],
        hall=pair[1],
        sequence=1,
        kinds=kinds,
        not_before=now - CLOCK_MARGIN,
        not_after=now + DEFAULT_LIFE,
        at=now,
    )
    files = [credential(directory, side, owner) for side, owner in zip(Side, pair, strict=True)]
    keys = [SigningKey.from_pem(file.read_bytes()) for file in files if file.exists()]
    if not keys:
        return None
    envelope = sign(grant.to_bytes(), GRANT_TYPE, keys[0])
    return countersign(envelope, GRANT_TYPE, keys[1]) if keys[1:] else envelope


def _with_keys(directory: Path, now: datetime) -> Trust:
    """Give a grant key to each registry and hall that has none; return the records."""
    trust = load_records(directory / "trust")
    for side, records in ((Side.REGISTRY, trust.registries), (Side.HALL, trust.halls)):
        for owner, record in records.items():
            if not record.grant_keys:
                _give_key(directory, side, owner, record, now)
    return load_records(directory / "trust")


def _give_key(directory: Path, side: Side, owner: str, record: RegistryRecord | HallRecord, now: datetime) -> None:
    key = SigningKey.generate()
    write_new(credential(directory, side, owner), key.to_pem(), PRIVATE)
    known = record.model_copy(update={"grant_keys": (key.record("grant", now - CLOCK_MARGIN, now + SEAL_LIFE),)})
    folder = "registries" if side is Side.REGISTRY else "halls"
    write_again(directory / f"trust/{folder}/{owner}.json", strict.canonical(known.model_dump(mode="json")) + b"\n")
