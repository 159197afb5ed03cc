"""What can go wrong at home, split by who must act; and the closed list of codes that callers see.

HomeError
├── RequestRefused     the records office: the request is wrong, each field named (422)
├── TooLarge           the records office: less, or smaller annexes (413)
├── Unreadable         the records office: not a request at all (400)
├── NotAuthenticated   the caller: no token, or an unknown one (401)
├── TooOften           the caller: unknown tokens, one after the other (429)
├── NotAllowed         the caller: the token does not reach that far (403)
├── NotFound           the caller: no such thing, or not yours (404)
├── Conflict           the caller: something already stands there (409)
├── Destroyed          the caller: it was kept as long as it was to be (410)
└── TryLater           nobody: the same again later (503)

Each code has its sentence here, Chinese first for the clerk, then English. A sentence never repeats a value: values are personal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Code(StrEnum):
    """Every `code` of a problem document."""

    # shape of the request
    MALFORMED = "malformed"
    DUPLICATE_KEY = "duplicate-key"
    MISSING = "missing"
    UNKNOWN_FIELD = "unknown-field"
    TWO_NAMES = "two-names"
    WRONG_TYPE = "wrong-type"
    BAD_FORMAT = "bad-format"
    EMPTY = "empty"
    TOO_LONG = "too-long"
    TOO_MANY = "too-many"
    OUT_OF_RANGE = "out-of-range"
    NOT_A_CHOICE = "not-a-choice"
    # characters
    CONTROL_CHARACTER = "control-character"
    NOT_UNICODE = "not-unicode"
    # what the request says
    UNKNOWN_REGISTRY = "unknown-registry"
    UNKNOWN_HALL = "unknown-hall"
    UNKNOWN_KIND = "unknown-kind"
    NOT_GRANTED = "not-granted"
    HALL_WRITTEN_OFF = "hall-written-off"
    NOT_THE_REGISTRYS = "not-the-registrys"
    UNIT_NUMBER = "unit-number"
    ANOTHER_COUNTY = "another-county"
    REPEATED = "repeated"
    DOES_NOT_MATCH = "does-not-match"
    BEYOND_CASE = "beyond-case"
    IN_THE_FUTURE = "in-the-future"
    BEFORE_APPLICATION = "before-application"
    CHECK_DIGIT = "check-digit"
    NO_SUCH_DATE = "no-such-date"
    NOT_WITH_THIS = "not-with-this"
    REPLACES_ITSELF = "replaces-itself"
    NO_REPLACEMENT_MARK = "no-replacement-mark"
    UNKNOWN_ITEM = "unknown-item"
    ITEM_WITHOUT_DOCUMENT = "item-without-document"
    ITEM_OF_ANOTHER_KIND = "item-of-another-kind"
    # annexes
    ROLE_NOT_ALLOWED = "role-not-allowed"
    NO_CONTENT = "no-content"
    NOT_BASE64 = "not-base64"
    CONTENT_TWICE = "content-twice"
    UNKNOWN_PART = "unknown-part"
    HASH_MISMATCH = "hash-mismatch"
    LENGTH_MISMATCH = "length-mismatch"
    TOO_LARGE = "too-large"
    # what would not print as it should: found by layout, before the seal, which adds sizes and code points
    LAYOUT_OVERFLOW = "does-not-fit"
    NO_GLYPH = "no-glyph"
    PRIVATE_USE = "private-use-character"
    INVALID_CHARACTER = "invalid-character"
    INVISIBLE_CHARACTER = "invisible-character"
    COMBINING_CHARACTER = "combining-character"
    RIGHT_TO_LEFT_CHARACTER = "right-to-left-character"
    FONT_NOT_EMBEDDED = "font-not-embedded"
    ANNEX_UNREADABLE = "annex-unreadable"
    ANNEX_ENCRYPTED = "annex-encrypted"
    ANNEX_TYPE = "annex-type"
    ANNEX_TYPE_DIFFERS = "annex-type-differs"
    ANNEX_PAGES = "annex-pages"
    ANNEX_PAGE_SIZE = "annex-page-size"
    ANNEX_TOO_LARGE = "annex-too-large"
    ANNEX_TOO_COMPLEX = "annex-too-complex"
    ANNEX_COLOURS = "annex-colours"
    ANNEX_ANNOTATIONS = "annex-annotations"
    ANNEX_HIDDEN_LAYERS = "annex-hidden-layers"
    ANNEX_ACTIVE = "annex-active"
    ANNEX_EMPTY = "annex-empty"
    ANNEX_GEOMETRY = "annex-geometry"
    ANNEX_COORDINATES = "annex-coordinates"
    ANNEX_NO_SCALE = "annex-no-scale"
    ANNEX_DISTORTED = "annex-distorted"
    ANNEX_ROLE = "annex-role"
    ANNEX_TWICE = "annex-twice"
    # warnings: said, never refused
    FALLBACK_FACE = "fallback-face"
    ANNEX_SMALL = "annex-small"
    ANNEX_NOT_TO_SCALE = "annex-not-to-scale"
    ANNEX_AREA = "annex-area"
    ANNEX_SYSTEM_UNSURE = "annex-system-unsure"
    ANNEX_THINNED = "annex-thinned"
    ANNEX_OTHER_PARCEL = "annex-other-parcel"
    YEAR_DIFFERS = "year-differs"
    UNKNOWN_AREA = "unknown-area"
    OLD_ID_NUMBER = "old-id-number"
    # the call
    REFUSED = "refused"
    UNAUTHENTICATED = "unauthenticated"
    TOO_OFTEN = "too-often"
    HEAD_TOO_LARGE = "head-too-large"
    TOO_SLOW = "too-slow"
    TOO_BUSY = "too-busy"
    FORBIDDEN = "forbidden"
    WRONG_LOGIN = "wrong-login"
    CROSS_SITE = "cross-site"
    CSRF = "csrf"
    NOT_FOUND = "not-found"
    METHOD_NOT_ALLOWED = "method-not-allowed"
    MEDIA_TYPE = "media-type"
    REQUEST_ID_TAKEN = "request-id-taken"
    ALREADY_REQUESTED = "already-requested"
    ALREADY_REPLACED = "already-replaced"
    REPLACED_NOT_ISSUED = "replaced-not-issued"
    WRONG_STATE = "wrong-state"
    ORDER_OPEN = "order-open"
    SAME_PERSON = "same-person"
    NO_ELECTRONIC = "no-electronic"
    NOT_READY = "not-ready"
    DOCUMENT_DESTROYED = "document-destroyed"
    TRY_LATER = "try-later"
    INTERNAL = "internal"


SENTENCES: dict[Code, tuple[str, str]] = {
    Code.MALFORMED: ("不是合法的 UTF-8 JSON 对象", "not a well-formed UTF-8 JSON object"),
    Code.DUPLICATE_KEY: ("同一对象内键重复", "a key stands twice in one object"),
    Code.MISSING: ("缺少该项", "this field is required"),
    Code.UNKNOWN_FIELD: ("未知字段", "unknown field"),
    Code.TWO_NAMES: ("同一字段用了两个名称：{names}", "one field under two names: {names}"),
    Code.WRONG_TYPE: ("类型不符，应为{chinese}", "wrong type, expected {english}"),
    Code.BAD_FORMAT: ("格式不符：{expected}", "bad format, expected {expected}"),
    Code.EMPTY: ("不能为空", "must not be empty"),
    Code.TOO_LONG: ("超过 {longest} 个字符", "longer than {longest} characters"),
    Code.TOO_MANY: ("超过 {longest} 项", "more than {longest} items"),
    Code.OUT_OF_RANGE: ("超出范围：{expected}", "out of range, expected {expected}"),
    Code.NOT_A_CHOICE: ("应为以下之一：{choices}", "must be one of {choices}"),
    Code.CONTROL_CHARACTER: ("含控制字符 {character}", "holds the control character {character}"),
    Code.NOT_UNICODE: ("含非字符 {character}", "holds {character}, which is no character"),
    Code.UNKNOWN_REGISTRY: ("本系统不服务该登记机构", "this home does not serve that registry"),
    Code.UNKNOWN_HALL: ("未知的受理大厅", "unknown hall"),
    Code.UNKNOWN_KIND: ("未知的证书种类，应为 {choices}", "unknown kind of document, must be one of {choices}"),
    Code.NOT_GRANTED: ("未授权在该大厅打印此类证书", "the registry is not granted to print this kind at that hall"),
    Code.HALL_WRITTEN_OFF: ("该大厅已核销停用", "the hall is written off"),
    Code.NOT_THE_REGISTRYS: ("与登记机构的备案不一致，应为 {expected}", "not the registry's own, expected {expected}"),
    Code.UNIT_NUMBER: ("不是合法的 28 位不动产单元号", "not a 28-character unit number (GB/T 37346)"),
    Code.ANOTHER_COUNTY: ("不动产单元号不属于该登记机构", "the unit lies in another county than the registry"),
    Code.REPEATED: ("与前面的一项重复", "the same as an earlier item"),
    Code.DOES_NOT_MATCH: ("与 {other} 不一致", "does not match {other}"),
    Code.BEYOND_CASE: ("序号大于本案件的证书总数", "the ordinal is beyond the number of documents of the case"),
    Code.IN_THE_FUTURE: ("不能晚于当前时间（北京时间）", "must not lie in the future (Asia/Shanghai)"),
    Code.BEFORE_APPLICATION: ("早于受理时间", "before the time of application"),
    Code.CHECK_DIGIT: ("校验位错误", "the check digit is wrong"),
    Code.NO_SUCH_DATE: ("证件号码中的日期不存在", "the date in the number does not exist"),
    Code.NOT_WITH_THIS: ("{other} 时不应出现", "must not stand here with {other}"),
    Code.REPLACES_ITSELF: ("不能替换自己", "a certificate cannot replace itself"),
    Code.NO_REPLACEMENT_MARK: ("附记须注明“{mark}”", "the notes must hold the word {mark}"),
    Code.UNKNOWN_ITEM: (
        "登记事项目录中没有该代码（certspool items 列出全部）",
        "no registration item has this code (`certspool items` lists them)",
    ),
    Code.ITEM_WITHOUT_DOCUMENT: (
        "该登记事项（{name}）不颁发证书或证明",
        "no document is issued for this item ({english})",
    ),
    Code.ITEM_OF_ANOTHER_KIND: (
        "该登记事项（{name}）应发 {yields}，而 document.kind 为 {kind}",
        "this item ({english}) yields {yields}, and document.kind says {kind}",
    ),
    Code.ROLE_NOT_ALLOWED: (
        "此类证书不应有该附件，或同类附件重复",
        "this kind of document has no such annex, or only one",
    ),
    Code.NO_CONTENT: ("没有附件内容", "the annex has no content, neither inline nor as a part"),
    Code.NOT_BASE64: ("不是合法的 base64", "not base64"),
    Code.CONTENT_TWICE: ("附件内容给了两次", "the content is given twice, inline and as a part"),
    Code.UNKNOWN_PART: ("没有对应附件的部分", "a part that no annex names"),
    Code.HASH_MISMATCH: ("与附件内容的 SHA-256 不一致", "not the SHA-256 of the content"),
    Code.LENGTH_MISMATCH: ("与附件内容的长度不一致", "not the length of the content"),
    Code.TOO_LARGE: ("{size} 字节，上限 {limit} 字节", "{size} bytes, at most {limit} are taken"),
    Code.LAYOUT_OVERFLOW: ("用最小字号仍放不下", "does not fit its place at the smallest size"),
    Code.NO_GLYPH: ("没有可用字形", "no font has a glyph for a character"),
    Code.PRIVATE_USE: ("含私用区字符", "holds a private-use character"),
    Code.INVALID_CHARACTER: ("含无效字符", "holds what is not a character"),
    Code.INVISIBLE_CHARACTER: (
        "含不可见或改变方向的字符 {character}",
        "holds {character}, which is invisible or turns the writing direction",
    ),
    Code.COMBINING_CHARACTER: ("含组合用字符", "holds a combining mark, which cannot be set exactly"),
    Code.RIGHT_TO_LEFT_CHARACTER: ("含从右向左书写的字符", "holds a character of a right-to-left script"),
    Code.FONT_NOT_EMBEDDED: ("附件 PDF 未嵌入字体", "a font of the PDF is not embedded"),
    Code.ANNEX_UNREADABLE: ("附件无法读取", "the file cannot be read"),
    Code.ANNEX_ENCRYPTED: ("附件已加密", "the file is encrypted"),
    Code.ANNEX_TYPE: ("附件类型不能用于此用途", "this type of file does not serve this role"),
    Code.ANNEX_TYPE_DIFFERS: ("附件内容与声明的类型不一致", "the file is not of the type that is said"),
    Code.ANNEX_PAGES: ("附件页数不符", "the number of pages is not what this role takes"),
    Code.ANNEX_PAGE_SIZE: ("附件页面尺寸不合理", "the size of a page is not sensible"),
    Code.ANNEX_TOO_LARGE: ("图像过大", "the image is too large"),
    Code.ANNEX_TOO_COMPLEX: ("附件过于复杂", "the file is too complex"),
    Code.ANNEX_COLOURS: ("图像颜色空间不支持", "the image's colours are of an unknown kind"),
    Code.ANNEX_ANNOTATIONS: ("附件含可见批注", "the file has visible annotations: flatten them"),
    Code.ANNEX_HIDDEN_LAYERS: ("附件含已关闭的图层", "layers of the file are switched off: flatten them"),
    Code.ANNEX_ACTIVE: ("附件含脚本或引用外部数据", "the file holds PostScript, or data kept elsewhere"),
    Code.ANNEX_EMPTY: ("附件中没有可绘内容", "there is nothing to draw in the file"),
    Code.ANNEX_GEOMETRY: ("宗地图形不合法", "the geometry is not a drawable parcel"),
    Code.ANNEX_COORDINATES: (
        "坐标系或坐标次序不被接受",
        "the coordinate system is not known, or north stands before east",
    ),
    Code.ANNEX_NO_SCALE: ("没有合适的整比例尺", "there is no round scale at which the parcel fits its room"),
    Code.ANNEX_DISTORTED: ("图像的像素不是正方形", "the pixels of the picture are not square"),
    Code.ANNEX_ROLE: ("此类证书不应有该附件", "this kind of document has no place for this annex"),
    Code.ANNEX_TWICE: ("同一用途的附图只能有一份", "only one annex of this role has a place"),
    Code.FALLBACK_FACE: ("用备用字体排印，请核对字形", "set in a fallback face: have a look at the character"),
    Code.ANNEX_SMALL: ("附图文字印出小于 1.5 毫米", "lettering of the annex is less than 1.5 mm on paper"),
    Code.ANNEX_NOT_TO_SCALE: ("附图无法保持所称比例尺", "the scale that is stated for the annex cannot be kept"),
    Code.ANNEX_AREA: ("所注面积与坐标计算面积不符", "the stated area is not that of the coordinates"),
    Code.ANNEX_SYSTEM_UNSURE: ("坐标系未注明或与坐标不符", "which coordinates these are is not said, or not true"),
    Code.ANNEX_THINNED: ("界址点过多，部分点号和边长未注", "so many points that not all names and lengths are given"),
    Code.ANNEX_OTHER_PARCEL: ("附图的宗地代码不在不动产单元号之中", "the map's parcel code is not in the unit number"),
    Code.YEAR_DIFFERS: ("证书年份与登簿年份不同", "the year of the number is not the year of booking"),
    Code.UNKNOWN_AREA: ("出生时不存在该地区代码", "no such area code at the date of birth"),
    Code.OLD_ID_NUMBER: ("15 位旧号码，无校验位", "a 15-digit number of the first generation has no check digit"),
    Code.REFUSED: ("请求有误，见 errors", "the request is refused, see errors"),
    Code.UNAUTHENTICATED: ("缺少令牌或令牌无效", "no token, or an unknown one"),
    Code.TOO_OFTEN: (
        "令牌或口令错误次数过多，请稍后再试",
        "too many unknown tokens or wrong passwords, try again later",
    ),
    Code.HEAD_TOO_LARGE: ("请求头过大", "the address and the headers are too large"),
    Code.TOO_SLOW: ("请求未在时限内发完", "the request did not come in time"),
    Code.TOO_BUSY: ("连接数已满，请稍后再试", "too many connections, try again later"),
    Code.FORBIDDEN: ("该令牌无此权限", "the token may not do this"),
    Code.WRONG_LOGIN: ("账号或口令不对", "account or password is wrong"),
    Code.CROSS_SITE: ("请求来自其他网站", "the call comes from another site"),
    Code.CSRF: ("缺少防伪标记", "the header X-CSRF-Token must say the session's csrf"),
    Code.NOT_FOUND: ("不存在", "there is no such thing"),
    Code.METHOD_NOT_ALLOWED: ("不支持该方法", "this method is not offered here"),
    Code.MEDIA_TYPE: ("须为 application/json 或 multipart/form-data", "send application/json or multipart/form-data"),
    Code.REQUEST_ID_TAKEN: ("该 request_id 已用于其他内容", "this request_id was used for other content"),
    Code.ALREADY_REQUESTED: ("该证书已申请打印，见 job_id", "this certificate is already requested, see job_id"),
    Code.ALREADY_REPLACED: (
        "该证书已由另一案件换发、补发或更正，见 job_id",
        "this paper is replaced by another case already, see job_id",
    ),
    Code.REPLACED_NOT_ISSUED: (
        "被替换的证书尚未发证，请先撤回或退回该作业，见 job_id",
        "the paper to be replaced is not handed over yet: cancel or return its job first, see job_id",
    ),
    Code.WRONG_STATE: ("当前状态下不能这样做", "this does not fit the state as it is"),
    Code.ORDER_OPEN: (
        "上一订单尚未由大厅确认结束且无可用纸证",
        "the last order has not ended by the hall's word with no usable paper",
    ),
    Code.NO_ELECTRONIC: (
        "该作业没有电子证照：登记机构未启用，或此类文书不签发",
        "the job has no electronic certificate: its registry issues none, or none of this kind",
    ),
    Code.NOT_READY: ("电子证照正在生成，请稍候再取", "the electronic certificate is being made: ask again in a moment"),
    Code.DOCUMENT_DESTROYED: (
        "保存期限已过，文书内容已销毁；作业、编号与日志仍在",
        "kept as long as it was to be, and destroyed; the job, its serial and its history are still here",
    ),
    Code.SAME_PERSON: ("须由另一人审批", "whoever asked cannot approve"),
    Code.TRY_LATER: ("暂时无法受理，请稍后重试", "not now, try the same again later"),
    Code.INTERNAL: ("系统内部错误", "an error of ours, see the log"),
}


@dataclass(frozen=True)
class Finding:
    """One thing about one field, named by its dotted path as the caller wrote it."""

    field: str
    code: str
    message: str

    def to_json(self) -> dict[str, str]:
        return {"field": self.field, "code": self.code, "message": self.message}


def sentence(code: Code, **facts: object) -> str:
    """Return what is said for this code, Chinese first."""
    chinese, english = SENTENCES[code]
    return f"{chinese.format(**facts)} / {english.format(**facts)}"


def finding(field: str, code: Code, **facts: object) -> Finding:
    """Return a finding with the code's own sentence."""
    return Finding(field, code.value, sentence(code, **facts))


