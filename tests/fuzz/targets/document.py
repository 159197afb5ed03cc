"""The sealed PDF: refused with a code, or byte for byte one that was sealed. Whoever finds another has forged a certificate."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from spooler.wire.document import check_seal, read_document
from spooler.wire.refusal import Refusal
from spooler.wire.trust import RegistryRecord

REFUSES = (Refusal,)
MOST_MEGABYTES = 256
LONGEST = 49_152

_BESIDE = Path(__file__).parents[1] / "sealed"  # what the trust directory says of the corpus's seal
_SEALED = [path.read_bytes() for path in sorted(_BESIDE.glob("*.pdf"))]
_RECORD = RegistryRecord.model_validate_json((_BESIDE / "registry.json").read_bytes())
_ROOTS = (_BESIDE / "ca.pem").read_bytes()
_AT = datetime(2024, 5, 20, 2, 0, tzinfo=UTC)


def read(data: bytes) -> None:
    document = read_document(data)
    check_seal(document, _RECORD, roots_pem=_ROOTS, at=_AT)
    assert data in _SEALED, "a document that nobody sealed was accepted"


def seeds() -> Iterator[tuple[str, bytes]]:
    (sealed, *_) = _SEALED
    yield "sealed", sealed
    yield "appended", sealed + b"\n"
    yield "before", b"\n" + sealed
    yield "saved-again", sealed + b"\n1 0 obj\n<<>>\nendobj\nxref\n0 0\ntrailer\n<<>>\nstartxref\n0\n%%EOF\n"
    yield "no-signature", sealed.replace(b"/ByteRange", b"/ByteRangs")
    yield "half", sealed[: len(sealed) // 2]
