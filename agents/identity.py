"""What tells this hall from a copy of it: the machine, the permit directory, and that only one agent runs."""

import fcntl
import os
from pathlib import Path
from uuid import UUID, uuid4

from spooler.daemon.settings import SettingsError

_MACHINE_ID = Path("/etc/machine-id")


def machine_of(data_directory: Path, machine_id: Path = _MACHINE_ID) -> str:
    """Return what this machine is called: the system's own id, or where there is none, one of ours from the first start on."""
    own = data_directory / "machine"
    if own.exists():
        return own.read_text().strip()
    known = machine_id.read_text().strip() if machine_id.exists() else ""
    if known:
        return f"machine-id:{known}"
    own.write_text(f"own:{uuid4()}\n")
    return own.read_text().strip()


class OneAgent:
    """A lock on a directory (the data, the permits), held until the process ends, however it ends."""

    def __init__(self, directory: Path, setting: str = "hall.data_directory") -> None:
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._descriptor = os.open(directory / "agent.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as e:
            raise SettingsError(f"{setting}: 目录不可用 · {directory}: {e.strerror}") from e
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise SettingsError(
                f"{setting}: 已有打印端在运行 · {directory}: another agent of this hall is running"
            ) from None

    def release(self) -> None:
        os.close(self._descriptor)


def identity_of(permits: Path, own_id: UUID) -> str:
    """Return what this permit directory is called: its own id and its inode, which a copy of it does not have."""
    return f"{own_id}:{permits.stat().st_ino}"


def is_unused(permits: Path) -> bool:
    """Say whether no permit was ever issued or spent in this directory."""
    return not any(any((permits / folder).iterdir()) for folder in ("issued", "spent") if (permits / folder).is_dir())
