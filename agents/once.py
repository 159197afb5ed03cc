#!/usr/bin/python3 -IS
"""The CUPS backend in front of the real one: whatever CUPS does, the real one is started once for each permit (step 5, the paper's edge).

Copied into ServerBin/backend as `once`, mode 755, standard library only; a queue's device is `once:` + the real URI. cupsd sends a job
again after a crash, a restart, enable, resume or move; here the second start finds the claim and refuses. In order: read the whole
document, check it against the permit, lock the device, ask whether it is ready, claim by `link`, write `first`, only then send, write
`done`. The sender has a session of its own, for cupsd kills the backend's process group when it stops. See docs/choices/once-backend.md.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import select
import shlex
import signal
import socket
import struct
import sys
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

SCHEME = "once"
PERMITS_VARIABLE = "CERTSPOOL_PERMITS"  # permit directories, parted by colons
PROBES_VARIABLE = "CERTSPOOL_PROBES"  # programs <scheme> that say how a device stands
CRASH_SWITCH, CRASH_VARIABLE = "certspool-crash", "CERTSPOOL_CRASH"  # tests only: spooler/daemon/crash.py tells

EXIT_DONE, EXIT_REFUSED = 0, 5  # both end the job; a stopped queue may start it again, and finds the claim
LARGEST_DOCUMENT = 256 * 2**20
IPP_SCHEMES = ("ipp", "ipps", "http", "https")
LOCK_PATIENCE_SECONDS = 3.0  # the agent looks at a lock by taking it for a moment
PROBE_SECONDS = 15.0
CONNECT_SECONDS = 10.0
KILL_AFTER_SECONDS = 10.0
CLOSING_SECONDS = 90.0
CHUNK = 65536


class Refused(Exception):
    """Nothing was claimed and nothing was sent; the text is a short code."""


@dataclass(frozen=True)
class Call:
    """What cupsd asks of us: its arguments and environment."""

    arguments: tuple[str, ...]  # job id, user, title, copies, options
    uuid: str
    queue: str
    device: str

    @property
    def scheme(self) -> str:
        return self.device.partition(":")[0]


@dataclass(frozen=True)
class Outcome:
    """How the sending went, kept as `done/<uuid>`."""

    exit: int | None
    signal: int | None
    terminated: bool  # SIGTERM was passed on, at the time limit
    bytes: int  # what the real backend took: an upper bound of what the device has
    length: int
    remote_state: str | None  # what an IPP printer says of its own job

    @property
    def is_good(self) -> bool:
        sent = self.exit == 0 and not self.terminated and self.bytes == self.length
        return sent and self.remote_state in (None, "completed")


def main(argv: Sequence[str], environment: Mapping[str, str]) -> int:
    """Be a CUPS backend; with no arguments (cupsd looks for devices) there are none."""
    if len(argv) == 1:
        return EXIT_DONE
    _fill_descriptors()
    try:
        call = read_call(argv, environment)
        document = read_document(argv[6] if len(argv) > 6 else None)
        crash_point("once.after-read")
        folder = find_permit(call.uuid, environment)
        permit = json.loads((folder / "issued" / call.uuid).read_bytes())
        check(call, permit, document, datetime.now(UTC))
        refuse_again(call, folder)
        crash_point("once.after-check")
    except (Refused, OSError, ValueError, KeyError, TypeError) as e:
        return _say_refused(e)
    return _wait_for_sender(call, permit, folder, document, environment)


def read_call(argv: Sequence[str], environment: Mapping[str, str]) -> Call:
    """Return the arguments as a value; the try's uuid is the one `job-uuid` among the options."""
    if len(argv) not in (6, 7):
        raise Refused("usage")
    found = [word[18:] for word in shlex.split(argv[5]) if word.startswith("job-uuid=urn:uuid:")]
    if len(found) != 1 or not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", found[0]):
        raise Refused("no-uuid")
    scheme, _, device = environment["DEVICE_URI"].partition(":")
    if scheme != SCHEME or not re.fullmatch(r"[a-z][a-z0-9+.-]*", device.partition(":")[0]):
        raise Refused("device")
    return Call(tuple(argv[1:6]), found[0], environment["PRINTER"], device)


