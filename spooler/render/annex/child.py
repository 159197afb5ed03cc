"""Step 2c: the process that foreign files are parsed in. `apart` starts it, and nothing else of ours runs here.

A nursery has the parsers loaded and waits on its standard input, a socket. For each file it forks a child, which gives up what it does
not need, reads the one file, answers and ends. Whatever the file does to its parser, it does it there.
"""

import gc
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable

from PIL import Image

from spooler.render.annex.border import Question, read_question, write_answer
from spooler.render.annex.normal import normalise
from spooler.render.annex.values import BadAnnex, NormalAnnex
from spooler.render.content import AnnexFile

Read = Callable[[AnnexFile], NormalAnnex]

_FEW_FILES = 8  # qpdf asks the system for randomness when a file is encrypted
_AFTER_OTHERS = 10  # whoever asks the home is answered before a map is read
OOM_FIRST = "1000"  # if the machine itself runs out of memory, this is what goes


def main(read: Read = normalise) -> None:
    """Fork a child for every socket that comes, until whoever sends them has gone."""
    control = socket.socket(fileno=sys.stdin.fileno())
    for whole_group in (signal.SIGINT, signal.SIGTERM):  # a home that is being stopped finishes what it has in hand
        signal.signal(whole_group, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the children
    Image.init()  # what parsers load late is loaded here, once
    gc.freeze()  # a child that touches no old object copies no page of it
    while True:
        _, sockets, _, _ = socket.recv_fds(control, 1, 1)
        if not sockets:
            return
        with socket.socket(fileno=sockets[0]) as asked:
            _give_birth(control, asked, read)


def _give_birth(control: socket.socket, asked: socket.socket, read: Read) -> None:
    pid = os.fork()
    if pid == 0:
        _be_a_child(control, asked, read)
    handle = os.pidfd_open(pid)  # the child waits for its file: it is still there
    try:
        socket.send_fds(control, [b"c"], [handle])
    finally:
        os.close(handle)


def _be_a_child(control: socket.socket, asked: socket.socket, read: Read) -> None:
    """Answer one question; never return into the nursery."""
    try:
        control.close()
        _say_nothing()
        _answer(asked, read)
    finally:
        os._exit(0)


def _answer(asked: socket.socket, read: Read) -> None:
    question = read_question(asked)
    _give_up_what_is_not_needed(question)
    annex = AnnexFile(question.role, "", question.media_type, question.content)
    try:
        write_answer(asked, read(annex))
    except BadAnnex as e:
        write_answer(asked, e)


def _say_nothing() -> None:
    """Parsers print what they find, and what they find is about persons."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)


def _give_up_what_is_not_needed(question: Question) -> None:
    with open("/proc/self/oom_score_adj", "w") as score:
        score.write(OOM_FIRST)
    os.nice(_AFTER_OTHERS)
    seconds = int(question.seconds) + 1  # the parent kills sooner; this holds if the parent has gone
    for what, most in (
        (resource.RLIMIT_AS, question.memory_bytes),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _FEW_FILES),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
