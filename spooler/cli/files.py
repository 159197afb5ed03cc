"""A request file and the annexes that it names, as they lie on this machine."""

import json
from pathlib import Path
from typing import Any

from spooler.cli.client import Exit, fail


def read_request_file(path: Path, annex_directory: Path | None) -> tuple[bytes, dict[str, bytes]]:
    """Return the file's bytes, and those of each annex that is not inside it."""
    body = _bytes(path)
    try:
        request = json.loads(body)
    except ValueError:
        fail(f"{path}: 不是 JSON · not JSON", Exit.REFUSED)
    directory = annex_directory or path.parent
    return body, {name: _bytes(directory / name) for name in _names(request)}


def _names(request: Any) -> list[str]:
    """Return the annexes to be sent beside the request; what is misshapen is left to the answer."""
    annexes = request.get("annexes") if isinstance(request, dict) else None
    entries = [entry for entry in annexes if isinstance(entry, dict)] if isinstance(annexes, list) else []
    names = [entry.get("name") for entry in entries if entry.get("content") is None]
    return [name for name in names if isinstance(name, str) and "/" not in name]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as e:
        fail(f"{path}: 不可读 · {e.strerror}", Exit.WRONG_USAGE)
