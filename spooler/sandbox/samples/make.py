"""Make the samples again: `python -m spooler.sandbox.samples.make [DIRECTORY]`. The output is deterministic."""

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spooler.catalog import CERTIFICATE, COUNTIES
from spooler.sandbox.samples import directory, drawings
from spooler.sandbox.samples.spoilt import spoilt

Request = dict[str, Any]
NORTH, SOUTH = "231221", "231202"
HALLS = ("231282-01", "231283-01")
MEDIA_TYPES = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".tif": "image/tiff",
    ".geojson": "application/geo+json",
}
HOMESTEAD_UNIT = f"{NORTH}203002JC00031F00010001"
FACTORY_UNIT = f"{SOUTH}005006GB00032W00000000"
ORCHARD_UNIT = f"{SOUTH}003002GB00036W00000000"
HOMESTEAD = drawings.outline(31, 10, 18, 32)
FACTORY = drawings.outline(32, 16, 210, 330)


def main(target: Path) -> None:
    """Write annexes, good and bad requests below `target`."""
    for name in ("annexes", "good", "bad"):
        (target / name).mkdir(parents=True, exist_ok=True)
    draw_annexes(target / "annexes")
    samples = Samples(target / "annexes")
    good = dict(samples.good())
    for name, request in good.items():
        _write(target / "good" / f"{name}.json", request)
    for name, field, request in spoilt(good, samples.annex):
        _write(target / "bad" / f"{name}.json", {"expect": {"field": field}, "request": request})


def draw_annexes(target: Path) -> None:
    house = drawings.outline(30, 12, 80, 120)
    drawings.parcel_pdf(target / "map-house.pdf", house)
    drawings.parcel_pdf(target / "map-turned.pdf", drawings.outline(33, 8, 90, 60), rotate=90)
    drawings.parcel_pdf(target / "map-font-missing.pdf", house, embed=False)
    drawings.parcel_geojson(target / "map-homestead.geojson", HOMESTEAD_UNIT, HOMESTEAD)
    drawings.parcel_geojson(target / "map-factory.geojson", FACTORY_UNIT, FACTORY)
    pond = [(70.0, 70.0), (96.0, 68.0), (101.0, 88.0), (74.0, 92.0)]
    drawings.parcel_geojson(target / "map-orchard.geojson", ORCHARD_UNIT, drawings.many_corners(35, 56, 85), pond)
    one, other = (
        [(0.0, 0.0), (24.2, -0.6), (24.9, 30.3), (0.4, 31.0)],
        [(24.2, -0.6), (41.7, -1.1), (42.0, 29.8), (24.9, 30.3)],
    )
    drawings.lots_geojson(
        target / "map-lots.geojson", [(unit, [ring]) for unit, ring in zip(lot_units(), (one, other), strict=True)]
    )
    drawings.scaled_pdf(target / "map-scaled.pdf", drawings.outline(36, 8, 70, 95), 1000)
    crossed = [HOMESTEAD[i] for i in (0, 1, 2, 7, 4, 5, 6, 3, 8, 9)]
    drawings.parcel_geojson(target / "map-crossing.geojson", HOMESTEAD_UNIT, crossed)
    drawings.parcel_geojson(target / "map-north-first.geojson", HOMESTEAD_UNIT, HOMESTEAD, turned=True)
    drawings.plan(target / "plan-fax.tif", 44, mode="1", dpi=200, fax=True)
    drawings.plan(target / "plan-grey.png", 40, mode="L", dpi=300)
    drawings.plan(target / "plan-black.tif", 41, mode="1", dpi=300)
    drawings.plan(target / "plan-colour.jpg", 42, mode="RGB", dpi=100)
    drawings.plan(target / "plan-turned.jpg", 43, mode="RGB", dpi=100, turned=True)
    units = [f"{index}.  {unit}" for index, unit in enumerate(collateral_units(), 1)]
    drawings.list_pdf(target / "list-collateral.pdf", "Collateral 231202-0000114", units)
    drawings.list_pdf(target / "page-attachment.pdf", "Attachment 231221-0000115", ["Sheet 1 of 1"])


def lot_units() -> list[str]:
    return [f"{NORTH}001002JC0004{number}W00000000" for number in (1, 2)]


def collateral_units() -> list[str]:
    return [f"{SOUTH}003004GB00114F0005{index:04d}" for index in range(1, 5)]


