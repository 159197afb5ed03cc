"""Step 1e: what several fields, the trust records and the clock decide about a well-formed request.

Each rule yields findings; none stops another. Dates are days of Asia/Shanghai, which has been +08:00 without summer time since 1991.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone

from spooler.catalog import FRAME_ROLES, KINDS, number_text
from spooler.errors import Code, Finding, finding
from spooler.intake.identity import id_number_errors, id_number_warnings
from spooler.intake.issuance import issuance_findings
from spooler.intake.request import AnnexIn, DocumentIn, Request
from spooler.intake.units import names_the_units, unit_findings
from spooler.items import NONE, Item
from spooler.render.template.issuance import ONCE, Issuance
from spooler.wire.trust import Trust

SHANGHAI = timezone(timedelta(hours=8))
CLOCK_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True)
class Standing:
    """What a request is judged against: whom we trust, which registries this home serves, the time.

    `items` is the catalogue of registration items, `issuance` how the request's template may be issued anew.
    """

    trust: Trust
    served: frozenset[str]
    now: datetime
    items: Mapping[str, Item] = field(default_factory=dict)
    issuance: Issuance = ONCE

    @property
    def today(self) -> date:
        return self.now.astimezone(SHANGHAI).date()


Rule = Callable[[Request, Standing], Iterator[Finding]]


def errors(request: Request, standing: Standing) -> list[Finding]:
    """Return all that is wrong, under our names."""
    return [found for rule in RULES for found in rule(request, standing)]


def warnings(request: Request) -> list[Finding]:
    """Return what is strange but not wrong, under our names."""
    found = []
    if request.document.number.year != request.document.booked_on.year:
        found.append(finding("document.number.year", Code.YEAR_DIFFERS))
    for index, party in enumerate(request.parties):
        for code in id_number_warnings(party.id_type, party.id_number):
            found.append(finding(f"parties.{index}.id_number", code))
    return found


def _places(request: Request, standing: Standing) -> Iterator[Finding]:
    known = request.registry in standing.served and request.registry in standing.trust.registries
    if not known:
        yield finding("registry", Code.UNKNOWN_REGISTRY)
    if request.hall not in standing.trust.halls:
        yield finding("hall", Code.UNKNOWN_HALL)
    elif known and not standing.trust.may_print(request.registry, request.hall, request.document.kind):
        yield finding("hall", Code.NOT_GRANTED)


def _number(request: Request, standing: Standing) -> Iterator[Finding]:
    record = standing.trust.registries.get(request.registry)
    if record is None:
        return
    number = request.document.number
    for name, given, own in (("province", number.province, record.province), ("place", number.place, record.place)):
        if given != own:
            yield finding(f"document.number.{name}", Code.NOT_THE_REGISTRYS, expected=own)


def _units(request: Request, standing: Standing) -> Iterator[Finding]:
    document = request.document
    found = list(unit_findings(document.units, request.registry))
    yield from found
    if not document.units and not document.fields["unit_number"]:
        return  # of a kind that may lack them: a query that found nothing
    if not found and not names_the_units(document.fields["unit_number"], document.units):
        yield finding("document.fields.unit_number", Code.DOES_NOT_MATCH, other="document.units")


def _collateral(request: Request, standing: Standing) -> Iterator[Finding]:
    """A list that we draw is about the document's units, each once, and is the only list."""
    document = request.document
    if document.collateral is None:
        return
    if "collateral_list" not in KINDS[document.kind].annex_roles:
        yield finding("document.collateral", Code.NOT_WITH_THIS, other=f"kind: {document.kind}")
        return
    for index, annex in enumerate(request.annexes):
        if annex.role == "collateral_list":
            yield finding("document.collateral", Code.NOT_WITH_THIS, other=f"annexes.{index}: collateral_list")
    yield from _listed_units(document)


