"""What `once` refuses and how it sends, without a cupsd: documents, arguments, readiness, raw sockets."""

import io
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pytest
from pypdf import PdfReader, PdfWriter

from agents import once
from agents.device import DeviceState, Standing, look
from tests.agents.paper.hall import SPREAD, a_document

URN = "job-uuid=urn:uuid:0b9f5f0e-7a51-4c53-9a8e-1f4a2f6f9c11"
ENVIRONMENT = {"DEVICE_URI": "once:socket://printer:9100", "PRINTER": "booklet-1"}


def arguments(options: str = f"copies=1 {URN} print-scaling=none") -> list[str]:
    return ["once", "7", "agent", "title", "1", options]


# ---- Arguments


def test_the_trys_uuid_and_the_real_device_are_read_from_what_cupsd_gives():
    call = once.read_call(arguments(), ENVIRONMENT)

    assert (call.uuid, call.device, call.scheme) == (URN[18:], "socket://printer:9100", "socket")


@pytest.mark.parametrize(
    "options",
    ["copies=1", f"{URN} {URN}", f'x="a {URN}"', "job-uuid=urn:uuid:../../etc/passwd", URN.upper()],
    ids=["none", "two", "quoted", "path", "case"],
)
def test_options_without_exactly_one_uuid_are_refused(options):
    with pytest.raises(once.Refused, match="no-uuid"):
        once.read_call(arguments(options), ENVIRONMENT)


@pytest.mark.parametrize("device", ["socket://p", "once:", "once:../sh:x", "once:once:socket://p"])
def test_a_queue_that_is_not_behind_once_is_refused(device):
    with pytest.raises(once.Refused, match="device"):
        call = once.read_call(arguments(), ENVIRONMENT | {"DEVICE_URI": device})
        once.get_ready(call, {})


# ---- A whole document


def compressed(document: bytes) -> bytes:
    """The same document with its objects in compressed streams, as newer writers do."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(document)) as pdf:
        pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return out.getvalue()


@pytest.mark.parametrize("pages", [1, 2, 7])
@pytest.mark.parametrize("form", [bytes, compressed], ids=["plain", "object-streams"])
def test_the_pages_of_a_whole_document_are_counted(pages, form):
    assert once.count_pages(form(a_document(*[SPREAD] * pages))) == pages


@pytest.mark.parametrize("form", [bytes, compressed], ids=["plain", "object-streams"])
def test_every_torso_of_a_document_is_refused(form):
    """A killed filter may stop after any byte; only the white space at the end may be missing."""
    whole = form(a_document(SPREAD, SPREAD))
    for length in range(len(whole.rstrip())):
        with pytest.raises(once.Refused, match="not-whole"):
            once.count_pages(whole[:length])


def test_what_stands_in_a_content_stream_is_no_page():
    writer, out = PdfWriter(PdfReader(io.BytesIO(a_document()))), io.BytesIO()
    writer.add_attachment("note.txt", b"1 0 obj << /Type /Page >> endobj " * 3)
    writer.write(out)

    assert once.count_pages(out.getvalue()) == 1


@pytest.mark.parametrize(
    "content", [b"", b"%PDF-1.7", b"\n" * 2000, b"%!PS\n%%EOF\n", b"%PDF-1.4\nstartxref\n9\n%%EOF\n"]
)
def test_what_is_no_pdf_is_refused(content):
    with pytest.raises(once.Refused, match="not-whole"):
        once.count_pages(content)


# ---- Readiness


@pytest.mark.parametrize(
    ("reason", "hinders"),
    [
        ("media-jam-error", True),
        ("media-empty", True),
        ("cover-open", True),
        ("offline-report", True),
        ("marker-supply-empty-error", True),
        ("marker-supply-low-warning", False),
        ("media-low-report", False),
        ("connecting-to-device", False),
    ],
)
def test_what_keeps_a_sheet_from_coming_is_told_from_what_does_not(reason, hinders):
    assert once.hinders(reason) is hinders
    assert once.is_ready({"state": "idle", "reasons": [reason]}) is not hinders


@pytest.mark.parametrize("state", ["processing", "stopped"])
def test_only_an_idle_device_is_ready(state):
    assert not once.is_ready({"state": state, "reasons": []})
    assert once.is_ready({"state": "idle", "reasons": []})
    assert once.is_ready(None), "one that nobody can ask may be"


@pytest.mark.parametrize("script", ["exit 1", "echo nonsense", "echo '{}'"])
def test_a_probe_that_fails_means_not_ready(tmp_path, script):
    program = tmp_path / "usb"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)

    assert once.probe("usb://x", tmp_path) == {"state": "stopped", "reasons": ["offline"]}


@pytest.mark.parametrize(
    ("reasons", "words"),
    [
        (("media-jam-error",), ("printer-jam",)),
        (("media-needed",), ("printer-out-of-stock",)),
        (("cover-open",), ("printer-offline",)),
        (("media-low-warning",), ("printer-offline",)),
        ((), ("printer-offline",)),
    ],
)
def test_a_stopped_device_says_in_our_words_what_it_needs(reasons, words):
    assert Standing(DeviceState.STOPPED, reasons).order_reasons == words


# ---- Raw sockets


class Sink:
    """A raw printer port that reads so many bytes and then does as told."""

    def __init__(self, take: int | None = None) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.device = f"socket://127.0.0.1:{self.server.getsockname()[1]}"
        self.taken = b""
        self._take = take
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        connection, _ = self.server.accept()
        with connection:
            while piece := connection.recv(4096):
                self.taken += piece
                if self._take is not None and len(self.taken) >= self._take:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    return


@pytest.fixture
def document(tmp_path) -> Iterator[io.FileIO]:
    path = tmp_path / "document"
    path.write_bytes(os.urandom(3_000_000))
    with open(path, "rb", buffering=0) as file:
        yield file


def test_a_document_sent_whole_over_a_socket_is_good(document):
    sink = Sink()
    outcome = once.send_by_socket(once.connect(sink.device), document, 30)

    assert outcome.is_good
    assert len(sink.taken) == outcome.bytes == outcome.length == 3_000_000


def test_a_device_that_hangs_up_is_not_good(document):
    sink = Sink(take=10_000)
    outcome = once.send_by_socket(once.connect(sink.device), document, 30)

    assert not outcome.is_good
    assert 0 < outcome.bytes <= outcome.length


def test_a_device_that_stops_reading_is_given_up_at_the_limit(document):
    with socket.create_server(("127.0.0.1", 0)) as server:
        connection = once.connect(f"socket://127.0.0.1:{server.getsockname()[1]}")
        outcome = once.send_by_socket(connection, document, 0.3)

    assert (outcome.exit, outcome.is_good) == (1, False)


def test_where_nobody_listens_the_device_is_offline():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    assert look(f"socket://127.0.0.1:{port}", None).order_reasons == ("printer-offline",)


# ---- The file itself


def test_it_runs_on_the_systems_python_alone(tmp_path):
    """It is copied into ServerBin/backend: standard library only, and nothing of this project beside it."""
    copy = tmp_path / "once"
    copy.write_bytes(Path(once.__file__).read_bytes())
    done = subprocess.run([sys.executable, "-I", "-S", copy], capture_output=True, timeout=30, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_it_says_no_more_than_a_code():
    done = subprocess.run(
        [sys.executable, once.__file__, *arguments("owner=secret")[1:]],
        env=ENVIRONMENT,
        input=b"",
        capture_output=True,
        timeout=30,
    )

    assert (done.returncode, done.stderr) == (5, b"ERROR: once: no-uuid\n")
