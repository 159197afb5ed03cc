"""What `restart` in sandbox.json runs: wait until the predecessor has gone, note the own pid, become the part.

python -m spooler.sandbox.part DIR agent:231282-01
"""

import os
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import NoReturn

from spooler.sandbox import locks, parts, plan
from spooler.sandbox.site import Site, load

PREDECESSOR_SECONDS = 60.0
LOOK_SECONDS = 0.005


def main(arguments: list[str]) -> NoReturn:
    directory, part = arguments
    run(load(Path(directory)), part)


def start(site: Site, part: str) -> int:
    """Start a part as a child of this process, and return its pid once it holds its lock. (A fork saves it a second of imports.)"""
    pid = os.fork()
    if pid == 0:
        try:
            run(site, part)
        except BaseException:
            traceback.print_exc()  # to the part's own log
            os._exit(1)
    try:
        while locks.holder(site.lock(part)) != pid:
            if os.waitpid(pid, os.WNOHANG) != (0, 0):
                raise ChildProcessError(f"{part} did not start: see {site.log(part)}")
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        os.kill(pid, signal.SIGKILL)  # nobody would find it yet
        raise
    return pid


def run(site: Site, part: str) -> NoReturn:
    """Be that part from here on."""
    _leave_the_caller(site, part)
    locks.take(site.lock(part), PREDECESSOR_SECONDS)
    plan.note_pid(site, part, os.getpid())
    parts.become(site, part)


def _leave_the_caller(site: Site, part: str) -> None:
    """Hold none of the caller's streams, nor its session; what the part says goes to its log."""
    if os.getpid() != os.getpgrp():
        os.setsid()
    log = os.open(site.log(part), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for stream, target in ((0, nothing), (1, log), (2, log)):
        os.dup2(target, stream)


if __name__ == "__main__":
    main(sys.argv[1:])
