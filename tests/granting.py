"""A deployment whose grants are signed, the desks of both sides over its trust directory, and copies of that directory for each machine."""

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from spooler.seal import grants as signed_grants
from spooler.seal import pki
from spooler.seal.authority import SealAlgorithm
from spooler.wire.granting import Done, GrantDesk
from spooler.wire.grants import Pair, Side
from spooler.wire.keys import SigningKey
from tests.sealing import HALL, HOME, NOW, OTHER_HALL, OTHER_HOME, Office

PAIR: Pair = (HOME, HALL)
KINDS = ("certificate", "proof", "record")


def a_signed_office(directory: Path) -> Office:
    """Return the same office as `Office.create`, its grants signed by both sides."""
    registries = [
        pki.NewRegistry(HOME, "望奎县", "黑", "望奎县"),
        pki.NewRegistry(OTHER_HOME, "北林区", "黑", "绥化市"),
    ]
    halls = [pki.NewHall(HALL, "肇东市 01"), pki.NewHall(OTHER_HALL, "海伦市 01")]
    begun = NOW - timedelta(days=30)
    pki.init(directory, registries, halls, now=begun, algorithm=SealAlgorithm.P_256, signed=True)
    return Office(directory)


@dataclass(frozen=True)
class People:
    """Who signs for both sides, over one trust directory; the keys are the office's."""

    office: Office
    trust: Path

    @classmethod
    def with_a_copy(cls, office: Office, place: Path) -> "People":
        """Work on a copy of the office's trust directory, as it lies on one machine."""
        shutil.copytree(office.directory / "trust", place)
        return cls(office, place)

    def offers(self, by: Side, at: datetime = NOW, **varied: object) -> Done:
        facts = {"kinds": KINDS, "not_before": at, "not_after": at + timedelta(days=365), "pair": PAIR, **varied}
        pair, kinds = facts.pop("pair"), facts.pop("kinds")
        return GrantDesk(self.trust, by).offer(pair, kinds, at=at, key=self.key(by), **facts)  # type: ignore[arg-type]

    def accepts(self, by: Side) -> Done:
        desk = GrantDesk(self.trust, by)
        return desk.agree(desk.waiting(PAIR), self.key(by))

    def agree_anew(self, at: datetime = NOW, **varied: object) -> Done:
        self.offers(Side.REGISTRY, at, **varied)
        return self.accepts(Side.HALL)

    def withdraws(self, by: Side, at: datetime = NOW) -> Done:
        return GrantDesk(self.trust, by).withdraw(PAIR, at=at, key=self.key(by))

    def key(self, side: Side) -> SigningKey:
        owner = PAIR[0] if side is Side.REGISTRY else PAIR[1]
        return SigningKey.from_pem(signed_grants.credential(self.office.directory, side, owner).read_bytes())

    def daily_key(self, side: Side) -> SigningKey:
        """The key that the side's daemon signs with."""
        if side is Side.REGISTRY:
            return self.office.ticket_key()
        return SigningKey.from_pem((self.office.directory / f"halls/{HALL}/credentials/report.pem").read_bytes())

    def file(self, name: str) -> Path:
        return self.trust / "grants" / name
