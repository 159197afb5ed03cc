"""An agent whose hall has a `once` without the claim: shows that a storm can see a second sheet. One test starts it, nothing else can.

python -m tests.storm.unclaimed DIR
"""

import os
import sys
from pathlib import Path

import agents.app
import agents.once
from spooler.sandbox import locks, part, parts, plan
from spooler.sandbox.site import load
from tests.crash.place import HALL

COPY = "once-without-claim.py"
# Three things stand in a second sender's way: that the claim is seen beforehand, the claim itself, and that `first` is there already.
TAKEN_OUT = {
    "        refuse_again(call, folder)\n": "",
    'raise Refused("claimed") from None': "pass",
    "        os.link(aside, path)\n": "        with contextlib.suppress(FileExistsError):\n            os.link(aside, path)\n",
}


def install(directory: Path, cups: Path) -> None:
    """Put the altered copy where cupsd finds it, and where the agent will compare it with."""
    text = Path(agents.once.__file__).read_text()
    for whole, altered in TAKEN_OUT.items():
        assert text.count(whole) == 1, whole
        text = text.replace(whole, altered)
    (directory / COPY).write_text(text)
    backend = cups / "bin" / "backend" / "once"
    beside = backend.with_name("once.new")
    beside.write_text(text)
    beside.chmod(0o755)
    beside.replace(backend)


def main(arguments: list[str]) -> None:
    site = load(Path(arguments[0]))
    hall, name = site.hall(HALL), f"agent:{HALL}"
    part._leave_the_caller(site, name)
    locks.take(site.lock(name), part.PREDECESSOR_SECONDS)
    plan.note_pid(site, name, os.getpid())
    os.environ.clear()
    os.environ.update(parts.ENVIRONMENT)
    agents.once.__file__ = str(site.directory / COPY)
    os.chdir(hall.agent)
    sys.exit(agents.app.run(hall.config))


if __name__ == "__main__":
    main(sys.argv[1:])
