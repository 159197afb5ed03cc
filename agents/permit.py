"""The permit directory: what `once` may print, once for each try, and what became of it (step 5).

`issued/<uuid>` is the agent's leave; a claim or a revocation is the same `link` to `spent/<uuid>`, so that one wins; `first/<uuid>` says
that the real backend was about to start, `done/<uuid>` how it ended. It lies on one real disk: never in memory, never in a backup.
"""

import contextlib
import fcntl
import json
import os
import pwd
import re
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from agents.once import device_lock_name, sync_directory
from spooler.daemon.crash import crash_point

FOLDERS = ("issued", "spent", "first", "done", "locks")
WRITTEN_BY_BACKENDS = ("spent", "first", "done")
IN_MEMORY = ("tmpfs", "ramfs", "devtmpfs")
ACL = "system.posix_acl_access"
ASKED_AGAIN = ".again."  # beside a claim: `once` was asked for the same pass again, and refused
MOST_ASKED_AGAIN = 20  # of one pass, the newest
TRY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class PermitsUnusable(Exception):
    """The permit directory is not what it must be; an operator has to look before anything is printed."""


class Claim(StrEnum):
    """Who holds `spent/<uuid>`."""

    NONE = "none"
    REVOKED = "revoked"  # the agent won: nothing was or will be sent
    HELD = "held"  # a sender, or a backend that it started, lives
    FREE = "free"  # claimed, and nobody is at it any more


@dataclass(frozen=True)
class Permit:
    """What one try may send: this CUPS job, from this queue, to this device."""

    uuid: UUID
    job: int
    queue: str
    device: str
    pages: int
    until: datetime | None = None
    limit_seconds: float = 300.0
    sha256: str | None = None  # on a raw queue; behind filters the bytes are not known beforehand
    length: int | None = None
    order: UUID | None = None  # what is printed by it; for a journal that lost its memory, `once` does not look
    attempt: int | None = None
    number: int | None = None

    def to_bytes(self) -> bytes:
        values = vars(self) | {"uuid": str(self.uuid), "until": self.until and self.until.isoformat()}
        values["order"] = None if self.order is None else str(self.order)
        return json.dumps(values).encode()


@dataclass(frozen=True)
class Fate:
    """What the permit directory knows of one try."""

    is_ours: bool  # the directory is there and is the one that the journal knows
    is_issued: bool
    claim: Claim
    is_first: bool
    done: Mapping[str, Any] | None


@dataclass(frozen=True)
class AskedAgain:
    """CUPS was asked to send what was sent already; `once` refused."""

    queue: str
    title: str  # order, pass and attempt as in a CUPS title, or the try where its permit is gone
    at: str


