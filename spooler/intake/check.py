"""Step 1: from a body to a checked and rendered request, or everything that is wrong with it.

    read    JSON, names, shape, annex bytes: what the body says, and its digest
    check   rules, then layout by the renderer: whether it can be printed as it must be

Between the two the caller may ask whether this very request is already kept: then the second is not needed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from types import MappingProxyType
from typing import Protocol, TypeVar

from spooler.errors import Code, Finding, RequestRefused, TooLarge, finding
from spooler.intake import rules
from spooler.intake.annexes import read_annexes
from spooler.intake.issuance import takes_back_old
from spooler.intake.names import Written, to_our_names
from spooler.intake.reading import read_json
from spooler.intake.request import Request
from spooler.intake.shape import shape
from spooler.items import Item
from spooler.render.content import AnnexFile, Content, Number, Rendered, Unprintable
from spooler.render.content import Finding as LayoutFinding
from spooler.render.template.issuance import Issuance
from spooler.wire import strict
from spooler.wire.messages import Check
from spooler.wire.trust import Trust

# The order adds the seal, the ticket and the wrapping to the rendered pages, and is at most 12 MiB.
MAX_RENDERED_BYTES = (12 << 20) - (512 << 10)
T = TypeVar("T")
HOUR = timedelta(minutes=60)
WITHOUT_APPLICATION = timedelta(minutes=15)


class Layout(Protocol):
    """Step 2, as intake needs it."""

    def print_document(self, content: Content) -> Rendered: ...

    def issuance(self, kind: str, version: int | None) -> Issuance: ...


@dataclass(frozen=True)
class Received:
    """A well-formed request, under our names, with its annexes' bytes."""

    request: Request
    annexes: tuple[bytes, ...]
    digest: str
    written: Written


@dataclass(frozen=True)
class Checked:
    """A request that will print."""

    request: Request
    annexes: tuple[bytes, ...]
    digest: str
    number: str
    rendered: Rendered
    warnings: tuple[Finding, ...]
    deadline: datetime
    takes_back_old: bool = False


class Checker:
    """Judges requests against trust, layout and clock; keeps nothing.

    `templates`: by registry, the version of a kind that it prints. `items`: the catalogue of registration items.
    `check_sheets`: by registry, whether the applicant reads a sheet over before the first blank is used.
    """

    def __init__(
        self,
        *,
        trust: Trust,
        served: frozenset[str],
        layout: Layout,
        clock: Callable[[], datetime],
        is_closed: Callable[[str], bool] = lambda hall: False,
        templates: Mapping[str, Mapping[str, int]] = MappingProxyType({}),
        items: Mapping[str, Item] = MappingProxyType({}),
        check_sheets: Mapping[str, Check] = MappingProxyType({}),
    ) -> None:
        self._check_sheets = check_sheets
        self._trust = trust
        self._templates = templates
        self._is_closed = is_closed
        self._served = served
        self._layout = layout
        self._clock = clock
        self._items = items

    def read(self, body: bytes, parts: Mapping[str, bytes] | None = None) -> Received:
        """Return what the body says, or raise RequestRefused."""
        return read_request(body, parts or {})

    def check(self, received: Received) -> Checked:
        """Return the request with its print document; RequestRefused names every field that stands in the way."""
        request, now = received.request, self._clock()
        issuance = self._layout.issuance(request.document.kind, self._version(request))
        found = rules.errors(request, rules.Standing(self._trust, self._served, now, self._items, issuance))
        if not found and self._is_closed(request.hall):
            found = [finding("hall", Code.HALL_WRITTEN_OFF)]
        if found:
            raise RequestRefused(_as_written(found, received.written))
        rendered = self._render(received)
        warnings = [*rules.warnings(request), *_of_layout(rendered.warnings)]
        return Checked(
            request=request,
            annexes=received.annexes,
            digest=received.digest,
            number=rules.number_of(request),
            rendered=rendered,
            warnings=tuple(_as_written(warnings, received.written)),
            deadline=deadline_of(request, now),
            takes_back_old=takes_back_old(request, issuance),
        )

    def _render(self, received: Received) -> Rendered:
        request = received.request
        versions = self._templates.get(request.registry, {})
        version = self._version(request)

        def draw(content: Content) -> Rendered:
            check = self._check_sheets.get(request.registry)
            chosen = replace(content, template_version=version, sheet_versions=versions, check=check)
            return self._layout.print_document(chosen)

        rendered = lay_out(received, self._trust.registries[request.registry].name, draw)
        if len(rendered.pdf) > MAX_RENDERED_BYTES and not request.annexes:
            size = finding("document", Code.TOO_LARGE, size=len(rendered.pdf), limit=MAX_RENDERED_BYTES)
            raise RequestRefused([size])
        if len(rendered.pdf) > MAX_RENDERED_BYTES:
            raise TooLarge("annexes", len(rendered.pdf), MAX_RENDERED_BYTES)
        return rendered

    def _version(self, request: Request) -> int | None:
        """Return the version of the template that the registry names; None is the newest."""
        return self._templates.get(request.registry, {}).get(request.document.kind)


