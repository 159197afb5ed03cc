"""Files of keys and of trust: a private one is written once and never overwritten, a record is replaced by rename."""

import os
from dataclasses import dataclass
from pathlib import Path

PRIVATE, PUBLIC = 0o600, 0o644


class AlreadyThere(Exception):
    """A key with this name exists; a key is never overwritten."""


@dataclass(frozen=True)
class NewFile:
    """A file to be written as soon as all that belong together are made."""

    path: str  # below the PKI directory
    content: bytes
    mode: int


def write_new(path: Path, content: bytes, mode: int) -> None:
    """Write a file that is not there yet, never readable by others in between if it is private."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if mode == PRIVATE else 0o755)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as e:
        raise AlreadyThere(f"{path} is there already; a key is never overwritten") from e
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def write_again(path: Path, content: bytes, mode: int = PUBLIC) -> None:
    """Write a file in the place of the old one, by rename: who reads it sees the one or the other, also after a power cut."""
    aside = path.with_name(f"{path.name}.new")
    aside.unlink(missing_ok=True)
    write_new(aside, content, mode)
    os.replace(aside, path)