class Samples:
    """The good requests; hashes are those of the annexes as drawn."""

    def __init__(self, annexes: Path) -> None:
        self._annexes = annexes

    def annex(self, role: str, name: str) -> Request:
        content = (self._annexes / name).read_bytes()
        return {
            "role": role,
            "name": name,
            "media_type": MEDIA_TYPES[Path(name).suffix],
            "sha256": hashlib.sha256(content).hexdigest(),
            "bytes": len(content),
        }

    def good(self) -> Iterator[tuple[str, Request]]:
        yield from self._with_annexes()
        yield from self._texts()
        yield from self._cases()
        yield from self._issuances()
        yield from self._queries()
        yield "collateral-drawn", loan_on_many(133, NORTH, 30)

    def _with_annexes(self) -> Iterator[tuple[str, Request]]:
        annex = self.annex
        both = [annex("parcel_map", "map-house.pdf"), annex("unit_plan", "plan-grey.png")]
        yield "house", certificate(101, NORTH, annexes=both)
        yield "plan-jpeg", certificate(102, SOUTH, annexes=[annex("unit_plan", "plan-colour.jpg")])
        yield "plan-turned", certificate(103, NORTH, annexes=[annex("unit_plan", "plan-turned.jpg")])
        yield "plan-tiff", certificate(104, SOUTH, annexes=[annex("unit_plan", "plan-black.tif")])
        yield "map-turned", certificate(105, NORTH, annexes=[annex("parcel_map", "map-turned.pdf")])
        yield "homestead", homestead([annex("parcel_map", "map-homestead.geojson")])
        yield "factory", factory([annex("parcel_map", "map-factory.geojson")])
        yield "orchard", orchard([annex("parcel_map", "map-orchard.geojson"), annex("unit_plan", "plan-grey.png")])
        lots = lot_units()
        many = {"units": lots, "unit_number": "、".join(map(spaced, lots))}
        yield "two-lots", certificate(135, NORTH, annexes=[annex("parcel_map", "map-lots.geojson")], **many)
        scaled = {**annex("parcel_map", "map-scaled.pdf"), "scale": 1000}
        yield "map-scaled", certificate(136, SOUTH, annexes=[scaled])
        yield "attachment", certificate(115, NORTH, annexes=[annex("attachment", "page-attachment.pdf")])
        units = collateral_units()
        yield (
            "collateral-list",
            proof(
                114,
                SOUTH,
                units=units,
                unit_number=f"{spaced(units[0])}等4个",
                annexes=[annex("collateral_list", "list-collateral.pdf")],
            ),
        )

    def _texts(self) -> Iterator[tuple[str, Request]]:
        yield "no-annex", certificate(108, SOUTH)
        yield "rare-names", certificate(109, NORTH, holder="㛃䶮、𬭎𬬭、𫖯𣲗、𡋾𬀩、𠅤𫚖", co_ownership="共同共有")
        names = "阿依古丽·买买提、Alexandrina Konstantinovna Voskresenskaya"
        yield "other-scripts", certificate(110, SOUTH, holder=names, co_ownership="共同共有")
        owners = [f"{surname}某" for surname in "赵钱孙李周吴郑王冯陈褚卫"]
        shares = "按份共有 " + " ".join(f"{owner} 1/12" for owner in owners)
        yield "twelve-owners", certificate(111, NORTH, holder="、".join(owners), co_ownership=shares)
        lines = (f"{row}、原证号：绥房权证北林区字第{row:08d}号，已收回注销。" for row in range(1, 31))
        yield "long-notes", certificate(112, SOUTH, notes="\n".join(lines))
        yield "mortgage", proof(113, NORTH)
        yield (
            "objection",
            proof(116, SOUTH, matter="异议登记", holder="钱七", obligor="", other="异议事项：权利人记载有误"),
        )
        coded = certificate(117, NORTH)
        codes = {spec.name: spec.code for spec in CERTIFICATE.fields}
        document = coded["document"]
        document["fields"] = {codes[name]: value for name, value in document["fields"].items()}
        number = document["number"]
        document["number"] = dict(zip(("sqsjc", "nf", "szsxqc", "zhlsh"), number.values(), strict=True))
        yield "field-codes", coded

    def _cases(self) -> Iterator[tuple[str, Request]]:
        for ordinal, holder in enumerate(("孙二", "周六"), 1):
            case = {"number": f"{NORTH}20250310118", "ordinal": ordinal, "of": 2}
            shares = {"holder": holder, "co_ownership": "按份共有50%"}
            yield f"couple-{ordinal}", certificate(117 + ordinal, NORTH, case=case, **shares)
        sale = {"number": f"{SOUTH}20250310120", "of": 2}
        bought = certificate(120, SOUTH, case={**sale, "ordinal": 1})
        yield "sale", {**bought, "item": "state-land-building-transfer"}
        yield "sale-loan", {**proof(121, SOUTH, case={**sale, "ordinal": 2}), "item": "mortgage-first"}

    def _issuances(self) -> Iterator[tuple[str, Request]]:
        lost = certificate(122, NORTH, notes="补发\n业务编号：20250310122")
        lost["document"]["issuance"] = {
            "type": "replacement",
            "replaces": {"number": "黑（2018）望奎县不动产权第0000122号", "version": 1, "serial": "23000098122"},
            "notice": {"published_on": "2025-03-01"},
        }
        yield "replacement", lost
        worn = certificate(123, SOUTH, notes="换发\n业务编号：20250310123")
        replaced = {"number": "黑(2017)绥化市不动产权第0000123号", "version": 1, "serial": None}
        worn["document"]["issuance"] = {"type": "renewal", "replaces": replaced, "old_returned": True}
        yield "renewal", worn
        wrong = proof(137, NORTH, notes="更正：担保债权数额\n业务编号：20250310137")
        replaced = {"number": "黑（2024）望奎县不动产证明第0000137号", "version": 1, "serial": "23000098137"}
        # Its old paper comes back at the hall, before the new one is handed over.
        wrong["document"]["issuance"] = {"type": "correction", "replaces": replaced}
        yield "correction", {**wrong, "item": "correction-proof"}
        yield "all-fields", all_fields()

    def _queries(self) -> Iterator[tuple[str, Request]]:
        yield "query", record(131, NORTH)
        nothing = "经查询，截至出具之日，查询人名下在本登记机构无房屋所有权登记记录。"
        content = "个人名下不动产登记情况"
        yield "query-nothing", record(132, SOUTH, units=[], content=content, location="", result=nothing)


