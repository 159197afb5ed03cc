"""Step 1f: the annexes' bytes, inline or as parts, against what the request says of them."""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from spooler.errors import Code, Finding, TooLarge, finding
from spooler.intake.reading import path_of
from spooler.intake.request import AnnexIn

# A wrapped order is at most 12 MiB; the rest is left for the print pages, the seal and the ticket.
MAX_ANNEX_BYTES = 10 << 20


@dataclass
class Annexes:
    """What was found: the bytes in the request's order, and what is wrong with them."""

    contents: list[bytes] = field(default_factory=list)
    errors: list[Finding] = field(default_factory=list)


def read_annexes(entries: Sequence[AnnexIn], parts: Mapping[str, bytes]) -> Annexes:
    """Return the bytes of each annex; TooLarge when all together are too much."""
    found = Annexes()
    for index, entry in enumerate(entries):
        content = _content(index, entry, parts, found.errors)
        found.contents.append(content or b"")
        if content is not None:
            found.errors.extend(_differences(index, entry, content))
    named = {entry.name for entry in entries}
    found.errors.extend(finding(path_of((name,)), Code.UNKNOWN_PART) for name in parts if name not in named)
    total = sum(map(len, found.contents))
    if total > MAX_ANNEX_BYTES:
        raise TooLarge("annexes", total, MAX_ANNEX_BYTES)
    return found


def _content(index: int, entry: AnnexIn, parts: Mapping[str, bytes], errors: list[Finding]) -> bytes | None:
    if entry.name in parts and entry.content is not None:
        errors.append(finding(f"annexes.{index}.content", Code.CONTENT_TWICE))
        return None
    if entry.name in parts:
        return parts[entry.name]
    if entry.content is None:
        errors.append(finding(f"annexes.{index}.content", Code.NO_CONTENT))
        return None
    try:
        return base64.b64decode("".join(entry.content.split()), validate=True)
    except (binascii.Error, ValueError):
        errors.append(finding(f"annexes.{index}.content", Code.NOT_BASE64))
        return None


def _differences(index: int, entry: AnnexIn, content: bytes) -> Iterator[Finding]:
    if len(content) != entry.bytes:
        yield finding(f"annexes.{index}.bytes", Code.LENGTH_MISMATCH)
    if sha256(content).hexdigest() != entry.sha256:
        yield finding(f"annexes.{index}.sha256", Code.HASH_MISMATCH)
