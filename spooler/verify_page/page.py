"""Draws the page: an answer in, HTML out, with nothing in it from elsewhere and no script."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from zoneinfo import ZoneInfo

from spooler.electronic.validity import Validity
from spooler.verify_page.certificates import Shown
from spooler.verify_page.words import ANSWERS, KINDS, LABELS, SAID, Answer, Language, day_text

CHINA = ZoneInfo("Asia/Shanghai")
_HERE = files("spooler.verify_page")
STYLE = _HERE.joinpath("style.css").read_text(encoding="utf-8").strip()
_PAGE = Template(_HERE.joinpath("page.html").read_text(encoding="utf-8"))
_STYLE_HASH = base64.b64encode(sha256(STYLE.encode()).digest()).decode()

# Nothing is fetched, nothing runs, nobody frames it, and the code in its address is told to nobody.
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Asked:
    """Who asks how: the language, the page's own address, and when."""

    language: Language
    path: str
    at: datetime


def answer_of(shown: Shown | None) -> Answer:
    return "unknown" if shown is None else ANSWERS[shown.validity]


def draw(asked: Asked, answer: Answer, shown: Shown | None = None) -> str:
    """Return the whole page."""
    labels, said = LABELS[asked.language], SAID[asked.language][answer]
    other: Language = "en" if asked.language == "zh" else "zh"
    return _PAGE.substitute(
        lang="zh-CN" if asked.language == "zh" else "en",
        other_lang="en" if other == "en" else "zh-CN",
        other_address=f"{escape(asked.path)}?lang={other}",
        other=labels["other"],
        title=labels["title"],
        headline=said.headline,
        meaning=said.meaning,
        answer=answer,
        style=STYLE,
        facts=_facts(asked, shown) if shown else "",
        form=_form(asked) if answer in ("ask", "unknown") else "",
        foot=labels["foot"],
    )


def _facts(asked: Asked, shown: Shown) -> str:
    language, labels = asked.language, LABELS[asked.language]
    rows = [
        (labels["kind"], KINDS[language].get(shown.kind, shown.kind)),
        (labels["number"], shown.number),
        (labels["registry"], shown.registry),
        (labels["booked_on"], day_text(shown.booked_on, language)),
    ]
    if shown.validity is not Validity.GENUINE:
        since = shown.since.astimezone(CHINA).date()
        rows.append((labels[shown.validity.value], day_text(since, language)))
    rows.append((labels["asked_at"], f"{asked.at.astimezone(CHINA):%Y-%m-%d %H:%M:%S}"))
    return "<dl>" + "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in rows) + "</dl>"


def _form(asked: Asked) -> str:
    labels = LABELS[asked.language]
    return (
        '<form method="get" action="/verify" autocomplete="off">'
        f'<label for="code">{labels["code"]}</label><input id="code" name="code" maxlength="64" inputmode="text"'
        ' autocapitalize="none" spellcheck="false" required>'
        f'<input type="hidden" name="lang" value="{asked.language}"><button>{labels["check"]}</button></form>'
    )