def read_document(name: str | None) -> BinaryIO:
    """Return all that CUPS sends as a file without a name, in memory; its offset later tells how much was taken."""
    document = open(os.memfd_create("document"), "r+b", buffering=0)  # noqa: SIM115
    length = 0
    with open(0 if name is None else name, "rb", buffering=0, closefd=name is not None) as source:
        while piece := source.read(CHUNK):
            length += len(piece)
            if length > LARGEST_DOCUMENT:
                raise Refused("too-large")
            document.write(piece)
    document.seek(0)
    return document


def find_permit(uuid: str, environment: Mapping[str, str]) -> Path:
    """Return the permit directory that issued this uuid; the file must be its owner's and writable by nobody else."""
    for name in filter(None, environment.get(PERMITS_VARIABLE, "").split(":")):
        folder = Path(name)
        with contextlib.suppress(FileNotFoundError):
            issued = os.lstat(folder / "issued" / uuid)
            if issued.st_uid == os.stat(folder).st_uid and not issued.st_mode & 0o022:
                return folder
    raise Refused("no-permit")


def check(call: Call, permit: Mapping[str, Any], document: BinaryIO, now: datetime) -> None:
    """Refuse what is not exactly the job that the permit is for, and a document that is not whole."""
    asked = (call.uuid, call.arguments[0], call.queue, call.device, call.arguments[3])
    if asked != (permit["uuid"], str(permit["job"]), permit["queue"], permit["device"], "1"):
        raise Refused("other-job")
    if permit["until"] is not None and now > datetime.fromisoformat(permit["until"]):
        raise Refused("expired")
    content = document.read()
    document.seek(0)
    if permit["sha256"] is not None:
        if (hashlib.sha256(content).hexdigest(), len(content)) != (permit["sha256"], permit["length"]):
            raise Refused("other-content")
    elif count_pages(content) != permit["pages"]:
        raise Refused("other-pages")


def refuse_again(call: Call, folder: Path) -> None:
    """Refuse a pass that was sent, or is being sent, and note that somebody asked for it again; the claim itself decides in any case."""
    spent = folder / "spent" / call.uuid
    if not spent.exists():
        return
    if json.loads(spent.read_bytes())["by"] == SCHEME:  # what the agent took back itself is nobody's reprint
        with contextlib.suppress(OSError), open(spent.with_name(f".again.{call.uuid}"), "a", encoding="ascii") as note:
            note.write(json.dumps({"at": _now(), "job": call.arguments[0]}) + "\n")
    raise Refused("claimed")


# ---- A whole PDF, without a PDF library -----------------------------------------------------------------------------

_END = re.compile(rb"startxref\s+(\d+)\s+%%EOF\s*\Z")
_OBJECT = re.compile(rb"\b\d+\s+\d+\s+obj\b(.*?)(endobj|stream\r?\n)", re.DOTALL)
_PAGE = re.compile(rb"/Type\s*/Page(?![A-Za-z])")
_OBJECT_STREAM = re.compile(rb"/Type\s*/ObjStm\b")


def count_pages(content: bytes) -> int:
    """Count the pages of a whole PDF; a torso, as a killed filter leaves it, is refused.

    Page objects are counted outside of streams and inside object streams; the end must point at a cross-reference.
    """
    end = _END.search(content, max(0, len(content) - 1024))
    if not content.startswith(b"%PDF-") or end is None:
        raise Refused("not-whole")
    if not re.match(rb"\s*(xref\b|\d+\s+\d+\s+obj\b)", content[int(end[1]) : int(end[1]) + 64]):
        raise Refused("not-whole")
    return sum(len(_PAGE.findall(piece)) for piece in _objects(content))


