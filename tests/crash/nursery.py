"""Bears the daemons under test: the interpreter runs with the test switch, imports all once, and forks one for each line it reads.

python -X certspool-crash -m tests.crash.nursery DIR CRASH_FOLDERS

A line is `home`, `agent:<hall>` or `replay` (which ends by itself). What is forked takes its predecessor's lock, is noted in
sandbox.json and runs the same `run` as `certspool serve`; a second of imports is saved for each of many hundred kills.
"""

import os
import signal
import sys
from pathlib import Path

import agents.app
import agents.once
import spooler.app
from spooler.daemon.crash import VARIABLE
from spooler.daemon.settings import load_settings
from spooler.sandbox import locks, part, parts, plan
from spooler.sandbox.site import Site, load
from spooler.settings import HomeSettings
from spooler.watch import Watch

LOOK_SECONDS = 0.5  # the home looks at the clock ten times as often as elsewhere


def main(arguments: list[str]) -> None:
    site = load(Path(arguments[0]))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody here waits for them
    assert Watch.__init__.__kwdefaults__ is not None
    Watch.__init__.__kwdefaults__["look_seconds"] = LOOK_SECONDS
    print("ready", flush=True)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os._exit(_be(site, line.strip(), arguments[1]))
        print(pid, flush=True)


def _be(site: Site, name: str, crash_folder: str) -> int:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    part._leave_the_caller(site, name)
    if name != "replay":
        locks.take(site.lock(name), part.PREDECESSOR_SECONDS)
        plan.note_pid(site, name, os.getpid())
    os.environ.clear()
    place = "hall" if name.startswith("agent:") else "home"
    os.environ.update(parts.ENVIRONMENT, **{VARIABLE: f"{crash_folder}/{place}"})
    if name == "replay":
        return _replay(site)
    if name == "home":
        os.chdir(site.home)
        return spooler.app.run(site.home_config)
    hall = site.hall(name.removeprefix("agent:"))
    agents.once.__file__ = str(site.directory / "once.py")  # the copy with the switch: what the doctor compares with
    os.chdir(hall.agent)
    return agents.app.run(hall.config)


def _replay(site: Site) -> int:
    """What `certspool callbacks replay` does, once."""
    store = spooler.app.open_store(load_settings(HomeSettings, site.home_config), spooler.app.now)
    for target in {delivery.endpoint for delivery in store.callbacks.parked()}:
        store.callbacks.replay(target)
    store.close()
    return 0


if __name__ == "__main__":
    main(sys.argv[1:])
