"""Every word on the page, Chinese first; English for those who ask for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from spooler.electronic.validity import Validity

Language = Literal["zh", "en"]
Answer = Literal["genuine", "withdrawn", "superseded", "unknown", "busy", "away", "ask"]


@dataclass(frozen=True)
class Said:
    """One answer: a headline, and what it means for the person who asked."""

    headline: str
    meaning: str


SAID: Mapping[Language, Mapping[Answer, Said]] = {
    "zh": {
        "genuine": Said(
            "真实有效", "本证照由下列登记机构签发，目前有效。请核对证照上的编号、登记机构与登簿日期是否与下列一致。"
        ),
        "withdrawn": Said("已注销", "本证照由下列登记机构签发，但已注销，不再有效。"),
        "superseded": Said("已被取代", "本证照由下列登记机构签发，但已被新证取代，不再有效。请向持证人索取新证。"),
        "unknown": Said(
            "查无此证", "没有与该验证码对应的证照。请核对网址或验证码；仍查不到的，请向登记机构核实，不要采信该证照。"
        ),
        "busy": Said("查询过于频繁", "请稍候一分钟再查。"),
        "away": Said("暂时无法查询", "系统暂时无法查询，请稍后再试。这不说明证照的真假。"),
        "ask": Said("不动产证照查验", "请扫描证照上的二维码，或输入二维码中的验证码（26 位字母和数字）。"),
    },
    "en": {
        "genuine": Said(
            "Genuine and valid",
            "Issued by the registry named below, and valid now. Compare the number, the registry and the date of "
            "registration with those on the certificate at hand.",
        ),
        "withdrawn": Said("Withdrawn", "Issued by the registry named below, but withdrawn: it is no longer valid."),
        "superseded": Said(
            "Superseded",
            "Issued by the registry named below, but replaced by a newer one: it is no longer valid. Ask for the newer one.",
        ),
        "unknown": Said(
            "Unknown",
            "No certificate has this code. Check the address or the code; if it is still not found, ask the registry and "
            "do not rely on the certificate.",
        ),
        "busy": Said("Too many questions", "Please ask again in a minute."),
        "away": Said("Not available now", "Please try again later. This says nothing about the certificate."),
        "ask": Said(
            "Certificate check", "Scan the QR code on the certificate, or type its code (26 letters and digits)."
        ),
    },
}
KINDS: Mapping[Language, Mapping[str, str]] = {
    "zh": {"certificate": "不动产权证书", "proof": "不动产登记证明"},
    "en": {"certificate": "Certificate of real-estate right", "proof": "Proof of registration"},
}
LABELS: Mapping[Language, Mapping[str, str]] = {
    "zh": {
        "kind": "证照",
        "number": "编号",
        "registry": "登记机构",
        "booked_on": "登簿日期",
        "withdrawn": "注销日期",
        "superseded": "取代日期",
        "asked_at": "查询时间",
        "code": "验证码",
        "check": "查验",
        "foot": "本页只说明证照是否有效，不显示权利人、坐落等信息。",
        "other": "English",
        "title": "不动产证照查验",
    },
    "en": {
        "kind": "Document",
        "number": "Number",
        "registry": "Registry",
        "booked_on": "Registered on",
        "withdrawn": "Withdrawn on",
        "superseded": "Superseded on",
        "asked_at": "Asked at",
        "code": "Code",
        "check": "Check",
        "foot": "This page only says whether a certificate is valid. It shows no holder, place or right.",
        "other": "中文",
        "title": "Certificate check",
    },
}
ANSWERS: Mapping[Validity, Answer] = {
    Validity.GENUINE: "genuine",
    Validity.WITHDRAWN: "withdrawn",
    Validity.SUPERSEDED: "superseded",
}


def day_text(day: date, language: Language) -> str:
    return f"{day.year}年{day.month}月{day.day}日" if language == "zh" else day.isoformat()