def _objects(content: bytes) -> Iterator[bytes]:
    at = 0
    while found := _OBJECT.search(content, at):
        yield found[1]
        at = found.end()
        if found[2] != b"endobj":
            start, at = at, content.find(b"endstream", at)
            if at < 0:
                raise Refused("not-whole")
            if _OBJECT_STREAM.search(found[1]):
                yield zlib.decompressobj().decompress(content[start:at], LARGEST_DOCUMENT)


# ---- The sender -----------------------------------------------------------------------------------------------------


def _wait_for_sender(
    call: Call, permit: Mapping[str, Any], folder: Path, document: BinaryIO, environment: Mapping[str, str]
) -> int:
    """Run the sender in its own session and exit as it does. A cancel is not passed on: what is claimed goes on to its end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sender = os.fork()
    if sender == 0:
        code = EXIT_REFUSED
        try:
            os.setsid()
            crash_point("once.sender-started")
            code = _send_once(call, permit, folder, document, environment)
        except (Refused, OSError, ValueError) as e:
            code = _say_refused(e)
        finally:
            os._exit(code)
    crash_point("once.before-wait")
    return EXIT_DONE if os.waitstatus_to_exitcode(os.waitpid(sender, 0)[1]) == 0 else EXIT_REFUSED


def _send_once(
    call: Call, permit: Mapping[str, Any], folder: Path, document: BinaryIO, environment: Mapping[str, str]
) -> int:
    device_lock = lock_device(folder, call.device)
    crash_point("once.after-device-lock")
    connection = get_ready(call, environment)
    crash_point("once.after-ready")
    claim = claim_permit(folder, call.uuid)
    crash_point("once.after-claim")
    _write_synced(folder / "first" / call.uuid, {"at": _now()})
    crash_point("once.after-first")
    if connection is not None:
        outcome = send_by_socket(connection, document, permit["limit_seconds"])
    else:
        outcome = run_backend(call, environment, document, permit["limit_seconds"], (device_lock, claim))
    crash_point("once.before-done")
    _write_synced(folder / "done" / call.uuid, {**asdict(outcome), "at": _now()})
    crash_point("once.after-done")
    return EXIT_DONE if outcome.is_good else EXIT_REFUSED


def device_lock_name(device: str) -> str:
    """One lock a device, whatever number of queues lead to it."""
    return hashlib.sha256(device.encode()).hexdigest()


def lock_device(folder: Path, device: str) -> int:
    """Hold the device's lock, or refuse: an earlier sender may still be at it."""
    descriptor = os.open(folder / "locks" / device_lock_name(device), os.O_RDONLY)
    patience = time.monotonic() + LOCK_PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if time.monotonic() > patience:
                raise Refused("device-busy") from None
            time.sleep(0.05)


def get_ready(call: Call, environment: Mapping[str, str]) -> socket.socket | None:
    """Return once the device would take the document now; for `socket:` with the connection."""
    if call.scheme == "socket":
        try:
            return connect(call.device)
        except OSError:
            raise Refused("not-ready") from None
    if not os.access(_backend(call, environment), os.X_OK):
        raise Refused("no-backend")
    if not is_ready(probe(call.device, environment.get(PROBES_VARIABLE))):
        raise Refused("not-ready")
    return None


def claim_permit(folder: Path, uuid: str) -> int:
    """Claim by `link`: of all claims and revocations one wins. The returned descriptor holds the claim's lock."""
    aside = folder / "spent" / f".{uuid}.{os.getpid()}"
    descriptor = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        os.fchmod(descriptor, 0o644)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(descriptor, json.dumps({"by": "once", "at": _now()}).encode())
        os.fsync(descriptor)
        crash_point("once.before-claim-link")
        os.link(aside, folder / "spent" / uuid)
        crash_point("once.after-claim-link")
    except FileExistsError:
        raise Refused("claimed") from None
    finally:
        os.unlink(aside)
    sync_directory(folder / "spent")
    return descriptor