def read_request(body: bytes, parts: Mapping[str, bytes]) -> Received:
    """Return what the body says; RequestRefused names every field that cannot be read."""
    values, found = read_json(body)
    renamed, written, doubled = to_our_names(values)
    request, misshapen = shape(renamed, written)
    found += doubled + misshapen
    if request is None or found:
        raise RequestRefused(_once(found))
    annexes = read_annexes(request.annexes, parts)
    if annexes.errors:
        raise RequestRefused(annexes.errors)
    return Received(request, tuple(annexes.contents), digest_of(request), written)


def lay_out(received: Received, registry_name: str, draw: Callable[[Content], T]) -> T:
    """Return what `draw` makes of the request; RequestRefused names every field that does not print as it must."""
    try:
        return draw(content_of(received, registry_name))
    except Unprintable as e:
        raise RequestRefused(_as_written(_of_layout(e.findings), received.written)) from None


def content_of(received: Received, registry_name: str) -> Content:
    """Return what the renderer draws."""
    request, document = received.request, received.request.document
    files = tuple(
        AnnexFile(entry.role, entry.name, entry.media_type, content, entry.scale)
        for entry, content in zip(request.annexes, received.annexes, strict=True)
    )
    return Content(
        kind=document.kind,
        registry_name=registry_name,
        number=Number(**document.number.model_dump()),
        booked_on=document.booked_on,
        qr=document.qr,
        fields=dict(document.fields),
        seal=request.seal,
        annexes=files,
        collateral=tuple(row.model_dump() for row in document.collateral or ()),
        case=request.case.number,
    )


def digest_of(request: Request) -> str:
    """Return the hash by which two requests are the same: our names, defaults filled in, annexes by their hashes."""
    return sha256(strict.canonical(request.model_dump(mode="json"))).hexdigest()


def deadline_of(request: Request, now: datetime) -> datetime:
    """Return until when the paper is due: as asked, else an hour from application, else a quarter from now."""
    if request.deadline is not None:
        return request.deadline
    return request.applied_at + HOUR if request.applied_at is not None else now + WITHOUT_APPLICATION


def _of_layout(findings: Iterable[LayoutFinding]) -> list[Finding]:
    """Return the renderer's findings with paths of the request: `fields.holder` is `document.fields.holder`."""
    return [Finding(_path_of_layout(item.field), item.code, item.message) for item in findings]


def _path_of_layout(field: str) -> str:
    return field if field.startswith("annexes") else f"document.{field}"


def _once(found: list[Finding]) -> list[Finding]:
    """Drop what two checks say alike."""
    return list({(item.field, item.code): item for item in found}.values())


def _as_written(found: list[Finding], written: Written) -> list[Finding]:
    return [Finding(written.path(item.field), item.code, item.message) for item in found]
