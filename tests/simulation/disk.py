"""The permit directory on a disk that forgets at a power cut whatever name was not fsynced; the real `PermitDirectory` runs over it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from agents.permit import FOLDERS, PermitDirectory
from tests.simulation.world import Process, World


class Disk:
    """Names in folders; each file's content is synced before its name is linked."""

    def __init__(self, world: World, identity: UUID) -> None:
        self._world = world
        self.folders: dict[str, dict[str, bytes]] = {folder: {} for folder in FOLDERS}
        self.folders[""] = {"id": json.dumps({"id": str(identity)}).encode()}
        self._fresh: dict[str, set[str]] = {folder: set() for folder in self.folders}
        self.locks: dict[str, set[Process]] = {}  # by path: who holds it
        self.is_mounted = True

    def link(self, path: str, content: bytes) -> None:
        folder, _, name = path.rpartition("/")
        names = self.folders[folder]
        if name in names and self._world.remedies.claims_by_link:
            raise FileExistsError(path)
        names[name] = content
        self._fresh[folder].add(name)

    def unlink(self, path: str) -> None:
        folder, _, name = path.rpartition("/")
        self.folders[folder].pop(name, None)
        self._fresh[folder].discard(name)

    def sync(self, folder: str) -> None:
        if self._world.remedies.syncs_disk:
            self._fresh[folder].clear()

    def is_synced(self, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        return name in self.folders[folder] and name not in self._fresh[folder]

    def has(self, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        return self.is_mounted and name in self.folders[folder]

    def read(self, path: str) -> bytes:
        folder, _, name = path.rpartition("/")
        if not self.is_mounted or name not in self.folders[folder]:
            raise FileNotFoundError(path)
        return self.folders[folder][name]

    def lock(self, path: str, holder: Process) -> bool:
        """Take a lock that only the living hold; False when somebody else has it."""
        if self.is_locked(path):
            return False
        self.locks[path] = {holder}
        return True

    def is_locked(self, path: str) -> bool:
        holders = self.locks.get(path)
        return holders is not None and any(holder.is_alive for holder in holders)

    def power_cut(self) -> list[str]:
        """Of the names not yet synced any may be gone; return which."""
        lost: list[str] = []
        for folder, fresh in self._fresh.items():
            for name in sorted(fresh):
                if self._world.happens(0.5):
                    del self.folders[folder][name]
                    lost.append(f"{folder}/{name}")
                    self._world.note(f"power cut: {folder}/{name[-4:]} is lost")
            fresh.clear()
        self.locks.clear()
        return lost


class DiskPath:
    """As much of a Path as `PermitDirectory` asks for."""

    __slots__ = ("_disk", "name")

    def __init__(self, disk: Disk, name: str = "") -> None:
        self._disk = disk
        self.name = name

    def __truediv__(self, other: str) -> "DiskPath":
        return DiskPath(self._disk, f"{self.name}/{other}" if self.name else other)

    def exists(self) -> bool:
        return self._disk.has(self.name)

    def is_dir(self) -> bool:
        return self._disk.is_mounted and self.name in self._disk.folders

    def read_bytes(self) -> bytes:
        return self._disk.read(self.name)


class SimulatedPermits(PermitDirectory):
    """The real permit directory; only what touches the disk is replaced, with a point to die at between any two touches."""

    def __init__(self, world: World, disk: Disk, identity: UUID, process: Process) -> None:
        path: Any = DiskPath(disk)
        super().__init__(path, identity, world.clock)
        self._world = world
        self._disk = disk
        self._process = process
        self._was_ours = False
        self.on_issue: Callable[[str], None] = lambda uuid: None

    def _at(self) -> None:
        self._world.at(self._process)

    def is_ours(self) -> bool:
        """While it is mounted nobody puts another in its place."""
        if not (self._disk.is_mounted and self._was_ours):
            self._was_ours = super().is_ours()
        return self._was_ours

    def _write(self, path: Path, content: bytes, *crash_points: str) -> None:
        name: Any = path.name
        self._at()
        if not self._disk.is_mounted:
            raise FileNotFoundError(name)
        self._disk.link(name, content)
        self._at()
        self._sync(name.rpartition("/")[0])
        self._at()

    def _sync(self, folder: str) -> None:
        self._disk.sync(folder)

    def _create_lock(self, device: str) -> Path:
        path: Any = DiskPath(self._disk, f"locks/{device}")
        return path  # type: ignore[no-any-return]

    def _is_locked(self, path: Path) -> bool:  # type: ignore[override]
        self._at()
        return self._disk.is_locked(path.name)

    def forget(self, older_than_seconds: float, keep: frozenset[UUID]) -> int:
        return 0