def send_by_socket(connection: socket.socket, document: BinaryIO, limit_seconds: float) -> Outcome:
    """Send over a connection that stood before the claim; what the printer says is dropped."""
    length, sent, failed = os.fstat(document.fileno()).st_size, 0, None
    deadline = time.monotonic() + limit_seconds
    try:
        while sent < length:
            connection.settimeout(max(0.1, deadline - time.monotonic()))
            piece = os.pread(document.fileno(), CHUNK, sent)
            sent += connection.send(piece)
            if time.monotonic() > deadline:
                raise TimeoutError
        connection.shutdown(socket.SHUT_WR)
        _wait_for_close(connection)
    except OSError as e:
        failed = e
    finally:
        connection.close()
    return Outcome(0 if failed is None else 1, None, False, sent, length, None)


def _wait_for_close(connection: socket.socket) -> None:
    """Return when the printer closes, or, as some never do, when it has acknowledged every byte."""
    deadline = time.monotonic() + CLOSING_SECONDS
    with contextlib.suppress(TimeoutError):
        while (left := deadline - time.monotonic()) > 0:
            connection.settimeout(left)
            if not connection.recv(CHUNK):
                return
    unsent = fcntl.ioctl(connection, 0x5411, b"\0" * 4)  # SIOCOUTQ
    if struct.unpack("i", unsent)[0]:
        raise TimeoutError


def run_backend(
    call: Call, environment: Mapping[str, str], document: BinaryIO, limit_seconds: float, locks: Sequence[int]
) -> Outcome:
    """Start the real backend with six arguments, never a file name, and wait for its end."""
    errors, its_errors = os.pipe()
    kept_open, side_channel = socket.socketpair()  # `socket` hangs without descriptor 4; this one never says anything
    child = os.fork()
    if child == 0:
        _become_backend(call, environment, document, its_errors, side_channel, locks)
    os.close(its_errors)
    side_channel.close()
    crash_point("once.while-sending")
    status, terminated, remote_job = _follow(child, errors, limit_seconds)
    kept_open.close()
    taken = os.lseek(document.fileno(), 0, os.SEEK_CUR)
    code = os.waitstatus_to_exitcode(status)
    remote = _remote_state(call.device, remote_job) if call.scheme in IPP_SCHEMES and code == 0 else None
    length = os.fstat(document.fileno()).st_size
    return Outcome(code if code >= 0 else None, -code if code < 0 else None, terminated, taken, length, remote)


def _become_backend(
    call: Call,
    environment: Mapping[str, str],
    document: BinaryIO,
    errors: int,
    side_channel: socket.socket,
    locks: Sequence[int],
) -> None:
    """In the child: descriptors 0 to 4 and the locks go along, so that a lock is free only when the device's last sender is gone."""
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDWR)
        for place, source in enumerate((document.fileno(), nothing, errors, nothing, side_channel.fileno())):
            os.dup2(source, place)
        for lock in locks:
            os.set_inheritable(lock, True)
        crash_point("once.before-exec")
        os.execve(
            _backend(call, environment), [call.device, *call.arguments], {**environment, "DEVICE_URI": call.device}
        )
    finally:
        os._exit(127)


def _follow(child: int, errors: int, limit_seconds: float) -> tuple[int, bool, int | None]:
    """Return the child's status, whether the time limit ended it, and the printer's own job number if `ipp` named it."""
    deadline, terminated, text, remote_job = time.monotonic() + limit_seconds, False, b"", None
    while True:
        # Its end closes the pipe, so that no time is lost; a backend that closed the pipe itself is looked at now and then.
        if select.select([errors], [], [], 0.05)[0]:
            if piece := os.read(errors, CHUNK):
                *lines, text = (text + piece).split(b"\n")
                remote_job = _pass_on(lines) or remote_job
                continue
            time.sleep(0.005)
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status, terminated, remote_job
        if time.monotonic() > deadline:
            os.killpg(child, signal.SIGKILL if terminated else signal.SIGTERM)
            deadline, terminated = time.monotonic() + KILL_AFTER_SECONDS, True


