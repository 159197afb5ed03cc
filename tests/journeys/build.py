"""Builds valid requests, each with its own number, case and unit; a test varies one part. Synthetic throughout."""

from itertools import count
from typing import Any

PLACES = {
    "231202": "绥化市",
    "231221": "望奎县",
    "231222": "兰西县",
    "231223": "青冈县",
    "231224": "庆安县",
    "231225": "明水县",
    "231226": "绥棱县",
    "231281": "安达市",
    "231282": "肇东市",
    "231283": "海伦市",
}
_numbers = count(500_001)


def a_certificate(registry: str = "231221", hall: str = "231282-01", **fields: str) -> dict[str, Any]:
    """A certificate without annexes: two sheets on one blank."""
    n = next(_numbers)
    unit = _unit(registry, n)
    face = {
        "holder": "张三",
        "co_ownership": "单独所有",
        "location": f"{PLACES[registry]}中直路{n}号",
        "unit_number": _spaced(unit),
        "right_type": "国有建设用地使用权/房屋（构筑物）所有权",
        "right_nature": "出让/市场化商品房",
        "usage": "城镇住宅用地/住宅",
        "area": "共有宗地面积112702.92㎡/房屋建筑面积81.35㎡",
        "term": "2008年06月01日起2078年05月31日止",
        "other": "房屋结构：钢筋混凝土结构\n房屋总层数：18，所在层：2",
        "notes": f"业务编号：{n}",
    }
    return _request(registry, hall, n, "certificate", unit, {**face, **fields})


def a_proof(registry: str = "231221", hall: str = "231282-01", **fields: str) -> dict[str, Any]:
    """A mortgage's proof: one sheet on one blank."""
    n = next(_numbers)
    unit = _unit(registry, n)
    face = {
        "matter": "抵押权",
        "holder": "中国农业银行股份有限公司绥化分行",
        "obligor": "李四",
        "location": f"{PLACES[registry]}康庄路{n}号",
        "unit_number": _spaced(unit),
        "other": "抵押方式：一般抵押\n担保债权数额：35.00万元",
        "notes": f"业务编号：{n}",
    }
    return _request(registry, hall, n, "proof", unit, {**face, **fields})


def _request(registry: str, hall: str, n: int, kind: str, unit: str, fields: dict[str, str]) -> dict[str, Any]:
    number = {"province": "黑", "year": 2024, "place": PLACES[registry], "sequence": f"{n:07d}"}
    document = {
        "kind": kind,
        "number": number,
        "version": 1,
        "booked_on": "2024-11-15",
        "qr": f"BDC-{registry}-{n}",
        "units": [unit],
        "fields": fields,
    }
    case = {"number": f"{registry}20241115{n}", "ordinal": 1, "of": 1}
    return {
        "request_id": f"journey-{n}",
        "registry": registry,
        "hall": hall,
        "case": case,
        "document": document,
        "annexes": [],
    }


def _unit(registry: str, n: int) -> str:
    return f"{registry}003004GB{n % 100_000:05d}F0005{n % 10_000:04d}"


def _spaced(unit: str) -> str:
    return f"{unit[:6]} {unit[6:12]} {unit[12:19]} {unit[19:]}"
