"""What is printed: the kinds of document, the fields of each, and the counties that the software was written for.

Labels and field codes are those of the registration systems (不动产登记数据库标准). The values of the fields are printed text that
the home county decides; nothing here rewrites them. The place string of a registry comes from its trust record at run time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from spooler.wire.messages import Stock


@dataclass(frozen=True)
class FieldSpec:
    """One printed field: our name, the code that registration systems use, and what a request must give."""

    name: str
    code: str
    label: str
    longest: int
    may_be_empty: bool = False


@dataclass(frozen=True)
class Kind:
    """One kind of document."""

    id: str
    label: str
    number_word: str
    stock: Stock
    fields: tuple[FieldSpec, ...]
    annex_roles: frozenset[str]
    named_for: str = "holder"  # the field with the person whom the hall searches for and hands over to
    may_lack_units: bool = False  # it may say that somebody has nothing here

    @property
    def is_plain(self) -> bool:
        """Say whether it is printed on white paper, with its whole face and without a serial."""
        return self.stock is Stock.PLAIN

    def field(self, name: str) -> FieldSpec | None:
        return next((spec for spec in self.fields if spec.name == name), None)


@dataclass(frozen=True)
class County:
    """A registry of domain.md §4 by its GB/T 2260 code, with what stands in its numbers."""

    code: str
    name: str
    province: str
    place: str


CERTIFICATE = Kind(
    id="certificate",
    label="不动产权证书",
    number_word="不动产权",
    stock=Stock.CERTIFICATE,
    fields=(
        FieldSpec("holder", "qlr", "权利人", 600),
        FieldSpec("co_ownership", "gyqk", "共有情况", 600),
        FieldSpec("location", "zl", "坐落", 400),
        FieldSpec("unit_number", "bdcdyh", "不动产单元号", 400),
        FieldSpec("right_type", "qllx", "权利类型", 200),
        FieldSpec("right_nature", "qlxz", "权利性质", 200),
        FieldSpec("usage", "yt", "用途", 400),
        FieldSpec("area", "mj", "面积", 400),
        FieldSpec("term", "syqx", "使用期限", 400, may_be_empty=True),
        FieldSpec("other", "qlqtzk", "权利其他状况", 2000, may_be_empty=True),
        FieldSpec("notes", "fj", "附记", 4000, may_be_empty=True),
    ),
    annex_roles=frozenset({"parcel_map", "unit_plan", "collateral_list", "attachment"}),
)

PROOF = Kind(
    id="proof",
    label="不动产登记证明",
    number_word="不动产证明",
    stock=Stock.PROOF,
    fields=(
        FieldSpec("matter", "zmqlsx", "证明权利或事项", 200),
        FieldSpec("holder", "qlr", "权利人（申请人）", 400),
        FieldSpec("obligor", "ywr", "义务人", 400, may_be_empty=True),
        FieldSpec("location", "zl", "坐落", 400),
        FieldSpec("unit_number", "bdcdyh", "不动产单元号", 400),
        FieldSpec("other", "qt", "其他", 1000, may_be_empty=True),
        FieldSpec("notes", "fj", "附记", 1000, may_be_empty=True),
    ),
    annex_roles=frozenset({"collateral_list", "attachment"}),
)

# Halls answer more queries of the archive than they print certificates. No registration system's field codes for it were found
# in public specifications: ours are made as theirs are, of the labels' initials.
RECORD = Kind(
    id="record",
    label="档案查询结果证明",
    number_word="不动产查询",
    stock=Stock.PLAIN,
    fields=(
        FieldSpec("applicant", "cxr", "查询人", 400),
        FieldSpec("purpose", "cxmd", "查询目的", 200),
        FieldSpec("content", "cxnr", "查询内容", 400),
        FieldSpec("location", "zl", "坐落", 400, may_be_empty=True),
        FieldSpec("unit_number", "bdcdyh", "不动产单元号", 400, may_be_empty=True),
        FieldSpec("result", "cxjg", "查询结果", 4000),
        FieldSpec("notes", "bz", "备注", 1000, may_be_empty=True),
    ),
    annex_roles=frozenset(),
    named_for="applicant",
    may_lack_units=True,
)

KINDS: Mapping[str, Kind] = MappingProxyType({kind.id: kind for kind in (CERTIFICATE, PROOF, RECORD)})

# What a row of document.collateral says (抵押物清单).
COLLATERAL_FIELDS = (
    FieldSpec("unit_number", "bdcdyh", "不动产单元号", 64),
    FieldSpec("certificate", "bdcqzh", "不动产权证号", 200, may_be_empty=True),
    FieldSpec("location", "zl", "坐落", 400),
    FieldSpec("usage", "yt", "用途", 100, may_be_empty=True),
    FieldSpec("area", "mj", "面积", 100, may_be_empty=True),
    FieldSpec("amount", "zqse", "债权数额", 100, may_be_empty=True),
    FieldSpec("notes", "bz", "备注", 200, may_be_empty=True),
)

# The four separate strings of the number line: our name and the field code.
HEADER_CODES: Mapping[str, str] = MappingProxyType(
    {"province": "sqsjc", "year": "nf", "place": "szsxqc", "sequence": "zhlsh"}
)

# Annexes of these roles share the frame of pass C; a document has at most one of each.
FRAME_ROLES = ("parcel_map", "unit_plan")
MEDIA_TYPES = ("application/pdf", "image/png", "image/jpeg", "image/tiff", "application/geo+json")

_SUIHUA = {
    "231202": ("北林区", "绥化市"),
    "231221": ("望奎县", "望奎县"),
    "231222": ("兰西县", "兰西县"),
    "231223": ("青冈县", "青冈县"),
    "231224": ("庆安县", "庆安县"),
    "231225": ("明水县", "明水县"),
    "231226": ("绥棱县", "绥棱县"),
    "231281": ("安达市", "安达市"),
    "231282": ("肇东市", "肇东市"),
    "231283": ("海伦市", "海伦市"),
}
# Ningbo writes the districts with the city before them and without 区.
_NINGBO = {
    "330203": ("海曙区", "宁波市海曙"),
    "330205": ("江北区", "宁波市江北"),
    "330206": ("北仑区", "宁波市北仑"),
    "330211": ("镇海区", "宁波市镇海"),
    "330212": ("鄞州区", "宁波市鄞州"),
    "330213": ("奉化区", "宁波市奉化"),
    "330225": ("象山县", "象山县"),
    "330226": ("宁海县", "宁海县"),
    "330281": ("余姚市", "余姚市"),
    "330282": ("慈溪市", "慈溪市"),
}

COUNTIES: Mapping[str, County] = MappingProxyType(
    {
        code: County(code, name, province, place)
        for province, counties in (("黑", _SUIHUA), ("浙", _NINGBO))
        for code, (name, place) in counties.items()
    }
)


def number_text(kind: str, *, province: str, year: int, place: str, sequence: str) -> str:
    """Return the number as it is read aloud: 黑（2024）望奎县不动产权第0001234号."""
    return f"{province}（{year}）{place}{KINDS[kind].number_word}第{sequence}号"


def number_key(number: str) -> str:
    """Return the same text for the same number: brackets of both widths occur (domain.md §4)."""
    return "".join(number.split()).translate({ord("("): "（", ord(")"): "）", ord("〔"): "（", ord("〕"): "）"})