def _pass_on(lines: Sequence[bytes]) -> int | None:
    """Show cupsd the printer's state, nothing else: other lines may say whose job it is."""
    remote_job = None
    for line in lines:
        if found := re.search(rb"accepted - job ID (\d+)", line):
            remote_job = int(found[1])
        if line.startswith((b"STATE:", b"ATTR: marker-", b"ATTR: printer-")):
            _tell_cupsd(line)
    return remote_job


# ---- How the device stands ------------------------------------------------------------------------------------------

_HINDERS = re.compile(
    r"(media-(empty|needed|jam)|(marker-supply|toner)-empty|.*-open|offline|paused|shutdown|timed-out)"
)


def is_ready(standing: Mapping[str, Any] | None) -> bool:
    """Say whether a device that stands so would take a document at once; one that cannot be asked may."""
    if standing is None:
        return True
    return standing["state"] == "idle" and not any(map(hinders, standing["reasons"]))


def hinders(reason: str) -> bool:
    """Whether an IPP printer-state-reason keeps a sheet from coming; warnings and reports do not."""
    severity = reason.rpartition("-")[2]
    if severity in ("report", "warning", "error"):
        return severity == "error" or reason == "offline-report"
    return _HINDERS.fullmatch(reason) is not None


def probe(device: str, probes: str | os.PathLike[str] | None) -> dict[str, Any] | None:
    """Ask the device: {"state": "idle" | "processing" | "stopped", "reasons": [IPP words]}, or None where nobody can tell."""
    scheme = device.partition(":")[0]
    if scheme in IPP_SCHEMES:
        return _probe_ipp(device)
    if probes is None or not (program := Path(probes) / scheme).exists():
        return None
    import subprocess

    try:
        answer = subprocess.run(
            [program, device], capture_output=True, timeout=PROBE_SECONDS, check=True, close_fds=True
        )
        standing = json.loads(answer.stdout)
        return {"state": str(standing["state"]), "reasons": [str(reason) for reason in standing["reasons"]]}
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
        return {"state": "stopped", "reasons": ["offline"]}


def connect(device: str) -> socket.socket:
    """Return a connection to a `socket://host:port` device."""
    address = urlsplit(device)
    return socket.create_connection((address.hostname or "", address.port or 9100), timeout=CONNECT_SECONDS)


def _probe_ipp(device: str) -> dict[str, Any]:
    try:
        answer = _ask_ipp(device, 0x000B, b"", ("printer-state", "printer-state-reasons"))
        state = {3: "idle", 4: "processing", 5: "stopped"}[answer["printer-state"][0]]
        return {"state": state, "reasons": [reason for reason in answer["printer-state-reasons"] if reason != "none"]}
    except (OSError, ValueError, KeyError, IndexError, struct.error):
        return {"state": "stopped", "reasons": ["offline"]}


def _remote_state(device: str, job: int | None) -> str:
    """Return what the printer says of its own job. Not known is not completed."""
    if job is None:
        return "unknown"
    try:
        answer = _ask_ipp(device, 0x0009, b"\x21" + _word(b"job-id") + _word(struct.pack(">i", job)), ("job-state",))
        return {7: "canceled", 8: "aborted", 9: "completed"}.get(answer["job-state"][0], "processing")
    except (OSError, ValueError, KeyError, IndexError, struct.error):
        return "unknown"


def _word(value: bytes) -> bytes:
    return struct.pack(">H", len(value)) + value