class HomeError(Exception):
    """Something that the caller is told, as a problem document (RFC 9457)."""

    status = 500
    code = Code.INTERNAL

    def __init__(self, detail: str = "", *, errors: Sequence[Finding] = (), **members: Any) -> None:
        super().__init__(detail or sentence(self.code))
        self.errors = tuple(errors)
        self.members = members

    @property
    def detail(self) -> str:
        return str(self)


class RequestRefused(HomeError):
    """The request is wrong; `errors` name each field."""

    status = 422
    code = Code.REFUSED

    def __init__(self, errors: Sequence[Finding]) -> None:
        super().__init__(errors=errors)


class Unreadable(HomeError):
    status = 400
    code = Code.MALFORMED


class WrongMediaType(HomeError):
    status = 415
    code = Code.MEDIA_TYPE


class TooLarge(HomeError):
    status = 413
    code = Code.TOO_LARGE

    def __init__(self, field: str, size: int | str, limit: int) -> None:
        found = finding(field, Code.TOO_LARGE, size=size, limit=limit)
        super().__init__(found.message, errors=(found,), limit=limit)


class NotAuthenticated(HomeError):
    status = 401
    code = Code.UNAUTHENTICATED


class TooOften(HomeError):
    status = 429
    code = Code.TOO_OFTEN

    def __init__(self, retry_seconds: int) -> None:
        super().__init__()
        self.retry_seconds = retry_seconds


class NotAllowed(HomeError):
    status = 403
    code = Code.FORBIDDEN


class NotFound(HomeError):
    status = 404
    code = Code.NOT_FOUND


class Conflict(HomeError):
    """Something already stands there: another content under this id, another job for this right."""

    status = 409
    code = Code.WRONG_STATE


class RequestIdTaken(Conflict):
    code = Code.REQUEST_ID_TAKEN


class AlreadyRequested(Conflict):
    code = Code.ALREADY_REQUESTED


class AlreadyReplaced(Conflict):
    code = Code.ALREADY_REPLACED


class ReplacedNotIssued(Conflict):
    code = Code.REPLACED_NOT_ISSUED


class OrderOpen(Conflict):
    code = Code.ORDER_OPEN


class SamePerson(HomeError):
    status = 403
    code = Code.SAME_PERSON


class NoElectronic(NotFound):
    code = Code.NO_ELECTRONIC


class NotReady(Conflict):
    """It is being made: ask again in a moment."""

    code = Code.NOT_READY


class Destroyed(HomeError):
    """What concerned persons is destroyed, as the time set for it says."""

    status = 410
    code = Code.DOCUMENT_DESTROYED


class TryLater(HomeError):
    status = 503
    code = Code.TRY_LATER
