"""Whom one side believes: keys of registries and halls, seal certificates, and which registry may print where.

On disk a trust directory: `registries/<id>.json`, `halls/<id>.json`, `grants.json`, `ca.pem`. It holds nothing secret.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

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

    def may_have_printed(self, kind: str) -> bool:
        """Say whether anything of that kind is printed here, by whomever it is granted."""
        return self.suspended_at is None and (self.site is SiteKind.HALL or kind in SITE_PRINTS[self.site])


class Grant(BaseModel):
    """授权: this registry may print these kinds at this hall."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    registry: RegistryId
    hall: HallId
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Trust:
    """All of it, read once at start."""

    registries: Mapping[str, RegistryRecord] = field(default_factory=dict)
    halls: Mapping[str, HallRecord] = field(default_factory=dict)
    grants: frozenset[tuple[str, str, str]] = frozenset()
    roots_pem: bytes = b""

    def may_print(self, registry: str, hall: str, kind: str) -> bool:
        """Granted, and at a place that prints such a thing and is not suspended."""
        place = self.halls.get(hall)
        return (registry, hall, kind) in self.grants and (place is None or place.may_have_printed(kind))


def load_trust(directory: Path) -> Trust:
    """Read a trust directory; OSError or pydantic.ValidationError if it is not one."""
    registries = [
        RegistryRecord.model_validate_json(p.read_bytes()) for p in sorted((directory / "registries").glob("*.json"))
    ]
    halls = [HallRecord.model_validate_json(p.read_bytes()) for p in sorted((directory / "halls").glob("*.json"))]
    grants = TypeAdapter(list[Grant]).validate_json((directory / "grants.json").read_bytes())
    return Trust(
        registries={r.registry: r for r in registries},
        halls={h.hall: h for h in halls},
        grants=frozenset((g.registry, g.hall, kind) for g in grants for kind in g.kinds),
        roots_pem=(directory / "ca.pem").read_bytes(),
    )
