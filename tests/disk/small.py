"""A disk of a few hundred kilobytes that a test fills and frees: a tmpfs of its own, so that ENOSPC is the kernel's word."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class SmallDisk:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / ".ballast"

    def fill(self) -> None:
        """Leave no byte."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in (65536, 4096, 512, 1):
                self._write_until_full(file.fileno(), b"\0" * size)

    @staticmethod
    def _write_until_full(descriptor: int, block: bytes) -> None:
        try:
            while os.write(descriptor, block):
                pass
        except OSError as e:
            assert e.errno == 28, e  # ENOSPC

    def free(self) -> None:
        self._ballast.unlink()


@contextmanager
def a_small_disk(path: Path, kilobytes: int) -> Iterator[SmallDisk]:
    path.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,mode=0755", "certspool-test", str(path)]
    subprocess.run(mount, check=True, timeout=30)
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True, timeout=30)
