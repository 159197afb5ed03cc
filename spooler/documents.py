"""Documents: files by the SHA-256 of their content, written aside, fsynced and renamed, so that a file that is there is whole.

Here, and nowhere else at home, are names, ID numbers and fields: the print documents and the private part of each request.
What is written passes through `Locker` both ways: encryption at rest (spooler.locker).
"""

import fcntl
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from threading import Lock
from time import time
from typing import Any, Protocol

import structlog
from pydantic import BaseModel, ConfigDict

from spooler.daemon.crash import crash_point
from spooler.wire import strict
from spooler.wire.messages import Party

LOCKED = b"\x00certspool-locked-1\x00"  # no PDF and no JSON begins so
_HEAD_BYTES = 64
LOCKED_HEAD_BYTES = (
    len(LOCKED) + 8 + 12 + 48
)  # all that comes before the content: mark, which key, nonce, the document's key


_log = structlog.get_logger()


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

    def is_current(self, head: bytes) -> bool: ...

    @property
    def name(self) -> str: ...


class OpenLocker:
    """Content lies on disk as it is; the directory's mode protects it."""

    name = ""

    def lock(self, content: bytes) -> bytes:
        return content

    def unlock(self, stored: bytes) -> bytes:
        if stored.startswith(LOCKED):
            raise DocumentDamaged("a document is locked, and no document_key_credentials are set")
        return stored

    def is_current(self, head: bytes) -> bool:
        return True


class Documents:
    """Files kept by content."""

    def __init__(self, directory: Path, locker: Locker | None = None, *, is_shared: bool = False) -> None:
        self._directory = directory
        self._locker = locker or OpenLocker()
        self._turn = Lock()
        self._in_hand: Counter[str] = Counter()
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._others = _Others(directory) if is_shared else _Alone()

    def keep(self, content: bytes) -> str:
        """Return the content's hash once it is on disk."""
        return self._keep(content)[0]

    @contextmanager
    def batch(self) -> Iterator["Batch"]:
        """Keep documents that belong together, and that may turn out to be wanted by nobody."""
        batch = Batch(self)
        with self._turn:
            self._others.begin()
        try:
            yield batch
        finally:
            with self._turn:
                self._in_hand.subtract(batch.names)
                self._others.end()

    def take_in_hand(self, content: bytes) -> tuple[str, bool]:
        """Keep, and let no other batch drop it until this one has ended; say whether it is new."""
        with self._turn:
            self._in_hand[sha256(content).hexdigest()] += 1
        return self._keep(content)

    def drop(self, names: Collection[str], is_used: Callable[[str], bool]) -> None:
        """Delete those that no other batch has in hand and nothing refers to; all stay while another home has a batch in hand."""
        with self._turn, self._others.kept_out() as is_alone:
            for name in names if is_alone else ():
                if self._in_hand[name] <= 1 and not is_used(name):
                    self._place(name).unlink(missing_ok=True)

    def destroy(self, names: Iterable[str], *, unless_used_within: timedelta) -> tuple[str, ...]:
        """Destroy each one's key, then its file; return those that are gone. One that was kept, or kept again, lately stays."""
        since = time() - unless_used_within.total_seconds()
        with self.batch():
            return tuple(name for name in names if self._destroy_one(name, since))

    def _destroy_one(self, name: str, since: float) -> bool:
        with self._turn, self._others.kept_out() as is_alone:
            if not is_alone or self._in_hand[name]:
                return False
            return destroy_file(self._place(name), since)

    def left_over(self, before: datetime) -> Iterator[tuple[Path, str]]:
        """Return every file that lies untouched since then, with the name of its document ("": it was never whole)."""
        for place in sorted(self._directory.glob("[0-9a-f][0-9a-f]/*")):
            with suppress(FileNotFoundError):
                if place.stat().st_mtime < before.timestamp():
                    yield place, "" if place.name.startswith(".") else place.name

    def _keep(self, content: bytes) -> tuple[str, bool]:
        name = sha256(content).hexdigest()
        place = self._place(name)
        if _is_there(place):
            return name, False
        place.parent.mkdir(exist_ok=True, mode=0o700)
        _write_whole(place, self._locker.lock(content))
        return name, True

    def read(self, name: str) -> bytes:
        """Return the content with that hash, or raise DocumentDamaged."""
        try:
            content = self._locker.unlock(self._place(name).read_bytes())
        except FileNotFoundError as e:
            raise DocumentDamaged(f"document {name} is not kept here") from e
        if sha256(content).hexdigest() != name:
            raise DocumentDamaged(f"document {name} has changed on disk")
        return content

    def lock_all(self) -> int:
        """Lock what lies open or under a former key; return how many. Once all is done for a key it is not looked for again."""
        done = self._directory / f".locked-{self._locker.name}"
        if not self._locker.name or done.exists():
            return 0
        late = [place for place in self._places() if not self._locker.is_current(_head(place))]
        damaged = [place for place in late if not self._lock_again(place)]
        if not damaged:
            done.touch(mode=0o600)
        return len(late) - len(damaged)

    def _lock_again(self, place: Path) -> bool:
        """Say whether it could be read: one that cannot stays as it is, and is told of by whoever needs it."""
        try:
            content = self.read(place.name)
        except DocumentDamaged as e:
            _log.error("a kept document cannot be read", document=place.name, error=str(e), alarm=True)
            return False
        _write_whole(place, self._locker.lock(content))
        return True

    def _places(self) -> list[Path]:
        return sorted(place for place in self._directory.glob("[0-9a-f][0-9a-f]/[0-9a-f]*") if len(place.name) == 64)

    def keep_private(self, private: Private) -> str:
        return self.keep(private_bytes(private))

    def read_private(self, name: str) -> Private:
        return Private.model_validate_json(self.read(name))

    def _place(self, name: str) -> Path:
        return self._directory / name[:2] / name


