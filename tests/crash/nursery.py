"""Bears the daemons under test: the interpreter runs with the test switch, imports all once, and forks one for each line it reads.

python -X certspool-crash -m tests.crash.nursery DIR CRASH_FOLDER

What is forked takes its predecessor's lock, is noted in sandbox.json and runs the same `run` as `certspool serve`; a second of imports is
saved for each of many hundred kills.
"""

import os
import signal
import sys
from pathlib import Path

import agents.app
import agents.once
import spooler.app
from spooler.daemon.crash import VARIABLE
from spooler.sandbox import locks, part, parts, plan
from spooler.sandbox.site import Site, load


def main(arguments: list[str]) -> None:
    site = load(Path(arguments[0]))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody here waits for them
    print("ready", flush=True)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os._exit(_be(site, line.strip(), arguments[1]))
        print(pid, flush=True)


def _be(site: Site, name: str, crash_folder: str) -> int:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    part._leave_the_caller(site, name)
    locks.take(site.lock(name), part.PREDECESSOR_SECONDS)
    plan.note_pid(site, name, os.getpid())
    os.environ.clear()
    os.environ.update(parts.ENVIRONMENT, **{VARIABLE: crash_folder})
    if name == "home":
        os.chdir(site.home)
        return spooler.app.run(site.home_config)
    hall = site.hall(name.removeprefix("agent:"))
    agents.once.__file__ = str(site.directory / "once.py")  # the copy with the switch: what the doctor compares with
    os.chdir(hall.agent)
    return agents.app.run(hall.config)


if __name__ == "__main__":
    main(sys.argv[1:])
