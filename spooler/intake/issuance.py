"""Step 1e, of a document that is issued anew (换发, 补发, 更正): what its template asks for, and what it says of the paper before it."""

from collections.abc import Iterator
from datetime import date

from spooler.catalog import number_key
from spooler.errors import Code, Finding, finding
from spooler.intake.request import Issuance, Request
from spooler.render.template.issuance import FIRST, IssuanceRule
from spooler.render.template.issuance import Issuance as Offered

_PATH = "document.issuance"


def issuance_findings(request: Request, offered: Offered, number: str, today: date) -> Iterator[Finding]:
    """Return what is wrong with the request's `issuance`, where it has one."""
    issuance = request.document.issuance
    if issuance is None:
        return
    if issuance.notice is not None and issuance.notice.published_on > today:
        yield finding(f"{_PATH}.notice.published_on", Code.IN_THE_FUTURE)
    rule = offered.rule(issuance.type)
    if rule is None:
        yield finding(f"{_PATH}.type", Code.NOT_WITH_THIS, other=f"kind: {request.document.kind}")
    elif issuance.type == FIRST:
        yield from _first(issuance)
    else:
        yield from _anew(request, issuance, rule, number)


def takes_back_old(request: Request, offered: Offered) -> bool:
    """Say whether the hall has to take the old paper back: the template wants it, and the request does not say that it was done."""
    issuance = request.document.issuance
    rule = None if issuance is None else offered.rule(issuance.type)
    return rule is not None and rule.takes_back and issuance is not None and not issuance.old_returned


def _first(issuance: Issuance) -> Iterator[Finding]:
    for name in ("replaces", "old_returned", "notice"):
        if getattr(issuance, name) is not None:
            yield finding(f"{_PATH}.{name}", Code.NOT_WITH_THIS, other=f"type: {FIRST}")


def _anew(request: Request, issuance: Issuance, rule: IssuanceRule, number: str) -> Iterator[Finding]:
    """Whatever the template asks for, the paper that is replaced is named."""
    for name in ("replaces", *rule.needs):
        if getattr(issuance, name) is None:
            yield finding(f"{_PATH}.{name}", Code.MISSING)
    old, mark = issuance.replaces, rule.notes_must_contain
    if old and (number_key(old.number), old.version) == (number_key(number), request.document.version):
        yield finding(f"{_PATH}.replaces", Code.REPLACES_ITSELF)
    if mark and mark not in request.document.fields["notes"]:
        yield finding("document.fields.notes", Code.NO_REPLACEMENT_MARK, mark=mark)