def _listed_units(document: DocumentIn) -> Iterator[Finding]:
    units, seen = frozenset(document.units), set[str]()
    for index, row in enumerate(document.collateral or ()):
        unit, path = "".join(row.unit_number.split()), f"document.collateral.{index}.unit_number"
        if unit in seen:
            yield finding(path, Code.REPEATED)
        elif unit not in units:
            yield finding(path, Code.DOES_NOT_MATCH, other="document.units")
        seen.add(unit)
    missing = [index for index, unit in enumerate(document.units) if unit not in seen]
    if missing:
        yield finding(f"document.units.{missing[0]}", Code.DOES_NOT_MATCH, other="document.collateral")


def _case(request: Request, standing: Standing) -> Iterator[Finding]:
    if request.case.ordinal > request.case.of:
        yield finding("case.ordinal", Code.BEYOND_CASE)


def _item(request: Request, standing: Standing) -> Iterator[Finding]:
    """What is booked decides which document there is, if any."""
    if request.item is None:
        return
    item, kind = standing.items.get(request.item), request.document.kind
    if item is None:
        yield finding("item", Code.UNKNOWN_ITEM)
        return
    facts = {"name": item.name, "english": item.english, "yields": item.yields, "kind": kind}
    if item.yields == NONE:
        yield finding("item", Code.ITEM_WITHOUT_DOCUMENT, **facts)
    elif item.yields != kind:
        yield finding("item", Code.ITEM_OF_ANOTHER_KIND, **facts)
    issuance = request.document.issuance
    if item.issuance is not None and (issuance is None or issuance.type != item.issuance):
        path = "document.issuance" if issuance is None else "document.issuance.type"
        yield finding(path, Code.DOES_NOT_MATCH, other=f"item: {item.issuance}")


def _times(request: Request, standing: Standing) -> Iterator[Finding]:
    if request.document.booked_on > standing.today:
        yield finding("document.booked_on", Code.IN_THE_FUTURE)
    if request.applied_at is None:
        return
    if request.applied_at > standing.now + CLOCK_TOLERANCE:
        yield finding("applied_at", Code.IN_THE_FUTURE)
    if request.deadline is not None and request.deadline < request.applied_at:
        yield finding("deadline", Code.BEFORE_APPLICATION)


def _parties(request: Request, standing: Standing) -> Iterator[Finding]:
    for index, party in enumerate(request.parties):
        for code in id_number_errors(party.id_type, party.id_number, standing.today):
            yield finding(f"parties.{index}.id_number", code, expected="GB 11643, GB 32100")


def _issuance(request: Request, standing: Standing) -> Iterator[Finding]:
    yield from issuance_findings(request, standing.issuance, number_of(request), standing.today)


def _annexes(request: Request, standing: Standing) -> Iterator[Finding]:
    allowed = KINDS[request.document.kind].annex_roles
    names: set[str] = set()
    roles: list[str] = []
    for index, annex in enumerate(request.annexes):
        if annex.role not in allowed or (annex.role in FRAME_ROLES and annex.role in roles):
            yield finding(f"annexes.{index}.role", Code.ROLE_NOT_ALLOWED)
        if annex.scale is not None and (other := _has_no_scale(annex)):
            yield finding(f"annexes.{index}.scale", Code.NOT_WITH_THIS, other=other)
        if annex.name in names:
            yield finding(f"annexes.{index}.name", Code.REPEATED)
        names.add(annex.name)
        roles.append(annex.role)


def _has_no_scale(annex: AnnexIn) -> str | None:
    """Return what keeps an annex from having a scale of its own: coordinates say it themselves, a list has none."""
    if annex.media_type == "application/geo+json":
        return f"media_type: {annex.media_type}"
    return None if annex.role in FRAME_ROLES else f"role: {annex.role}"


RULES: tuple[Rule, ...] = (_places, _number, _units, _collateral, _case, _item, _times, _parties, _issuance, _annexes)


def number_of(request: Request) -> str:
    """Return the number as printed and as unique in the registry."""
    number = request.document.number
    return number_text(
        request.document.kind,
        province=number.province,
        year=number.year,
        place=number.place,
        sequence=number.sequence,
    )