def certificate(index: int, registry: str, **changes: Any) -> Request:
    """Return a certificate request; `changes` replace printed fields, units, annexes or the case."""
    place = COUNTIES[registry].place
    fields = {
        "holder": "孙二",
        "co_ownership": "单独所有",
        "location": f"{place}中央大街{index}号",
        "right_type": "国有建设用地使用权/房屋（构筑物）所有权",
        "right_nature": "出让/市场化商品房",
        "usage": "城镇住宅用地/住宅",
        "area": f"共有宗地面积20416.50㎡/房屋建筑面积{index}.08㎡",
        "term": "2011年05月01日起2081年04月30日止",
        "other": f"房屋结构：钢筋混凝土结构\n专有建筑面积：{index - 12}.01㎡，分摊建筑面积：12.07㎡\n"
        f"房屋总层数：18，所在层：{index % 18 + 1}",
        "notes": f"业务编号：20250310{index}",
    }
    return _request("certificate", "BDCQ", index, registry, fields, changes)


def proof(index: int, registry: str, **changes: Any) -> Request:
    """Return a proof request."""
    place = COUNTIES[registry].place
    fields = {
        "matter": "抵押权",
        "holder": "中国建设银行股份有限公司绥化分行",
        "obligor": "周六",
        "location": f"{place}康宁路{index}号",
        "other": f"不动产权证书号：黑（2025）{place}不动产权第{index:07d}号\n担保债权数额：42.00万元",
        "notes": "债务履行期限：2025年03月10日起2045年03月09日止",
    }
    return _request("proof", "BDCZM", index, registry, fields, changes)


def record(index: int, registry: str, **changes: Any) -> Request:
    """Return a request for the slip with the result of a query."""
    place = COUNTIES[registry].place
    fields = {
        "applicant": "孙二",
        "purpose": "核实交易房屋的权利状况",
        "content": "不动产的自然状况、权利状况，抵押、查封、异议登记情况",
        "location": f"{place}中央大街{index}号",
        "result": f"权利人：周六\n不动产权证号：黑（2021）{place}不动产权第{index:07d}号\n房屋建筑面积：{index}.08㎡\n"
        "抵押：无　　查封：无　　异议登记：无　　预告登记：无",
        "notes": f"业务编号：20250310{index}",
    }
    return _request("record", "CXJG", index, registry, fields, changes)