class PermitDirectory:
    """One agent's permits. All methods may be called from any thread."""

    def __init__(self, path: Path, identity: UUID, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.path = path
        self.identity = identity  # of the directory itself: a copy put in its place has another
        self._clock = clock

    @classmethod
    def open(cls, path: Path, *, backend_user: str | None = "lp", in_memory: bool = False) -> "PermitDirectory":
        """Return the directory, made if it is missing; `backend_user` is whom cupsd runs backends as.

        Raises PermitsUnusable on a file system that forgets (`in_memory` is for tests) or that knows no ACL.
        """
        path = path.absolute()
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not in_memory and filesystem_type(path) in IN_MEMORY:
            raise PermitsUnusable(f"{path} is in memory: a restart would forget what was printed")
        for name in FOLDERS:
            if not (path / name).is_dir():  # a later chmod would shut out a sender that is at work
                (path / name).mkdir()
                (path / name).chmod(0o1700)
        _admit(path, backend_user)
        return cls(path, _identity(path))

    def issue(self, permit: Permit) -> None:
        """Make the permit durable, whole or not at all."""
        self._create_lock(permit.device)
        self._write(self.path / "issued" / str(permit.uuid), permit.to_bytes(), "agent.before-permit-link")

    def revoke(self, uuid: UUID) -> bool:
        """Win the permit back. True: nothing of this try was sent, and nothing can be; False: a sender claimed it first."""
        try:
            revocation = json.dumps({"by": "agent", "at": self._now()}).encode()
            self._write(self.path / "spent" / str(uuid), revocation, "agent.before-revoke-link")
        except FileExistsError:
            return self.fate(uuid).claim is Claim.REVOKED
        crash_point("agent.after-revoke")
        return True

    def fate(self, uuid: UUID) -> Fate:
        """Say what became of a permit. The claim's lock is looked at first: what is read after it is free stands still."""
        name, nothing_known = str(uuid), Fate(False, False, Claim.NONE, False, None)
        if not self.is_ours():
            return nothing_known
        while True:
            claim = self._claim(self.path / "spent" / name)
            fate = Fate(
                is_ours=True,
                is_issued=(self.path / "issued" / name).exists(),
                claim=claim,
                is_first=(self.path / "first" / name).exists(),
                done=_read(self.path / "done" / name),
            )
            if not self.is_ours():  # gone while we looked: what was not found proves nothing
                return nothing_known
            if claim in (Claim.REVOKED, Claim.FREE) and not fate.is_first:
                # Whoever linked it may have died before it was synced; a new try may follow from it, a power cut must not undo it.
                self._sync("spent")
            # Claimed while we looked: look again.
            if claim is not Claim.NONE or self._claim(self.path / "spent" / name) is Claim.NONE:
                return fate

    def tries(self) -> list[UUID]:
        """Return every try that left a trace here."""
        names = {name for folder in ("issued", *WRITTEN_BY_BACKENDS) for name in os.listdir(self.path / folder)}
        return [UUID(name) for name in sorted(names) if TRY.fullmatch(name)]

    def what_for(self, uuid: UUID) -> Mapping[str, Any]:
        """Return what a permit was issued for: empty when that is not known any more."""
        return _read(self.path / "issued" / str(uuid)) or {}

    def is_ours(self) -> bool:
        """Whether the directory still is the one that was opened, with all its folders."""
        mark = _read(self.path / "id")
        return mark is not None and mark.get("id") == str(self.identity) and all(map(self._has, FOLDERS))

    def device_is_free(self, device: str) -> bool:
        """Whether no sender holds the device's lock."""
        return not self._is_locked(self._create_lock(device))

    def forget(self, older_than_seconds: float, keep: frozenset[UUID]) -> int:
        """Remove entries of tries long closed, and files left aside by a crash; return how many."""
        limit, kept, removed = time.time() - older_than_seconds, {str(uuid) for uuid in keep}, 0
        # `issued` goes first: without it no claim, so that a `spent` removed later opens nothing.
        for folder in ("issued", "first", "done", "spent"):
            for entry in (self.path / folder).iterdir():
                is_kept = any(uuid in entry.name for uuid in kept)
                if not is_kept and entry.lstat().st_mtime < limit:
                    entry.unlink(missing_ok=True)
                    removed += 1
            sync_directory(self.path / folder)
        return removed

    def _sync(self, folder: str) -> None:
        sync_directory(self.path / folder)

    def _has(self, folder: str) -> bool:
        return (self.path / folder).is_dir()

    def _create_lock(self, device: str) -> Path:
        lock = self.path / "locks" / device_lock_name(device)
        os.close(os.open(lock, os.O_RDONLY | os.O_CREAT, 0o644))
        return lock

    def _claim(self, spent: Path) -> Claim:
        content = _read(spent)
        if content is None:
            return Claim.NONE
        if content.get("by") == "agent":
            return Claim.REVOKED
        return Claim.HELD if self._is_locked(spent) else Claim.FREE

    def _write(self, path: Path, content: bytes, before_link: str) -> None:
        """Write aside, sync, link into place, sync the folder."""
        aside = path.with_name(f".{path.name}.{uuid4().hex}")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            os.fchmod(descriptor, 0o644)
            os.write(descriptor, content)
            os.fsync(descriptor)
            crash_point(before_link)
            os.link(aside, path)
        finally:
            os.close(descriptor)
            os.unlink(aside)
        sync_directory(path.parent)

    @staticmethod
    def _is_locked(path: Path) -> bool:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def _now(self) -> str:
        return self._clock().isoformat()


def asked_again(path: Path, since: float) -> list[AskedAgain]:
    """Return the reprints that `once` refused, of the passes for which it did since then (seconds of the epoch), oldest first."""
    notes = [note for note in (path / "spent").glob(f"{ASKED_AGAIN}*") if note.stat().st_mtime >= since]
    found = [again for note in notes for again in _read_again(path, note)]
    return sorted(found, key=lambda again: again.at)


def _read_again(path: Path, note: Path) -> list[AskedAgain]:
    name = note.name.removeprefix(ASKED_AGAIN)
    permit = _read(path / "issued" / name) or {}
    words = [permit.get(key) for key in ("order", "number", "attempt")]
    title = name if None in words else "/".join(map(str, words))
    lines = note.read_text(encoding="ascii", errors="replace").splitlines()[-MOST_ASKED_AGAIN:]
    return [AskedAgain(str(permit.get("queue", "")), title, _time_in(line)) for line in lines]


def _time_in(line: str) -> str:
    """Backends write these lines: what is no time of theirs is not repeated."""
    try:
        return datetime.fromisoformat(json.loads(line)["at"]).isoformat(timespec="seconds")
    except (ValueError, KeyError, TypeError):
        return "-"


def filesystem_type(path: Path, mounts: str | None = None) -> str:
    """Return the type of the file system that a path is on, by the kernel's table of mounts."""
    real, found = os.path.realpath(path), ("", "unknown")
    table = Path("/proc/self/mountinfo").read_text(errors="surrogateescape") if mounts is None else mounts
    for line in table.splitlines():
        left, _, right = line.partition(" - ")
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), left.split(" ")[4])
        # A later mount on the same point hides the earlier one.
        if os.path.commonpath([real, point]) == point and len(point) >= len(found[0]):
            found = (point, right.split(" ")[0])
    return found[1]


