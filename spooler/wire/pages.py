"""The inside of a document: pages of true size, and nothing that acts, hides or is fetched from elsewhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader

from spooler.wire.refusal import Refusal, RefusalCode

MM_PER_POINT = 25.4 / 72
_MAX_OBJECTS = 50_000
_MAX_PAGES = 200

# Actions, layers, alternates and forms: what is printed could differ from what was seen when it was sealed.
_FORBIDDEN_KEYS = frozenset(
    {
        *("/OpenAction", "/AA", "/JS", "/JavaScript", "/XFA", "/URI", "/RichMediaContent", "/Collection"),
        *("/OCProperties", "/OC", "/Alternates", "/OPI", "/Ref"),
    }
)
_ACTIONS = frozenset(
    {
        *("/JavaScript", "/Launch", "/GoToR", "/GoToE", "/URI", "/SubmitForm", "/ResetForm", "/ImportData", "/Hide"),
        *("/Rendition", "/Movie", "/Sound", "/Named", "/SetOCGState", "/GoTo3DView", "/RichMediaExecute"),
    }
)


@dataclass(frozen=True)
class PageSize:
    width_mm: float
    height_mm: float


def page_sizes(reader: PdfFileReader) -> tuple[PageSize, ...]:
    """Return the size of each page; a turned, scaled or cropped page is refused, since printers disagree about those."""
    return tuple(_size(page) for page in _pages(reader))


def check_passive(reader: PdfFileReader, signature_field: generic.DictionaryObject) -> None:
    """Return if there is nothing in the document but pages, its seal and one attached file."""
    attached = 0
    for value in _reachable(reader):
        attached += "/EF" in value
        for annotation in entry(value, "/Annots", ()):
            if annotation.get_object() is not signature_field:
                raise Refusal(RefusalCode.ACTIVE_CONTENT, "a page has an annotation")
        _check_dictionary(value)
    if attached != 1:
        raise Refusal(RefusalCode.ACTIVE_CONTENT, f"{attached} files are attached, must be the ticket alone")


def entry(value: Any, key: str, default: Any = None) -> Any:
    """Return what stands under `key`, followed to the object itself (a dictionary's own `get` stops at the reference)."""
    return value[key] if key in value else default  # noqa: SIM401  # get would not follow it


def _check_dictionary(value: generic.DictionaryObject) -> None:
    forbidden = _FORBIDDEN_KEYS & value.keys()
    if forbidden:
        raise Refusal(RefusalCode.ACTIVE_CONTENT, f"it has {', '.join(sorted(forbidden))}")
    if entry(value, "/S") in _ACTIONS or entry(value, "/Subtype") == "/PS":
        raise Refusal(RefusalCode.ACTIVE_CONTENT, "it has an action")
    if isinstance(value, generic.StreamObject) and {"/F", "/FFilter"} & value.keys():
        raise Refusal(RefusalCode.ACTIVE_CONTENT, "it fetches data from another file")


def _reachable(reader: PdfFileReader) -> Iterator[generic.DictionaryObject]:
    """Yield every dictionary, streams' too, that can be reached from the trailer."""
    seen: set[Any] = set()
    waiting: list[Any] = [reader.trailer.raw_get("/Root")]
    while waiting:
        value = waiting.pop()
        if isinstance(value, generic.IndirectObject):
            if value.reference in seen:
                continue
            seen.add(value.reference)
            value = value.get_object()  # type: ignore[no-untyped-call]
        if len(seen) > _MAX_OBJECTS:
            raise Refusal(RefusalCode.PDF_FORMAT, f"more than {_MAX_OBJECTS} objects")
        if isinstance(value, generic.DictionaryObject):
            yield value
            waiting.extend(value.raw_get(key) for key in value)
        elif isinstance(value, generic.ArrayObject):
            waiting.extend(value.raw_get(index) for index in range(len(value)))


def _pages(reader: PdfFileReader) -> Iterator[dict[str, Any]]:
    """Yield each page's own and inherited entries, in order."""
    waiting: list[tuple[Any, dict[str, Any]]] = [(reader.root["/Pages"], {})]
    steps = 0
    while waiting:
        node, inherited = waiting.pop()
        steps += 1
        if steps > 2 * _MAX_PAGES:
            raise Refusal(RefusalCode.PDF_FORMAT, f"more than {_MAX_PAGES} pages")
        entries = inherited | {
            key: node[key] for key in ("/MediaBox", "/CropBox", "/Rotate", "/UserUnit") if key in node
        }
        if "/Kids" in node:
            waiting.extend((kid.get_object(), entries) for kid in reversed(node["/Kids"]))
        else:
            yield entries


def _size(page: dict[str, Any]) -> PageSize:
    left, bottom, right, top = (float(number) for number in page["/MediaBox"])
    crop = [float(number) for number in page.get("/CropBox", page["/MediaBox"])]
    if page.get("/Rotate", 0) != 0 or page.get("/UserUnit", 1) != 1 or crop != [left, bottom, right, top]:
        raise Refusal(RefusalCode.TICKET_MISMATCH, "a page is turned, scaled or cropped")
    return PageSize((right - left) * MM_PER_POINT, (top - bottom) * MM_PER_POINT)