class _Alone:
    """No other home keeps documents here."""

    def begin(self) -> None:
        return

    def end(self) -> None:
        return

    @contextmanager
    def kept_out(self) -> Iterator[bool]:
        yield True


class _Others:
    """Other homes keep their documents here too: each has a lock on the directory, shared, while it has a batch in hand."""

    def __init__(self, directory: Path) -> None:
        self._file = os.open(directory / ".in-hand", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._batches = 0

    def begin(self) -> None:
        if self._batches == 0:
            fcntl.lockf(self._file, fcntl.LOCK_SH)
        self._batches += 1

    def end(self) -> None:
        self._batches -= 1
        if self._batches == 0:
            fcntl.lockf(self._file, fcntl.LOCK_UN)

    @contextmanager
    def kept_out(self) -> Iterator[bool]:
        """Say whether no other home has a batch in hand, and let none begin one meanwhile. Called within a batch."""
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        try:
            yield True
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_SH)


class Batch:
    """Documents of one request, until it is known whether there is a job that wants them."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self.names: list[str] = []
        self._new: set[str] = set()

    def keep(self, content: bytes) -> str:
        name, is_new = self._documents.take_in_hand(content)
        self.names.append(name)
        if is_new:
            self._new.add(name)
        return name

    def keep_private(self, private: Private) -> str:
        return self.keep(private_bytes(private))

    def drop(self, is_used: Callable[[str], bool]) -> None:
        """No job came of it: delete what this batch wrote and nobody else wants."""
        self._documents.drop(self._new, is_used)


def _is_there(place: Path) -> bool:
    """Say whether it is kept already, and that it is wanted anew."""
    try:
        os.utime(place)
    except FileNotFoundError:
        return False
    return True


def destroy_file(place: Path, since: float = float("inf")) -> bool:
    """Overwrite the key in the file's head, or all of an open one, and remove it; False if somebody touched it since then."""
    try:
        with place.open("r+b") as file:
            if os.fstat(file.fileno()).st_mtime > since:
                return False
            is_locked = file.read(len(LOCKED)) == LOCKED
            file.seek(0)
            file.write(bytes(LOCKED_HEAD_BYTES if is_locked else os.fstat(file.fileno()).st_size))
            file.flush()
            os.fsync(file.fileno())
    except FileNotFoundError:
        return True
    place.unlink(missing_ok=True)
    return True


def _head(place: Path) -> bytes:
    with place.open("rb") as file:
        return file.read(_HEAD_BYTES)


def private_bytes(private: Private) -> bytes:
    return strict.canonical(private.model_dump(mode="json"))


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