def _identity(path: Path) -> UUID:
    mark = path / "id"
    if not mark.exists():
        beside = path / f".id.{uuid4().hex}"
        beside.write_text(json.dumps({"id": str(uuid4())}), encoding="ascii")
        with contextlib.suppress(FileExistsError):
            os.link(beside, mark)
        beside.unlink()
        sync_directory(path)
    return UUID(json.loads(mark.read_bytes())["id"])


def _admit(path: Path, backend_user: str | None) -> None:
    """Let cupsd's backends read `issued` and `locks`, and add to the others, by an ACL for the user.

    Not by a group: cupsd drops supplementary groups, and the group lp holds desktop users.
    """
    if backend_user is None or backend_user not in {entry.pw_name for entry in pwd.getpwall()}:
        return
    user = pwd.getpwnam(backend_user).pw_uid
    if user == os.geteuid():
        return
    try:
        for name in (".", *FOLDERS):
            rights = {".": 0o1, "issued": 0o5, "locks": 0o5}.get(name, 0o7)
            os.setxattr(path / name, ACL, _acl(user, rights))
    except OSError as e:
        raise PermitsUnusable(f"{path}: its file system takes no POSIX ACL ({e.strerror})") from e


def _acl(user: int, rights: int) -> bytes:
    """A POSIX ACL as Linux keeps it: the owner all, this user `rights`, nobody else anything."""
    anyone = 0xFFFFFFFF
    entries = ((0x01, 0o7, anyone), (0x02, rights, user), (0x04, 0, anyone), (0x10, rights, anyone), (0x20, 0, anyone))
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def _read(path: Path) -> dict[str, Any] | None:
    """Return a JSON object, None when there is none, {} when it cannot be read (which proves nothing)."""
    try:
        value = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