def _ask_ipp(device: str, operation: int, target: bytes, wanted: Sequence[str]) -> dict[str, list[Any]]:
    """One IPP request (RFC 8010), as small as it can be; raises OSError or ValueError where there is no answer."""
    import http.client  # heavy, and most devices are not asked this way: each pass waits for this program to start
    import ssl

    address = urlsplit(device)
    safe = address.scheme in ("ipps", "https")
    uri = f"{'ipps' if safe else 'ipp'}://{address.hostname}:{address.port or 631}{address.path or '/'}"
    head = [(0x47, b"attributes-charset", b"utf-8"), (0x48, b"attributes-natural-language", b"en")]
    head += [(0x45, b"printer-uri", uri.encode())]
    body = struct.pack(">BBHiB", 2, 0, operation, 1, 1)
    body += b"".join(bytes([tag]) + _word(name) + _word(value) for tag, name, value in head) + target
    for index, name in enumerate(wanted):
        body += b"\x44" + _word(b"requested-attributes" if index == 0 else b"") + _word(name.encode())
    host, port = address.hostname or "", address.port or 631
    # Printers sign their own certificates; CUPS trusts them as well, and only a state is read here.
    connection = (
        http.client.HTTPSConnection(host, port, timeout=CONNECT_SECONDS, context=ssl._create_unverified_context())
        if safe
        else http.client.HTTPConnection(host, port, timeout=CONNECT_SECONDS)
    )
    with contextlib.closing(connection):
        try:
            connection.request("POST", address.path or "/", body + b"\x03", {"Content-Type": "application/ipp"})
            return _read_ipp(connection.getresponse().read())
        except http.client.HTTPException as e:
            raise ValueError("no HTTP") from e


def _read_ipp(answer: bytes) -> dict[str, list[Any]]:
    values: dict[str, list[Any]] = {}
    at, name = 8, ""
    while at < len(answer) and answer[at] != 0x03:
        tag = answer[at]
        at += 1
        if tag < 0x10:  # a new group
            continue
        (size,) = struct.unpack_from(">H", answer, at)
        name = answer[at + 2 : at + 2 + size].decode() if size else name
        at += 2 + size
        (size,) = struct.unpack_from(">H", answer, at)
        value = answer[at + 2 : at + 2 + size]
        at += 2 + size
        whole = tag in (0x21, 0x23)
        values.setdefault(name, []).append(int.from_bytes(value, "big") if whole else value.decode("utf-8", "replace"))
    return values


# ---- Small things ---------------------------------------------------------------------------------------------------


def sync_directory(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_synced(path: Path, content: Mapping[str, Any]) -> None:
    """Write aside, sync, link into place, sync the folder: the name is there only with its whole content."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        os.fchmod(descriptor, 0o644)
        os.write(descriptor, json.dumps(content).encode())
        os.fsync(descriptor)
        os.link(aside, path)
    finally:
        os.close(descriptor)
        os.unlink(aside)
    sync_directory(path.parent)


def _backend(call: Call, environment: Mapping[str, str]) -> Path:
    if call.scheme == SCHEME:
        raise Refused("device")
    return Path(environment.get("CUPS_SERVERBIN", "/usr/lib/cups")) / "backend" / call.scheme


def crash_point(name: str) -> None:
    """Die here if a test asks for it (spooler/daemon/crash.py says how, and lists the names); never as cupsd starts this file."""
    if CRASH_SWITCH not in sys._xoptions:
        return
    folder = Path(os.environ.get(CRASH_VARIABLE, "/nonexistent"))
    with contextlib.suppress(FileNotFoundError):
        asked, _, nth = (folder / "point").read_text("ascii").strip().partition(":")
        if asked == name and _hit(folder) == int(nth or 1):
            os.kill(os.getpid(), signal.SIGKILL)


def _hit(folder: Path) -> int:
    number = 1
    while True:
        with contextlib.suppress(FileExistsError):
            (folder / f"hit.{number}").touch(0o644, exist_ok=False)
            return number
        number += 1


def _fill_descriptors() -> None:
    """Started without some of 0 to 4, a file of ours must not land there."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 4:
        pass
    os.close(descriptor)


def _say_refused(reason: Exception) -> int:
    word = str(reason) if isinstance(reason, Refused) else type(reason).__name__
    _tell_cupsd(f"ERROR: once: {word}".encode())
    return EXIT_REFUSED


def _tell_cupsd(line: bytes) -> None:
    with contextlib.suppress(OSError):  # cupsd may be gone; the sheet is not
        os.write(2, line + b"\n")


def _now() -> str:
    return datetime.now(UTC).isoformat()


if __name__ == "__main__":
    sys.exit(main(sys.argv, os.environ))
