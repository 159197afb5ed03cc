"""Whom one side believes: keys of registries and halls, seal certificates, and which registry may print where.

On disk a trust directory: `registries/<id>.json`, `halls/<id>.json`, `grants/` (or the plain list `grants.json`), `ca.pem`. It holds
nothing secret.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from spooler.wire import grant_files, grants
from spooler.wire.grants import Judged, Mark, Pair, SideKeys, SignedGrant
from spooler.wire.keys import KeyRecord
from spooler.wire.messages import HallId, RegistryId, Sha256


class SiteKind(StrEnum):
    """What kind of place a hall is: it carries what may be printed there, whatever is granted."""

    HALL = "hall"  # 不动产登记大厅
    TOWNSHIP = "township"  # 乡镇便民服务点
    BANK = "bank"
    COURT = "court"
    NOTARY = "notary"
    AGENCY = "agency"  # 房产中介
    FUND = "provident-fund"  # 公积金中心
    DEVELOPER = "developer"  # 开发企业


# Certificates are handed over by a registration authority's own people only; who serves mortgages prints proofs, who asks prints slips.
_PROOFS, _SLIPS = frozenset({"proof"}), frozenset({"record"})
SITE_PRINTS: Mapping[SiteKind, frozenset[str]] = {
    SiteKind.HALL: frozenset({"certificate", "proof", "record"}),
    SiteKind.TOWNSHIP: frozenset({"certificate", "proof", "record"}),
    SiteKind.BANK: _PROOFS,
    SiteKind.FUND: _PROOFS,
    SiteKind.DEVELOPER: _PROOFS,
    SiteKind.AGENCY: _SLIPS,
    SiteKind.COURT: _SLIPS,
    SiteKind.NOTARY: _SLIPS,
}


class RevokedSeal(BaseModel):
    """A seal that is used no more: what it sealed before that time stays good, whatever is said to be sealed later is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fingerprint: Sha256
    at: AwareDatetime


class RegistryRecord(BaseModel):
    """One registry as halls know it. Its seal certificates are pinned by fingerprint (SHA-256 of the DER)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    registry: RegistryId
    name: str
    province: str
    place: str
    ticket_keys: tuple[KeyRecord, ...]
    seal_fingerprints: tuple[Sha256, ...]
    revoked_fingerprints: tuple[
        Sha256, ...
    ] = ()  # in other hands: nothing under it is believed, whenever it was sealed
    revoked_seals: tuple[RevokedSeal, ...] = Field(default=(), exclude_if=lambda seals: not seals)
    grant_keys: tuple[KeyRecord, ...] = Field(default=(), exclude_if=lambda keys: not keys)

    def is_revoked(self, seal: str, at: datetime) -> bool:
        """Say whether what that seal sealed at that time is refused."""
        ended = any(one.fingerprint == seal and one.at <= at for one in self.revoked_seals)
        return ended or seal in self.revoked_fingerprints


class HallRecord(BaseModel):
    """One hall as registries know it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hall: HallId
    name: str
    report_keys: tuple[KeyRecord, ...]
    wrap_keys: tuple[KeyRecord, ...]
    site: SiteKind = Field(default=SiteKind.HALL, exclude_if=lambda site: site is SiteKind.HALL)
    suspended_at: AwareDatetime | None = Field(default=None, exclude_if=lambda at: at is None)
    grant_keys: tuple[KeyRecord, ...] = Field(default=(), exclude_if=lambda keys: not keys)

    def may_have_printed(self, kind: str) -> bool:
        """Say whether anything of that kind is printed here, by whomever it is granted."""
        return self.suspended_at is None and (self.site is SiteKind.HALL or kind in SITE_PRINTS[self.site])


class Grant(BaseModel):
    """授权 of the plain list, which nobody signs: this registry may print these kinds at this hall."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    registry: RegistryId
    hall: HallId
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Trust:
    """All of it, read once at start. `agreed` is None where the plain list is gone by; else `grants` is what it comes to at that time."""

    registries: Mapping[str, RegistryRecord] = field(default_factory=dict)
    halls: Mapping[str, HallRecord] = field(default_factory=dict)
    grants: frozenset[tuple[str, str, str]] = frozenset()
    roots_pem: bytes = b""
    agreed: Mapping[Pair, SignedGrant] | None = None
    marks: Mapping[Pair, Mark] = field(default_factory=dict)  # of every pair that was ever agreed or withdrawn

    def may_print(self, registry: str, hall: str, kind: str, at: datetime | None = None) -> bool:
        """Granted (now, or then), and at a place that prints such a thing and is not suspended."""
        place = self.halls.get(hall)
        return self._is_granted(registry, hall, kind, at) and (place is None or place.may_have_printed(kind))

    def are_partners(self, registry: str, hall: str) -> bool:
        """Say whether anything is granted between them now: then letters find their way."""
        return any(one[:2] == (registry, hall) for one in self.grants)

    def _is_granted(self, registry: str, hall: str, kind: str, at: datetime | None) -> bool:
        agreed = self.agreed
        if at is None or agreed is None:
            return (registry, hall, kind) in self.grants
        grant = agreed.get((registry, hall))
        return grant is not None and grant.allows(kind, at)

    def recall(self) -> None:
        """What is remembered of grants has changed. Who reads once has nothing to do."""


def load_trust(
    directory: Path,
    *,
    signed: bool | None = None,
    wanted: Callable[[Pair], bool] = lambda pair: True,
    now: datetime | None = None,
) -> Trust:
    """Read a trust directory; OSError or pydantic.ValidationError if it is not one. Grants are read as its own look says, unless told."""
    records = load_records(directory)
    if not (grant_files.look_signed(directory) if signed is None else signed):
        return replace(records, grants=plain_grants(directory))
    judged = grants.judge(grant_files.read(directory, wanted), grant_keys(records), {})
    return with_grants(records, judged, now or datetime.now(UTC))


def with_grants(records: Trust, judged: Judged, at: datetime) -> Trust:
    """Return the trust with these grants, as they hold at that time."""
    return replace(records, agreed=judged.agreed, marks=judged.marks, grants=holding(judged.agreed, at))


def holding(agreed: Mapping[Pair, SignedGrant], at: datetime) -> frozenset[tuple[str, str, str]]:
    return frozenset((*pair, kind) for pair, grant in agreed.items() for kind in grant.kinds if grant.allows(kind, at))


def grant_keys(trust: Trust) -> grants.Keys:
    """Return whose signatures on grants are known."""
    return grants.Keys(
        registries={one.registry: SideKeys(one.grant_keys, one.ticket_keys) for one in trust.registries.values()},
        halls={one.hall: SideKeys(one.grant_keys, one.report_keys) for one in trust.halls.values()},
    )


def load_records(directory: Path) -> Trust:
    """Read all of it but the grants."""
    registries = [
        RegistryRecord.model_validate_json(p.read_bytes()) for p in sorted((directory / "registries").glob("*.json"))
    ]
    halls = [HallRecord.model_validate_json(p.read_bytes()) for p in sorted((directory / "halls").glob("*.json"))]
    return Trust(
        registries={r.registry: r for r in registries},
        halls={h.hall: h for h in halls},
        roots_pem=(directory / "ca.pem").read_bytes(),
    )


def plain_grants(directory: Path) -> frozenset[tuple[str, str, str]]:
    listed = TypeAdapter(list[Grant]).validate_json((directory / "grants.json").read_bytes())
    return frozenset((one.registry, one.hall, kind) for one in listed for kind in one.kinds)