def loan_on_many(index: int, registry: str, count: int) -> Request:
    """Return a request for a proof with the list of what is mortgaged, to be drawn."""
    place = COUNTIES[registry].place
    units = [f"{registry}003004GB{index:05d}F0006{number:04d}" for number in range(1, count + 1)]
    request = proof(
        index,
        registry,
        units=units,
        unit_number=f"{spaced(units[0])}等{count}个",
        location=f"{place}中央大街{index}号阳光新城三期",
        notes=f"详见抵押物清单，共{count}项",
    )
    request["document"]["collateral"] = [
        {
            "unit_number": spaced(unit),
            "certificate": f"黑（2021）{place}不动产权第{number:07d}号",
            "location": f"{place}中央大街{index}号阳光新城三期{number % 6 + 1}号楼2单元{number % 18 + 1}01室",
            "usage": "住宅",
            "area": f"{80 + number}.{number % 100:02d}㎡",
            "amount": f"{30 + number % 7}.50万元",
            "notes": "",
        }
        for number, unit in enumerate(units, 1)
    ]
    return request


def homestead(annexes: list[Request]) -> Request:
    return certificate(
        106,
        NORTH,
        units=[HOMESTEAD_UNIT],
        right_type="宅基地使用权/房屋（构筑物）所有权",
        right_nature="批准拨用/自建房",
        usage="农村宅基地/住宅",
        area=f"宗地面积{drawings.area_of(HOMESTEAD):.2f}㎡/房屋建筑面积96.40㎡",
        term="",
        annexes=annexes,
    )


def factory(annexes: list[Request]) -> Request:
    return certificate(
        107,
        SOUTH,
        units=[FACTORY_UNIT],
        holder="绥化市北林区兴和朝鲜族乡丰收粮食种植加工专业合作社联合社有限责任公司",
        right_type="国有建设用地使用权",
        right_nature="出让",
        usage="工业用地",
        area=f"宗地面积{drawings.area_of(FACTORY):.2f}㎡",
        annexes=annexes,
    )


def orchard(annexes: list[Request]) -> Request:
    """Return a parcel of many corners, with a hole, beside a plan."""
    return certificate(
        134,
        SOUTH,
        units=[ORCHARD_UNIT],
        right_type="林地使用权",
        right_nature="家庭承包",
        usage="果园",
        area="详见附图",
        annexes=annexes,
    )


def all_fields() -> Request:
    request = certificate(124, NORTH)
    request.update(
        applied_at="2025-03-10T09:05:00+08:00",
        deadline="2025-03-10T10:05:00+08:00",
        channel="window",
        window="5",
        seal="printed",
        booked_by="wk-0218",
        parties=[
            {
                "role": "holder",
                "name": "孙二",
                "id_type": "1",
                "id_number": resident_id("23232419900307401"),
                "mobile": "13900000001",
            }
        ],
    )
    return request


def resident_id(seventeen: str) -> str:
    """Add the check digit of ISO 7064 MOD 11-2."""
    weighed = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(seventeen))
    return seventeen + "10X98765432"[weighed % 11]


def spaced(unit: str) -> str:
    return f"{unit[:6]} {unit[6:12]} {unit[12:19]} {unit[19:]}"


def _request(kind: str, prefix: str, index: int, registry: str, fields: Request, changes: Request) -> Request:
    county = COUNTIES[registry]
    units = changes.pop("units", [f"{registry}003004GB{index:05d}F0005{index:04d}"])
    annexes = changes.pop("annexes", [])
    case = changes.pop("case", {"number": f"{registry}20250310{index}", "ordinal": 1, "of": 1})
    return {
        "request_id": f"sample-{registry}-{index:04d}",
        "registry": registry,
        "hall": HALLS[index % len(HALLS)],
        "case": case,
        "document": {
            "kind": kind,
            "number": {"province": county.province, "year": 2025, "place": county.place, "sequence": f"{index:07d}"},
            "version": 1,
            "booked_on": "2025-03-10",
            "qr": f"{prefix}-{registry}-{index:07d}",
            "units": units,
            "fields": {**fields, "unit_number": spaced(units[0]) if units else "", **changes},
        },
        "annexes": annexes,
    }


def _write(path: Path, value: Request) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else directory())
