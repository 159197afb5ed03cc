"""The doctor's eyes: reads cupsd, its files, the permit directory and the processes into `Facts`; judges nothing, changes nothing."""

import os
import pwd
import socket
import stat
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from agents import once
from agents.calibration.kept import uncalibrated
from agents.doctor.cupsd import Configuration
from agents.doctor.facts import Blocked, Facts, FileFacts, JobFacts, PermitFacts, PrinterWish, QueueFacts
from agents.permit import ACL, FOLDERS, asked_again, filesystem_type
from agents.printers import CLASS_BIT, Cups, CupsUnreachable, Job, PrinterError
from agents.settings import HallSection, HallSettings, PrinterSection
from spooler.wire.messages import Stock

CUPS_DIRECTORY = Path("/etc/cups")
SERVER_BIN = Path("/usr/lib/cups")
SYSTEMD_DIRECTORY = Path("/etc/systemd/system")
DROP_IN = Path("cups.service.d/certspool.conf")
BACKEND_USER = "lp"  # unless cups-files.conf says otherwise
STOCK_SIZES_MM = {Stock.CERTIFICATE: (332.0, 239.0), Stock.PROOF: (297.0, 210.0), Stock.PLAIN: (210.0, 297.0)}
JOBS_SINCE_SECONDS = 86400.0
NEWER_SECONDS = 1.0  # a process's start is known to a hundredth of a second, a file's time to less

Ours = Callable[[Job], JobFacts]


@dataclass(frozen=True)
class Places:
    """Where things lie. `prefix` goes before what neither hall.toml nor cups-files.conf names, as in an image."""

    settings: HallSettings
    prefix: Path | None = None

    @property
    def cups_directory(self) -> Path:
        return self.settings.cups.configuration_directory or self._below(CUPS_DIRECTORY)

    @property
    def drop_in(self) -> Path:
        return self._below(SYSTEMD_DIRECTORY) / DROP_IN

    def server_bin(self, configuration: Configuration) -> Path:
        named = configuration.files_value("ServerBin")
        return Path(named) if named else self._below(SERVER_BIN)

    def configuration(self) -> Configuration:
        cupsd, files = self.cups_directory / "cupsd.conf", self.cups_directory / "cups-files.conf"
        return Configuration(_text(cupsd), _text(files), str(cupsd), str(files))

    def _below(self, path: Path) -> Path:
        return path if self.prefix is None else self.prefix / path.relative_to("/")


def look(places: Places, cups: Cups, *, ours: Ours, permits_are_ours: bool | None = None) -> Facts:
    """Return how everything is now; `queues` is None when cupsd does not answer."""
    settings, configuration = places.settings, places.configuration()
    pid = cupsd_pid(settings.cups.socket)
    server_bin = places.server_bin(configuration) / "backend"
    owner = _agent(settings)
    facts = Facts(
        printers=tuple(_wish(printer, settings.hall) for printer in settings.printers),
        queues=None,
        jobs=(),
        once=_once(server_bin / once.SCHEME, pid),
        backends=_backends(settings, server_bin),
        permits=_permits(settings.hall.permits, configuration, permits_are_ours),
        probes=None if settings.cups.probe_directory is None else str(settings.cups.probe_directory),
        configuration=configuration,
        blocked=_blocked(settings.hall.permits),
        stale=_newer(places, pid),
        is_browsed_running=any(_comm(int(p.name)) == "cups-browsed" for p in Path("/proc").glob("[0-9]*")),
        kills_senders=_kills_senders(places, pid),
        trusted_users=frozenset({owner}),
    )
    return _with_cups(facts, settings, cups, ours)


def agent_user(settings: HallSettings) -> str:
    """Return whom the agent runs as: the owner of its data."""
    return _agent(settings)


