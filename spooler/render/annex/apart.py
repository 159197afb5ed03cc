"""Step 2c: foreign files are read in a process apart. A file that makes its parser hang, crash or eat memory is refused; we go on.

The process (`child`) has limits of memory and time, no environment, no keys, and none of our files open.
"""

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from select import select
from threading import BoundedSemaphore, Lock
from time import monotonic

import structlog

import spooler
from spooler.render.annex.border import BadAnswer, Question, read_answer, write_question
from spooler.render.annex.values import BadAnnex, NormalAnnex
from spooler.render.codes import RenderCode
from spooler.render.content import AnnexFile

_START_SECONDS = 30.0
_LAST_SECONDS = 5.0
SECOND_SECONDS = 5.0
_ROOT = Path(spooler.__file__).parents[1]
_PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from {} import main; main()"
_OURS = "spooler.render.annex.child"

_log = structlog.get_logger()


@dataclass(frozen=True)
class Limits:
    """What reading one file may use. Of the memory the largest picture that we take needs two thirds, and our parsers a seventh."""

    memory_bytes: int = 600_000_000
    seconds: float = 15.0
    at_once: int = 4


class ApartReader:
    """Reads annexes, each in a child of its own. Started by the first one; may be shared by threads."""

    def __init__(self, limits: Limits | None = None, *, program: str = _OURS) -> None:
        self._limits = limits or Limits()
        self._program = program
        self._room = BoundedSemaphore(self._limits.at_once)
        self._turn = Lock()
        self._nursery: _Nursery | None = None

    def __call__(self, annex: AnnexFile) -> NormalAnnex:
        """Return the annex ready to place; raise BadAnnex, or OSError where no process can be had."""
        with self._room:
            try:
                return self._ask_a_child(annex, self._limits.seconds)
            except BadAnswer:
                # Killed by somebody, or by its file. A second child that ends the same way leaves only the file.
                return self._ask_once_more(annex)

    def close(self) -> None:
        with self._turn:
            nursery, self._nursery = self._nursery, None
        if nursery is not None:
            nursery.close()

    def _ask_once_more(self, annex: AnnexFile) -> NormalAnnex:
        try:
            return self._ask_a_child(annex, min(self._limits.seconds, SECOND_SECONDS))
        except BadAnswer as e:
            raise _refused(RenderCode.ANNEX_UNREADABLE, _CRASHED, str(e), annex) from e

    def _ask_a_child(self, annex: AnnexFile, seconds: float) -> NormalAnnex:
        """Raise BadAnswer if the child ended without one."""
        child = self._born()
        try:
            return self._ask(child, annex, seconds)
        except TimeoutError:
            raise _refused(RenderCode.ANNEX_TOO_COMPLEX, _TOO_LONG, "time", annex) from None
        except OSError as e:  # it hung up
            raise BadAnswer(type(e).__name__) from e
        finally:
            child.end()

    def _ask(self, child: "_Child", annex: AnnexFile, seconds: float) -> NormalAnnex:
        deadline = monotonic() + seconds
        child.talk.settimeout(seconds)
        memory = self._limits.memory_bytes
        write_question(child.talk, Question(annex.role, annex.media_type, annex.content, memory, seconds))
        return read_answer(child.talk, deadline)

    def _born(self) -> "_Child":
        with self._turn:
            if self._nursery is not None:
                # It may have been killed since; then a new one takes its place.
                with suppress(OSError):
                    return self._nursery.bear()
                self._nursery.close()
            self._nursery = _Nursery(self._program)
            return self._nursery.bear()


@lru_cache(maxsize=1)
def shared_reader() -> ApartReader:
    """Return the process's one reader; it starts nothing before the first annex."""
    return ApartReader()


_TOO_LONG = "文件过于复杂，无法在限定时间内读取。The file is too complex to be read in the time given."
_CRASHED = "文件已损坏或无法读取。The file is damaged or cannot be read."


def _refused(code: RenderCode, message: str, why: str, annex: AnnexFile) -> BadAnnex:
    _log.warning("annex reader ended", code=code.value, why=why, media_type=annex.media_type, bytes=len(annex.content))
    return BadAnnex(code, message)


@dataclass(frozen=True)
class _Child:
    """One child: the socket to talk over, and the handle by which it is killed, whatever it does."""

    talk: socket.socket
    handle: int

    def end(self) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.handle, signal.SIGKILL)
        select([self.handle], [], [], _LAST_SECONDS)  # readable once it is dead, and its memory free for the next
        os.close(self.handle)
        self.talk.close()


class _Nursery:
    """The process that has the parsers loaded. It ends when our side of its socket closes, however we end."""

    def __init__(self, program: str) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(_START_SECONDS)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _PROGRAM.format(program), str(_ROOT)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                cwd="/",
                env={},
            )

    def bear(self) -> _Child:
        """Return a new child, or raise OSError."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                socket.send_fds(self._control, [b"c"], [theirs.fileno()])
            _, handles, _, _ = socket.recv_fds(self._control, 1, 1)
            if not handles:
                raise OSError("the process that reads annexes has ended")
        except OSError:
            ours.close()
            raise
        return _Child(ours, handles[0])

    def close(self) -> None:
        self._control.close()
        try:
            self._process.wait(1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
