"""The folder `grants/` of a trust directory: one file for each grant and withdrawal, named `<registry>.<hall>.<sequence>…json`.

Where it is not, a deployment goes by the plain list `grants.json` that nobody signed.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from spooler.wire.files import write_again
from spooler.wire.grants import GrantFile, Named, Pair, read_name

FOLDER = "grants"
PLAIN = "grants.json"


def are_signed(directory: Path) -> bool:
    """Say whether the directory has signed grants."""
    return (directory / FOLDER).is_dir()


def look_signed(directory: Path) -> bool:
    """Say whether the directory is to be gone by as one of signed grants: also one where nothing is granted yet, and no plain list is."""
    return are_signed(directory) or not (directory / PLAIN).exists()


def paths(directory: Path, wanted: Callable[[Pair], bool] = lambda pair: True) -> list[Path]:
    """Return the files about pairs that are wanted, and those whose name says nothing."""
    return [path for path in sorted((directory / FOLDER).glob("*.json")) if _is_wanted(path.name, wanted)]


def read(directory: Path, wanted: Callable[[Pair], bool] = lambda pair: True) -> Iterator[GrantFile]:
    """Yield them as they are; one that vanishes meanwhile, or that nobody may read, is passed over as empty."""
    for path in paths(directory, wanted):
        try:
            yield GrantFile(path.name, path.read_bytes())
        except OSError:
            yield GrantFile(path.name, b"")


def write(directory: Path, named: Named, content: bytes) -> Path:
    """Put a file there by rename: who reads sees the one or the other."""
    path = directory / FOLDER / named.file_name()
    write_again(path, content)
    return path


def _is_wanted(name: str, wanted: Callable[[Pair], bool]) -> bool:
    named = read_name(name)
    return named is None or wanted(named.pair)
