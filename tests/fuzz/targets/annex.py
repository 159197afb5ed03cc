"""An annex, read in this process as its child reads it: one harmless page and what is noted of it, or a BadAnnex with its code."""

from collections.abc import Iterator

from PIL import Image

from spooler.render.annex.normal import normalise
from spooler.render.annex.values import BadAnnex, Role
from spooler.render.content import AnnexFile
from spooler.sandbox import samples

REFUSES = (BadAnnex,)
MOST_MEGABYTES = 600  # as much as the child has
LONGEST = 24_576

_TYPES = ("application/pdf", "image/png", "image/jpeg", "image/tiff", "application/geo+json")
_ROLES = tuple(Role)
_ENDINGS = {".pdf": 0, ".png": 1, ".jpg": 2, ".tif": 3, ".geojson": 4}
_ACTIVE = (b"/JavaScript", b"/OpenAction", b"/Launch", b"/EmbeddedFiles", b"/AcroForm", b"/XFA", b"/RichMedia")

Image.init()  # what parsers load late is loaded here, as in the child: it is no input's fault


def read(data: bytes) -> None:
    """The first byte says what it is given out for."""
    said = data[0] if data else 0
    media_type, role = _TYPES[said % len(_TYPES)], _ROLES[said // len(_TYPES) % len(_ROLES)]
    normal = normalise(AnnexFile(role.value, "", media_type, data[1:]))
    assert normal.parcel is not None or normal.pdf.startswith(b"%PDF-")
    assert not any(word in normal.pdf for word in _ACTIVE), "something that acts is left"


def seeds() -> Iterator[tuple[str, bytes]]:
    for path in sorted((samples.directory() / "annexes").iterdir()):
        role = _ROLES.index(Role.COLLATERAL_LIST if path.stem.startswith("list") else Role.PARCEL_MAP)
        yield path.stem, bytes([_ENDINGS[path.suffix] + role * len(_TYPES)]) + path.read_bytes()
