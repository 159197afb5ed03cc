"""SoftHSM in a directory of the test's own: the machine's tokens are never looked at."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "248163"


@dataclass
class SoftHsm:
    """A place with tokens. One a process: the library reads its settings when it is loaded."""

    directory: Path

    @classmethod
    def create(cls, directory: Path) -> "SoftHsm":
        (directory / "tokens").mkdir(parents=True)
        settings = directory / "softhsm2.conf"
        settings.write_text(
            f"directories.tokendir = {directory}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n"
        )
        os.environ["SOFTHSM2_CONF"] = str(settings)
        return cls(directory)

    def put_in(self, label: str) -> None:
        """Make a token."""
        self._run("--init-token", "--free", "--label", label, "--so-pin", "97531", "--pin", PIN)

    def take_out(self, label: str) -> None:
        """Its files are elsewhere: the library finds no such token any more."""
        (self.directory / "out").mkdir(exist_ok=True)
        place = self._place(label)
        shutil.move(place, self.directory / "out" / label)
        (self.directory / "out" / f"{label}.name").write_text(place.name)

    def put_back(self, label: str) -> None:
        name = (self.directory / "out" / f"{label}.name").read_text()
        shutil.move(self.directory / "out" / label, self.directory / "tokens" / name)

    def _place(self, label: str) -> Path:
        (found,) = [
            path
            for path in (self.directory / "tokens").iterdir()
            if label.encode() in (path / "token.object").read_bytes()
        ]
        return found

    def _run(self, *arguments: str) -> None:
        subprocess.run(
            ["softhsm2-util", "--module", str(MODULE), *arguments], check=True, capture_output=True, timeout=30
        )