def _with_cups(facts: Facts, settings: HallSettings, cups: Cups, ours: Ours) -> Facts:
    try:
        names = {p.name for p in settings.printers}
        queues = [_queue(cups, name, device, name in names) for name, device in cups.queues().items()]
        jobs = [*cups.waiting_jobs(), *cups.ended_jobs(time.time() - JOBS_SINCE_SECONDS)]
    except CupsUnreachable:
        return facts
    known = tuple(replace(ours(job), is_left=job.is_left) for job in jobs if job.queue in names)
    return replace(facts, queues=tuple(queues), jobs=known)


def _queue(cups: Cups, name: str, device: str, is_ours: bool) -> QueueFacts:
    if not is_ours:
        return QueueFacts(name, device)
    found = cups.attributes(name)
    return QueueFacts(
        name=name,
        device=str(found.get("device-uri", device)),
        is_class=bool(_number(found.get("printer-type", 0)) & CLASS_BIT),
        is_shared=bool(found.get("printer-is-shared")),
        error_policy=str(found.get("printer-error-policy", "")),
        op_policy=str(found.get("printer-op-policy", "default")),
        banners=_words(found.get("job-sheets-default", ("none",))),
        copies=_number(found.get("copies-default", 1)),
        sizes=_sizes(cups, name),
    )


def _sizes(cups: Cups, name: str) -> Mapping[str, tuple[float, float]] | None:
    """A class has no description, and a raw queue needs none."""
    try:
        facts = cups.queue_facts(name)
    except CupsUnreachable:
        raise
    except PrinterError:
        return None
    return None if facts.is_raw else facts.sizes


def _wish(printer: PrinterSection, hall: HallSection) -> PrinterWish:
    size = STOCK_SIZES_MM[printer.stock]
    return PrinterWish(printer.name, printer.device, size, uncalibrated(printer, hall))


def _number(value: object) -> int:
    return int(str(value[0] if isinstance(value, (list, tuple)) else value))


def _words(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, (list, tuple)) else (str(value),)


# ---- Programs -------------------------------------------------------------------------------------------------------


def _once(path: Path, pid: int | None) -> FileFacts:
    owner = _owner_of_process(pid)
    try:
        status, content = path.stat(), path.read_bytes()
    except FileNotFoundError:
        return FileFacts(str(path), None)
    except OSError:
        # Not for us to read is not for cupsd's user either.
        return FileFacts(str(path), 0)
    is_same = content == Path(once.__file__).read_bytes()
    return FileFacts(str(path), stat.S_IMODE(status.st_mode), status.st_uid == owner, is_same)


def _backends(settings: HallSettings, folder: Path) -> Mapping[str, FileFacts]:
    """The real ones that `once` will start; of `socket:` it is one itself."""
    schemes = {printer.device.partition(":")[0] for printer in settings.printers} - {"socket", once.SCHEME}
    return {scheme: FileFacts(str(folder / scheme), _mode(folder / scheme)) for scheme in schemes}


def _mode(path: Path) -> int | None:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None


# ---- The permit directory -------------------------------------------------------------------------------------------


def _permits(path: Path, configuration: Configuration, is_ours: bool | None) -> PermitFacts:
    backend_user = configuration.files_value("User", BACKEND_USER)
    if not path.is_dir():
        return PermitFacts(str(path), is_there=False, is_ours=is_ours)
    user = _uid(backend_user)
    return PermitFacts(
        path=str(path.absolute()),
        filesystem=filesystem_type(path),
        loose=tuple(str(path / name) for name in (".", *FOLDERS) if not _is_tight(path / name, name, user)),
        closed=_closed(path, user),
        is_ours=is_ours,
    )


def _blocked(path: Path) -> tuple[Blocked, ...]:
    try:
        found = asked_again(path, time.time() - JOBS_SINCE_SECONDS)
    except OSError:  # not for us to read, or gone: that is found elsewhere
        return ()
    return tuple(Blocked(again.queue, f"{again.title} {again.at}") for again in found)


