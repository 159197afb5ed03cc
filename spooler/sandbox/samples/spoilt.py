"""The bad samples: each a good one with one thing wrong, and the field that the answer must name."""

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Request = dict[str, Any]
SOUTH = "231202"


def spoilt(good: Mapping[str, Request], annex: Callable[[str, str], Request]) -> Iterator[tuple[str, str, Request]]:
    """Yield name, the field that is to be named, and a request that is wrong in that one thing."""
    for name, base, field, spoil in SPOILS:
        request = copy.deepcopy(good[base])
        spoil(request)
        request["request_id"] = f"bad-{name}"
        yield name, field, request
    twice = copy.deepcopy(good["collateral-drawn"])
    twice.update(request_id="bad-collateral-twice", annexes=[annex("collateral_list", "list-collateral.pdf")])
    yield "collateral-twice", "document.collateral", twice
    with_map = copy.deepcopy(good["query"])
    with_map.update(request_id="bad-query-with-map", annexes=[annex("parcel_map", "map-house.pdf")])
    yield "query-with-map", "annexes.0.role", with_map
    for name in ("map-crossing.geojson", "map-north-first.geojson", "plan-fax.tif"):
        stem, role = name.partition(".")[0], "unit_plan" if name.startswith("plan") else "parcel_map"
        drawn = copy.deepcopy(good["homestead"])
        drawn.update(request_id=f"bad-{stem}", annexes=[annex(role, name)])
        yield stem, "annexes.0", drawn
    unembedded = copy.deepcopy(good["house"])
    unembedded.update(request_id="bad-font-not-embedded", annexes=[annex("parcel_map", "map-font-missing.pdf")])
    yield "font-not-embedded", "annexes.0", unembedded


def _in(*path: str | int, value: Any) -> Callable[[Request], None]:
    def spoil(request: Request) -> None:
        target: Any = request
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = value

    return spoil


def _field(name: str, value: Any) -> Callable[[Request], None]:
    return _in("document", "fields", name, value=value)


def _without_notice(request: Request) -> None:
    del request["document"]["issuance"]["notice"]


def _without_old(request: Request) -> None:
    del request["document"]["issuance"]["replaces"]


SPOILS: tuple[tuple[str, str, str, Callable[[Request], None]], ...] = (
    ("unknown-registry", "no-annex", "registry", _in("registry", value="888888")),
    ("unknown-hall", "no-annex", "hall", _in("hall", value="231289-01")),
    ("unknown-kind", "no-annex", "document.kind", _in("document", "kind", value="licence")),
    ("other-place", "no-annex", "document.number.place", _in("document", "number", "place", value="北林区")),
    (
        "other-place-by-code",
        "field-codes",
        "document.number.szsxqc",
        _in("document", "number", "szsxqc", value="肇东市"),
    ),
    ("short-sequence", "no-annex", "document.number.sequence", _in("document", "number", "sequence", value="108")),
    ("booked-tomorrow", "no-annex", "document.booked_on", _in("document", "booked_on", value="2990-01-01")),
    (
        "no-such-unit-kind",
        "no-annex",
        "document.units.0",
        _in("document", "units", value=[f"{SOUTH}003004GK00108F00050108"]),
    ),
    (
        "unit-elsewhere",
        "no-annex",
        "document.units.0",
        _in("document", "units", value=["330212003004GB00108F00050108"]),
    ),
    (
        "other-units-printed",
        "no-annex",
        "document.fields.unit_number",
        _field("unit_number", f"{SOUTH} 003004 GB00109 F00050109"),
    ),
    ("empty-location", "no-annex", "document.fields.location", _field("location", " ")),
    (
        "too-many-holders",
        "no-annex",
        "document.fields.holder",
        _field("holder", "、".join(f"孙某{k}" for k in range(90))),
    ),
    ("private-use", "no-annex", "document.fields.holder", _field("holder", "孙\ue0a1")),
    ("no-glyph", "field-codes", "document.fields.qlr", _field("qlr", "孙\u1b05")),
    ("control-character", "no-annex", "document.fields.notes", _field("notes", "一\x0b二")),
    ("certificate-field-in-proof", "mortgage", "document.fields.term", _field("term", "2025年起")),
    ("two-names", "no-annex", "document.fields", _field("zl", "绥化市")),
    ("unknown-field", "no-annex", "urgent", _in("urgent", value=True)),
    ("beyond-case", "sale", "case.ordinal", _in("case", "ordinal", value=3)),
    ("wrong-hash", "house", "annexes.1.sha256", _in("annexes", 1, "sha256", value="f" * 64)),
    ("scale-of-coordinates", "homestead", "annexes.0.scale", _in("annexes", 0, "scale", value=500)),
    ("scale-of-a-list", "collateral-list", "annexes.0.scale", _in("annexes", 0, "scale", value=500)),
    ("wrong-length", "house", "annexes.0.bytes", _in("annexes", 0, "bytes", value=1)),
    ("map-with-proof", "collateral-list", "annexes.0.role", _in("annexes", 0, "role", value="parcel_map")),
    ("check-digit", "all-fields", "parties.0.id_number", _in("parties", 0, "id_number", value="232324199003074015")),
    ("no-units", "no-annex", "document.units", _in("document", "units", value=[])),
    ("query-without-result", "query", "document.fields.result", _field("result", "")),
    ("query-by-code", "query", "document.fields", _field("cxr", "孙二")),
    ("query-with-units-unnamed", "query", "document.fields.unit_number", _field("unit_number", "")),
    (
        "collateral-of-another-unit",
        "collateral-drawn",
        "document.collateral.3.unit_number",
        _in("document", "collateral", 3, "unit_number", value="231221 003004 GB00133 F00069999"),
    ),
    (
        "collateral-without-place",
        "collateral-drawn",
        "document.collateral.0.location",
        _in("document", "collateral", 0, "location", value=""),
    ),
    (
        "collateral-too-long",
        "collateral-drawn",
        "document.collateral.29.notes",
        _in("document", "collateral", 29, "notes", value="附属车库一并抵押，" * 20),
    ),
    (
        "collateral-private-use",
        "collateral-drawn",
        "document.collateral.2.usage",
        _in("document", "collateral", 2, "usage", value="住\ue0a1"),
    ),
    (
        "collateral-left-out",
        "collateral-drawn",
        "document.units.29",
        lambda request: request["document"]["collateral"].pop(),
    ),
    ("no-notice", "replacement", "document.issuance.notice", _without_notice),
    ("renewal-of-nothing", "renewal", "document.issuance.replaces", _without_old),
    ("unknown-item", "sale", "item", _in("item", value="house-sale")),
    ("item-without-document", "sale", "item", _in("item", value="seizure")),
    ("item-of-another-kind", "sale", "item", _in("item", value="mortgage-first")),
    ("no-mark", "replacement", "document.fields.notes", _field("notes", "业务编号：20250310122")),
)
