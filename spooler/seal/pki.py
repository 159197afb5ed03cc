"""The keys of a small deployment, and the trust directory that tells each side whom to believe (read by `wire.trust`).

    DIR/ca/{ca.key,ca.pem}                                            the authority: keep it off the daemons' machines
    DIR/trust/{registries/*.json,halls/*.json,grants.json,ca.pem}     nothing secret: the same on every machine
    DIR/home/credentials/{<registry>.seal.p12,<registry>.ticket.pem}  for the home
    DIR/halls/<hall>/credentials/{report.pem,wrap.pem}                for that hall alone

Nothing here is ever overwritten. Everything is made in memory first; trust records are written last, so that nobody is trusted whose
keys are not on disk.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path

from pydantic import TypeAdapter

from spooler.seal.authority import (
    CLOCK_MARGIN,
    SEAL_LIFE,
    Authority,
    SealAlgorithm,
    fingerprint,
    generate_seal_key,
    to_pkcs12,
)
from spooler.wire import strict
from spooler.wire.keys import SigningKey, WrapKey
from spooler.wire.trust import Grant, HallRecord, RegistryRecord, SiteKind

AUTHORITY_NAME = "certspool authority"
KEY_LIFE: timedelta = SEAL_LIFE
KINDS = ("certificate", "proof", "record")


class AlreadyThere(Exception):
    """A key with this name exists; a key is never overwritten."""


@dataclass(frozen=True)
class NewRegistry:
    """A registry to make keys for, with what stands in its certificate numbers (domain.md §4)."""

    id: str
    name: str
    province: str
    place: str


@dataclass(frozen=True)
class NewHall:
    id: str
    name: str
    site: SiteKind = SiteKind.HALL


@dataclass(frozen=True)
class _File:
    path: str
    content: bytes
    mode: int


def init(
    directory: Path,
    registries: Sequence[NewRegistry],
    halls: Sequence[NewHall],
    *,
    now: datetime,
    algorithm: SealAlgorithm = SealAlgorithm.RSA_3072,
    kinds: Sequence[str] = KINDS,
) -> None:
    """Make keys and trust records of these registries and halls, beside those already there; AlreadyThere if one is.

    Every registry, old and new, is granted every hall for `kinds`; narrow it in trust/grants.json.
    """
    _refuse_known(directory, registries, halls)
    authority, files = _authority(directory, now)
    for registry in registries:
        files += _registry_files(registry, authority, algorithm, now)
    for hall in halls:
        files += _hall_files(hall, now)
    for file in sorted(files, key=lambda file: file.path.startswith("trust/")):
        write_new(directory / file.path, file.content, file.mode)
    _grant_all(directory, registries, halls, kinds)


def _refuse_known(directory: Path, registries: Iterable[NewRegistry], halls: Iterable[NewHall]) -> None:
    wanted = [f"trust/registries/{r.id}.json" for r in registries] + [f"trust/halls/{h.id}.json" for h in halls]
    known = [path for path in wanted if (directory / path).exists()]
    if known:
        raise AlreadyThere(f"{', '.join(known)} in {directory}: name only what is new")
    if len(set(wanted)) < len(wanted):
        raise AlreadyThere("the same registry or hall is named twice")


def _authority(directory: Path, now: datetime) -> tuple[Authority, list[_File]]:
    """Return the directory's authority, or a new one and the files it is to be kept in."""
    certificate, private = directory / "ca/ca.pem", directory / "ca/ca.key"
    if certificate.exists():
        return Authority.from_pem(certificate.read_bytes(), private.read_bytes()), []
    authority = Authority.create(AUTHORITY_NAME, now)
    pem = authority.certificate_pem()
    return authority, [
        _File("ca/ca.key", authority.private_pem(), 0o600),
        _File("ca/ca.pem", pem, 0o644),
        _File("trust/ca.pem", pem, 0o644),
    ]


def _registry_files(
    registry: NewRegistry, authority: Authority, algorithm: SealAlgorithm, now: datetime
) -> Iterator[_File]:
    private = generate_seal_key(algorithm)
    certificate = authority.certify_seal(private, registry=registry.id, name=registry.name, now=now)
    ticket_key = SigningKey.generate()
    record = RegistryRecord(
        registry=registry.id,
        name=registry.name,
        province=registry.province,
        place=registry.place,
        ticket_keys=(ticket_key.record("ticket", now - CLOCK_MARGIN, now + KEY_LIFE),),
        seal_fingerprints=(fingerprint(certificate),),
    )
    credentials = f"home/credentials/{registry.id}"
    yield _File(f"{credentials}.seal.p12", to_pkcs12(private, certificate, authority), 0o600)
    yield _File(f"{credentials}.ticket.pem", ticket_key.to_pem(), 0o600)
    yield _File(f"trust/registries/{registry.id}.json", to_json(record.model_dump(mode="json")), 0o644)


def _hall_files(hall: NewHall, now: datetime) -> Iterator[_File]:
    report_key, wrap_key = SigningKey.generate(), WrapKey.generate()
    start, end = now - CLOCK_MARGIN, now + KEY_LIFE
    record = HallRecord(
        hall=hall.id,
        name=hall.name,
        report_keys=(report_key.record("report", start, end),),
        wrap_keys=(wrap_key.record(start, end),),
        site=hall.site,
    )
    credentials = f"halls/{hall.id}/credentials"
    yield _File(f"{credentials}/report.pem", report_key.to_pem(), 0o600)
    yield _File(f"{credentials}/wrap.pem", wrap_key.to_pem(), 0o600)
    yield _File(f"trust/halls/{hall.id}.json", to_json(record.model_dump(mode="json")), 0o644)


def _grant_all(
    directory: Path, registries: Sequence[NewRegistry], halls: Sequence[NewHall], kinds: Sequence[str]
) -> None:
    """Add the grants of every pair with somebody new in it; those that stand are left as they are."""
    path = directory / "trust/grants.json"
    standing = TypeAdapter(list[Grant]).validate_json(path.read_bytes()) if path.exists() else []
    new = {r.id for r in registries} | {h.id for h in halls}
    pairs = product(_ids(directory / "trust/registries"), _ids(directory / "trust/halls"))
    added = [Grant(registry=r, hall=h, kinds=tuple(kinds)) for r, h in pairs if {r, h} & new]
    write_again(path, to_json([grant.model_dump(mode="json") for grant in [*standing, *added]]))


def _ids(directory: Path) -> list[str]:
    return sorted(path.stem for path in directory.glob("*.json"))


def to_json(value: object) -> bytes:
    return strict.canonical(value) + b"\n"


def write_new(path: Path, content: bytes, mode: int) -> None:
    """Write a file that is not there yet, never readable by others in between if it is private."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if mode == 0o600 else 0o755)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as e:
        raise AlreadyThere(f"{path} is there already; a key is never overwritten") from e
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def write_again(path: Path, content: bytes) -> None:
    """Write a trust record in the place of the old one, by rename: who reads it sees the one or the other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".new")
    aside.write_bytes(content)
    os.replace(aside, path)


def suspend(directory: Path, hall: str, at: datetime | None) -> HallRecord:
    """Say in the hall's record that nothing is printed there from now on, or (None) that it is again; FileNotFoundError without one."""
    path = directory / f"trust/halls/{hall}.json"
    record = HallRecord.model_validate_json(path.read_bytes())
    if at is None or record.suspended_at is None:
        record = record.model_copy(update={"suspended_at": at})
        write_again(path, to_json(record.model_dump(mode="json")))
    return record