def _is_tight(folder: Path, name: str, user: int | None) -> bool:
    """Whether its owner, and cupsd's user as far as it must, and nobody else may do anything here."""
    try:
        status = folder.stat()
        named, others = _admitted(folder, status.st_mode)
    except OSError:
        return False
    rights = {".": 0o1, "issued": 0o5, "locks": 0o5}.get(name, 0o7)
    standing = {_uid(BACKEND_USER): rights, user: rights}
    is_needed = user is not None and user != status.st_uid
    is_sticky = name == "." or bool(status.st_mode & stat.S_ISVTX)
    admits = not is_needed or named.get(user or 0) == rights
    return is_sticky and admits and others == 0 and all(standing.get(who) == may for who, may in named.items())


def _admitted(folder: Path, mode: int) -> tuple[dict[int, int], int]:
    """Return the ACL's named users with their rights, and what any group or other may."""
    try:
        acl = os.getxattr(folder, ACL)
    except OSError:
        return {}, mode & 0o077
    named, others, mask = dict[int, int](), 0, 0o7
    entries = list(struct.iter_unpack("<HHI", acl[4:]))
    for tag, rights, _ in entries:
        mask = rights if tag == 0x10 else mask
    for tag, rights, who in entries:
        if tag == 0x02:
            named[who] = rights & mask
        elif tag in (0x04, 0x08):
            others |= rights & mask
        elif tag == 0x20:
            others |= rights
    return named, others


def _closed(path: Path, user: int | None) -> str | None:
    """Return the folder above the permits that cupsd's user cannot enter."""
    if user is None or user == 0:
        return None
    for parent in path.absolute().parents:
        status = parent.stat()
        named, _ = _admitted(parent, 0)
        may = bool(status.st_mode & 0o001) or named.get(user, 0) & 0o1
        if not may and not (status.st_uid == user and status.st_mode & 0o100):
            return str(parent)
    return None


# ---- Processes ------------------------------------------------------------------------------------------------------


def cupsd_pid(path: Path) -> int | None:
    """Return the cupsd behind a socket; systemd may hold the socket for it."""
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(2)
            client.connect(str(path))
            (pid, _, _) = struct.unpack("3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    except OSError:
        return None
    if _comm(pid) == "cupsd":
        return int(pid)
    return next((p for p in map(int, _numbers("/proc")) if _comm(p) == "cupsd" and b"-c" not in _argv(p)), None)


def _newer(places: Places, pid: int | None) -> tuple[str, ...]:
    """The settings files that were changed after this cupsd started. A time to come says nothing: the clock was set."""
    started = _started_at(pid)
    if started is None:
        return ()
    found = []
    for name in ("cupsd.conf", "cups-files.conf"):
        path = places.cups_directory / name
        if path.exists() and started + NEWER_SECONDS < path.stat().st_mtime <= time.time():
            found.append(str(path))
    return tuple(found)


def _started_at(pid: int | None) -> float | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    uptime = time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.time() - (uptime - int(fields[19]) / os.sysconf("SC_CLK_TCK"))


def _kills_senders(places: Places, pid: int | None) -> bool:
    try:
        is_service = "cups.service" in Path(f"/proc/{pid}/cgroup").read_text()
    except OSError:
        is_service = False
    files = sorted(places.drop_in.parent.glob("*.conf"))
    is_calmed = any("KillMode=process" in (_text(file) or "").split() for file in files)
    return (is_service or places.prefix is not None) and not is_calmed


def _owner_of_process(pid: int | None) -> int:
    try:
        return Path(f"/proc/{pid}").stat().st_uid
    except OSError:
        return 0


def _comm(pid: int) -> str:
    return (_text(Path(f"/proc/{pid}/comm")) or "").strip()


def _argv(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def _numbers(folder: str) -> list[str]:
    return [name for name in os.listdir(folder) if name.isdecimal()]


# ---- Small things ---------------------------------------------------------------------------------------------------


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def _uid(name: str) -> int | None:
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def _agent(settings: HallSettings) -> str:
    try:
        return pwd.getpwuid(settings.hall.data_directory.stat().st_uid).pw_name
    except (OSError, KeyError):
        return pwd.getpwuid(os.geteuid()).pw_name
