"""Documents: files by the SHA-256 of their content, written aside, fsynced and renamed, so that a file that is there is whole.

Here, and nowhere else at home, are names, ID numbers and fields: the print documents and the private part of each request.
What is written passes through `Locker` both ways, the place for encryption at rest.
"""

import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from spooler.daemon.crash import crash_point
from spooler.wire import strict
from spooler.wire.messages import Party


class DocumentDamaged(Exception):
    """A kept file is missing or no longer what it was."""


class Private(BaseModel):
    """The part of a request that concerns persons."""

    model_config = ConfigDict(frozen=True)

    holder: str
    parties: tuple[Party, ...] = ()
    request: Mapping[str, Any] = {}  # the request as read, annex bytes left out


class Locker(Protocol):
    """Turns content into what lies on disk, and back."""

    def lock(self, content: bytes) -> bytes: ...

    def unlock(self, stored: bytes) -> bytes: ...


class OpenLocker:
    """Content lies on disk as it is; the directory's mode protects it."""

    def lock(self, content: bytes) -> bytes:
        return content

    def unlock(self, stored: bytes) -> bytes:
        return stored


class Documents:
    """Files kept by content."""

    def __init__(self, directory: Path, locker: Locker | None = None) -> None:
        self._directory = directory
        self._locker = locker or OpenLocker()
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    def keep(self, content: bytes) -> str:
        """Return the content's hash once it is on disk."""
        name = sha256(content).hexdigest()
        place = self._place(name)
        if not place.exists():
            place.parent.mkdir(exist_ok=True, mode=0o700)
            _write_whole(place, self._locker.lock(content))
        return name

    def read(self, name: str) -> bytes:
        """Return the content with that hash, or raise DocumentDamaged."""
        try:
            content = self._locker.unlock(self._place(name).read_bytes())
        except FileNotFoundError as e:
            raise DocumentDamaged(f"document {name} is not kept here") from e
        if sha256(content).hexdigest() != name:
            raise DocumentDamaged(f"document {name} has changed on disk")
        return content

    def keep_private(self, private: Private) -> str:
        return self.keep(strict.canonical(private.model_dump(mode="json")))

    def read_private(self, name: str) -> Private:
        return Private.model_validate_json(self.read(name))

    def _place(self, name: str) -> Path:
        return self._directory / name[:2] / name


def _write_whole(place: Path, stored: bytes) -> None:
    with NamedTemporaryFile(dir=place.parent, prefix=".", delete=False) as file:
        file.write(stored)
        file.flush()
        os.fsync(file.fileno())
    crash_point("home.before-document-rename")
    os.replace(file.name, place)
    _sync_directory(place.parent)
    _sync_directory(place.parent.parent)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
