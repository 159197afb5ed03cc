"""Another user of the hall's computer, who prints a paper of his own under the agent's permit: its uuid and title are no secrets."""

import json
import os
import subprocess
import time
from pathlib import Path

from tests.agents.paper.hall import a_document

USER = "nobody"
LOOK_SECONDS = 0.005
PATIENCE_SECONDS = 20.0


class Thief:
    """Here he even reads the permits, as he never could, so that he always comes in time."""

    def __init__(self, socket: Path, permits: Path) -> None:
        self._socket, self._permits = socket, permits

    def steal(self, seconds: float) -> bool:
        """Wait for the next permit and submit the paper with its uuid; return whether CUPS took it as a job."""
        uuid = self._next_permit(seconds)
        return uuid is not None and self.submit_for(uuid)

    def submit_for(self, uuid: str) -> bool:
        """Submit the paper under this permit; False where there is nobody else to be."""
        permit = json.loads((self._permits / "issued" / uuid).read_bytes())
        title = f"{permit['order']}/{permit['number']}/{permit['attempt']}/1"
        return os.geteuid() == 0 and self._submit(permit["queue"], uuid, title)

    def _next_permit(self, seconds: float) -> str | None:
        known, end = self._issued(), time.monotonic() + seconds
        while time.monotonic() < end:
            if new := self._issued() - known:
                return new.pop()
            time.sleep(LOOK_SECONDS)
        return None

    def _issued(self) -> set[str]:
        return {name for name in os.listdir(self._permits / "issued") if not name.startswith(".")}

    def _submit(self, queue: str, uuid: str, title: str) -> bool:
        command = ["lp", "-h", str(self._socket), "-d", queue, "-t", title, "-o", f"job-uuid=urn:uuid:{uuid}"]
        done = subprocess.run(
            command, input=a_document(), capture_output=True, timeout=PATIENCE_SECONDS, check=False,
            user=USER, group="nogroup", extra_groups=[], cwd="/",
        )  # fmt: skip
        return done.returncode == 0
