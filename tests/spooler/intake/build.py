"""Valid things of which a test varies one part."""

import copy
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from spooler.catalog import COUNTIES, KINDS
from spooler.errors import Finding, RequestRefused
from spooler.intake.check import Checked, Checker
from spooler.items import find_items, load_items
from spooler.render.content import Content, Rendered
from spooler.render.template.issuance import Issuance, issuance_of
from spooler.sandbox import samples
from spooler.wire.messages import Pass, Stock
from spooler.wire.trust import HallRecord, RegistryRecord, Trust

NOON = datetime(2025, 6, 2, 4, 0, tzinfo=UTC)  # 12:00 at Asia/Shanghai
OWN = samples.directory()
SHARED = Path(__file__).parents[4] / "shared" / "samples"
HALLS = ("231282-01", "231283-01")


def sample(name: str, directory: Path = OWN) -> dict[str, Any]:
    """Return one of the good samples."""
    return json.loads((directory / "good" / f"{name}.json").read_bytes())


def parts_of(request: Mapping[str, Any], directory: Path = OWN) -> dict[str, bytes]:
    """Return the annexes' bytes that a client sends as parts."""
    names = [annex["name"] for annex in (request.get("annexes") or ()) if isinstance(annex, dict)]
    return {name: (directory / "annexes" / name).read_bytes() for name in names}


def changed(request: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a copy with one thing changed; `...` takes it away."""
    copied = copy.deepcopy(dict(request))
    target: Any = copied
    *steps, last = (int(step) if step.isdecimal() else step for step in path.split("."))
    for step in steps:
        target = target[step]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return copied


def trust(*, granted: tuple[str, ...] = tuple(KINDS)) -> Trust:
    """All counties of the catalog, and in each a hall, all granted."""
    registries = {
        county.code: RegistryRecord(
            registry=county.code,
            name=f"{county.name}不动产登记中心",
            province=county.province,
            place=county.place,
            ticket_keys=(),
            seal_fingerprints=(),
        )
        for county in COUNTIES.values()
    }
    halls = {f"{code}-01": HallRecord(hall=f"{code}-01", name=code, report_keys=(), wrap_keys=()) for code in COUNTIES}
    grants = frozenset((registry, hall, kind) for registry in registries for hall in halls for kind in granted)
    return Trust(registries=registries, halls=halls, grants=grants)


class BlankLayout:
    """A layout that finds room for everything: for what is not about layout."""

    def print_document(self, content: Content) -> Rendered:
        return Rendered(
            pdf=b"%PDF-1.7",
            template=f"{content.kind}/1",
            passes=(Pass(number=1, name="A", pages=(0,), stock=Stock.CERTIFICATE, width_mm=332, height_mm=239),),
            warnings=(),
        )

    def issuance(self, kind: str, version: int | None) -> Issuance:
        return issuance_of(kind, None)


def checker(
    layout: Any = None, *, now: datetime = NOON, trusted: Trust | None = None, served: Any = None, items: Any = None
) -> Checker:
    return Checker(
        trust=trusted or trust(),
        served=frozenset(COUNTIES if served is None else served),
        layout=layout or BlankLayout(),
        clock=lambda: now,
        items=load_items(find_items()) if items is None else items,
    )


def judge(request: Any, at: Checker | None = None, parts: Mapping[str, bytes] | None = None) -> Checked:
    """Read and check a request as intake does."""
    at = at or checker()
    given = parts_of(request) if parts is None else parts
    return at.check(at.read(json.dumps(request, ensure_ascii=False).encode("utf-8", "surrogatepass"), given))


def findings(request: Any, at: Checker | None = None, parts: Mapping[str, bytes] | None = None) -> list[Finding]:
    """Return what a request is refused for; nothing when it is not."""
    try:
        judge(request, at, parts)
    except RequestRefused as e:
        return list(e.errors)
    return []


def places(found: list[Finding]) -> list[tuple[str, str]]:
    return [(item.field, item.code) for item in found]
