"""The keys of a small deployment, and the trust directory that tells each side whom to believe (read by `wire.trust`).

    DIR/ca/{ca.key,ca.pem}                                            the authority: keep it off the daemons' machines
    DIR/trust/{registries/*.json,halls/*.json,grants/,ca.pem}         nothing secret: the same on every machine
    DIR/home/credentials/{<registry>.seal.p12,<registry>.ticket.pem}  for the home
    DIR/halls/<hall>/credentials/{report.pem,wrap.pem}                for that hall alone

What is for the way to the broker stands beside these: `broker_keys`.

Nothing here is ever overwritten. Everything is made in memory first; trust records are written last, so that nobody is trusted whose
keys are not on disk.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path

from pydantic import TypeAdapter

from spooler.seal import broker_keys, grants
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
from spooler.wire.files import PRIVATE, PUBLIC, AlreadyThere, NewFile, write_again
from spooler.wire.keys import SigningKey, WrapKey
from spooler.wire.trust import Grant, HallRecord, RegistryRecord, SiteKind

AUTHORITY_NAME = "certspool authority"
KEY_LIFE: timedelta = SEAL_LIFE
KINDS = ("certificate", "proof", "record")


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
class NewServer:
    """A node of the broker, by the name that homes and halls connect to, and the other names and addresses it has."""

    node: str
    names: tuple[str, ...] = ()


def init(
    directory: Path,
    registries: Sequence[NewRegistry],
    halls: Sequence[NewHall],
    *,
    now: datetime,
    algorithm: SealAlgorithm = SealAlgorithm.RSA_3072,
    kinds: Sequence[str] = KINDS,
    servers: Sequence[NewServer] = (),
    signed: bool = False,
) -> None:
    """Make keys and trust records of these registries, halls and nodes of the broker, beside those already there; AlreadyThere if one is.

    Every registry, old and new, is granted every hall for `kinds`: in the plain list, or `signed` by both where none is gone by.
    """
    _refuse_known(directory, registries, halls)
    authority, files = _authority(directory, now)
    files += _broker_files(directory, registries, halls, servers, now)
    for registry in registries:
        files += _registry_files(registry, authority, algorithm, now)
    for hall in halls:
        files += _hall_files(hall, now)
    broker_keys.write(directory, files)
    if grants.are_to_be_signed(directory, signed):
        new = [*(one.id for one in registries), *(one.id for one in halls)]
        grants.grant_new(directory, new, kinds, now)
    else:
        _grant_all(directory, registries, halls, kinds)


def _refuse_known(directory: Path, registries: Iterable[NewRegistry], halls: Iterable[NewHall]) -> None:
    wanted = [f"trust/registries/{r.id}.json" for r in registries] + [f"trust/halls/{h.id}.json" for h in halls]
    known = [path for path in wanted if (directory / path).exists()]
    if known:
        raise AlreadyThere(f"{', '.join(known)} in {directory}: name only what is new")
    if len(set(wanted)) < len(wanted):
        raise AlreadyThere("the same registry or hall is named twice")


def _authority(directory: Path, now: datetime) -> tuple[Authority, list[NewFile]]:
    """Return the directory's authority, or a new one and the files it is to be kept in."""
    certificate, private = directory / "ca/ca.pem", directory / "ca/ca.key"
    if certificate.exists():
        return Authority.from_pem(certificate.read_bytes(), private.read_bytes()), []
    authority = Authority.create(AUTHORITY_NAME, now)
    pem = authority.certificate_pem()
    return authority, [
        NewFile("ca/ca.key", authority.private_pem(), PRIVATE),
        NewFile("ca/ca.pem", pem, PUBLIC),
        NewFile("trust/ca.pem", pem, PUBLIC),
    ]


def _broker_files(
    directory: Path,
    registries: Sequence[NewRegistry],
    halls: Sequence[NewHall],
    servers: Sequence[NewServer],
    now: datetime,
) -> Iterator[NewFile]:
    """One home is taken to serve all registries, as one user of the broker; another has a key of its own issued."""
    issuer, files = broker_keys.authority(directory, now)
    yield from files
    if registries and not broker_keys.place_of(directory, broker_keys.HOME_USER).exists():
        yield from broker_keys.files_of_home(broker_keys.HOME_USER, issuer, now)
    for hall in halls:
        yield from broker_keys.files_of_hall(hall.id, issuer, now)
    for server in servers:
        yield from broker_keys.files_of_server(server.node, server.names, issuer, now)


def _registry_files(
    registry: NewRegistry, authority: Authority, algorithm: SealAlgorithm, now: datetime
) -> Iterator[NewFile]:
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
    yield NewFile(f"{credentials}.seal.p12", to_pkcs12(private, certificate, authority), PRIVATE)
    yield NewFile(f"{credentials}.ticket.pem", ticket_key.to_pem(), PRIVATE)
    yield NewFile(f"trust/registries/{registry.id}.json", to_json(record.model_dump(mode="json")), PUBLIC)


def _hall_files(hall: NewHall, now: datetime) -> Iterator[NewFile]:
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
    yield NewFile(f"{credentials}/report.pem", report_key.to_pem(), PRIVATE)
    yield NewFile(f"{credentials}/wrap.pem", wrap_key.to_pem(), PRIVATE)
    yield NewFile(f"trust/halls/{hall.id}.json", to_json(record.model_dump(mode="json")), PUBLIC)


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


def suspend(directory: Path, hall: str, at: datetime | None) -> HallRecord:
    """Say in the hall's record that nothing is printed there from now on, or (None) that it is again; FileNotFoundError without one."""
    path = directory / f"trust/halls/{hall}.json"
    record = HallRecord.model_validate_json(path.read_bytes())
    if at is None or record.suspended_at is None:
        record = record.model_copy(update={"suspended_at": at})
        write_again(path, to_json(record.model_dump(mode="json")))
    return record
