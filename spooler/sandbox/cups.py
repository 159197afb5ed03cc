"""A private cupsd for a sandbox's hall: its files, its argv, its queues; the machine's own CUPS is never touched.

The backends are copies in an own ServerBin, `once` in front of each real one; the filters are the system's. Run as root, cupsd starts
backends and filters as lp, so that every folder on the way must be traversable; run as an ordinary user all are that user's.
"""

import grp
import hashlib
import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from agents import once
from spooler.sandbox import virtual_printer

SYSTEM_BIN = Path("/usr/lib/cups")
CUPSD = "/usr/sbin/cupsd"
LPADMIN = "/usr/sbin/lpadmin"
STOCK_BACKENDS = ("ipp", "socket")  # copied, since the packages' own are sometimes not executable for lp
LONGEST_SOCKET_PATH = 107
POINTS_PER_MM = 72 / 25.4


@dataclass(frozen=True)
class Queue:
    """One printer of a hall: its stock's page size and the device behind `once`."""

    name: str
    device: str  # the real URI
    sizes: Mapping[str, tuple[float, float]]  # name → width and height in mm; the first is the default
    colour: bool = True


@dataclass(frozen=True)
class PrivateCups:
    """The files and the command of one private cupsd below `directory`."""

    directory: Path
    permits: Path

    @property
    def configuration(self) -> Path:
        return self.directory / "cupsd.conf"

    @property
    def files_configuration(self) -> Path:
        return self.directory / "cups-files.conf"

    @property
    def probes(self) -> Path:
        """Programs that say how a device stands, one for a scheme."""
        return self.directory / "probe"

    @property
    def error_log(self) -> Path:
        return self.directory / "log/error_log"

    @cached_property
    def socket(self) -> Path:
        """A domain socket's path has at most 107 characters; a deeper sandbox has its socket elsewhere, always at the same place."""
        below = self.directory / "cups.sock"
        if len(os.fsencode(below)) <= LONGEST_SOCKET_PATH:
            return below
        name = hashlib.sha256(os.fsencode(self.directory)).hexdigest()[:16]
        return Path(f"/tmp/certspool-{os.geteuid()}-{name}/cups.sock")

    @property
    def argv(self) -> list[str]:
        return [CUPSD, "-f", "-c", str(self.configuration), "-s", str(self.files_configuration)]

    @property
    def environment(self) -> dict[str, str]:
        """All that cupsd needs; the machine's colord is kept out of it."""
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "DBUS_SYSTEM_BUS_ADDRESS": ""}

    def prepare(self) -> None:
        """Write everything but the queues; again on the same directory it changes nothing that cupsd keeps."""
        for name in ("", "spool", "cache", "state", "log", "tmp", "root", "root/ppd"):
            _make_traversable(self.directory / name)
        _make_traversable(self.socket.parent)
        self._own_for_backends("spool", "tmp")
        self._write_programs()
        _write_changed(self.files_configuration, self._files_configuration())
        _write_changed(self.configuration, self._configuration())

    def is_ready(self) -> bool:
        """Whether cupsd answers on its socket."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(2)
            try:
                client.connect(str(self.socket))
            except OSError:
                return False
        return True

    def add_queue(self, queue: Queue) -> None:
        """Create or replace a queue of a running cupsd: abort-job, not shared, no banner, `once` before the device."""
        model = self.directory / f"{queue.name}.ppd"
        model.write_text(description(queue), encoding="ascii")
        self._lpadmin(["-p", queue.name, "-E", "-v", f"{once.SCHEME}:{queue.device}", "-P", str(model), *_SAFE_QUEUE])

    def _lpadmin(self, arguments: Sequence[str]) -> None:
        environment = {**self.environment, "CUPS_SERVER": str(self.socket)}
        result = subprocess.run(
            [LPADMIN, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        if result.returncode != 0:
            raise RuntimeError(f"lpadmin {arguments[1]}: {result.stderr.strip() or result.returncode}")

    def _own_for_backends(self, *names: str) -> None:
        for name in names:
            folder = self.directory / name
            folder.chmod(0o1770 if name == "tmp" else 0o710)
            if os.geteuid() == 0:
                backend_user = pwd.getpwnam("lp")
                os.chown(folder, 0, backend_user.pw_gid)

    def _write_programs(self) -> None:
        binaries = self.directory / "bin"
        for folder in (binaries, binaries / "backend", self.probes):
            _make_traversable(folder)
        for name in ("filter", "monitor", "notifier", "daemon", "cgi-bin", "driver"):
            _link(binaries / name, SYSTEM_BIN / name)
        for name in STOCK_BACKENDS:
            if (SYSTEM_BIN / "backend" / name).exists():
                _copy(SYSTEM_BIN / "backend" / name, binaries / "backend" / name)
        _copy(Path(once.__file__), binaries / "backend" / once.SCHEME)
        _copy(Path(virtual_printer.__file__), binaries / "backend" / virtual_printer.SCHEME)
        _copy(Path(virtual_printer.__file__), self.probes / virtual_printer.SCHEME)

    def _files_configuration(self) -> str:
        here = self.directory
        me = pwd.getpwuid(os.geteuid())
        user, group = ("lp", "lp") if me.pw_uid == 0 else (me.pw_name, _group_name(me.pw_gid))
        return "\n".join(
            [
                f"User {user}",
                f"Group {group}",
                f"SystemGroup {'root' if group != 'root' else 'daemon'}",
                f"ServerRoot {here}/root",
                f"ServerBin {here}/bin",
                "DataDir /usr/share/cups",
                f"CacheDir {here}/cache",
                f"StateDir {here}/state",
                f"RequestRoot {here}/spool",
                f"TempDir {here}/tmp",
                f"AccessLog {here}/log/access_log",
                f"ErrorLog {here}/log/error_log",
                f"PageLog {here}/log/page_log",
                "FatalErrors config",
                "SyncOnClose Yes",
                f"SetEnv {once.PERMITS_VARIABLE} {self.permits}",
                f"SetEnv {once.PROBES_VARIABLE} {self.probes}",
                "",
            ]
        )

    def _configuration(self) -> str:
        me = pwd.getpwuid(os.geteuid()).pw_name
        return _CONFIGURATION.format(socket=self.socket, user=me)


_SAFE_QUEUE = (
    *("-o", "printer-error-policy=abort-job"),
    *("-o", "printer-is-shared=false"),
    *("-o", "printer-op-policy=certspool"),
    *("-o", "job-sheets-default=none,none"),
)
_CONFIGURATION = """\
Listen {socket}
LogLevel warn
MaxLogSize 1m
AccessLogLevel config
Browsing Off
WebInterface No
DefaultShared No
DefaultAuthType Basic
DirtyCleanInterval 0
PreserveJobHistory Yes
PreserveJobFiles No
MaxJobs 0
MaxJobTime 0
MaxClients 500
MaxHoldTime 0
JobKillDelay 30
JobRetryInterval 30
<Location />
  Order allow,deny
  Allow localhost
</Location>
<Location /admin>
  AuthType Default
  Require user @SYSTEM {user}
  Order allow,deny
  Allow localhost
</Location>
<Policy default>
  JobPrivateAccess @OWNER @SYSTEM
  JobPrivateValues none
  SubscriptionPrivateAccess @OWNER @SYSTEM
  SubscriptionPrivateValues default
  <Limit CUPS-Add-Modify-Printer CUPS-Delete-Printer CUPS-Add-Modify-Class CUPS-Delete-Class CUPS-Set-Default \
Cancel-Jobs Cancel-My-Jobs CUPS-Get-Document>
    AuthType Default
    Require user @SYSTEM {user}
    Order deny,allow
  </Limit>
  <Limit Validate-Job Close-Job All>
    Order deny,allow
  </Limit>
</Policy>
<Policy certspool>
  JobPrivateAccess @OWNER @SYSTEM
  JobPrivateValues none
  SubscriptionPrivateAccess @OWNER @SYSTEM
  SubscriptionPrivateValues default
  <Limit Restart-Job Reprocess-Job CUPS-Move-Job Hold-Job Release-Job Set-Job-Attributes Cancel-Job Cancel-Jobs \
Cancel-My-Jobs Purge-Jobs Pause-Printer Resume-Printer CUPS-Accept-Jobs CUPS-Reject-Jobs CUPS-Get-Document \
CUPS-Add-Modify-Printer CUPS-Delete-Printer>
    AuthType Default
    Require user @SYSTEM {user}
    Order deny,allow
  </Limit>
  <Limit Validate-Job Close-Job All>
    Order deny,allow
  </Limit>
</Policy>
"""


def description(queue: Queue) -> str:
    """Return the PPD: the stock's sizes, and pdftopdf as the only filter before a PDF device."""
    sizes = {name: _points(size) for name, size in queue.sizes.items()}
    default = next(iter(sizes))
    lines = [line.format(colour=queue.colour, default=default) for line in _PPD]
    for keyword in ("PageSize", "PageRegion"):
        lines += [f"*OpenUI *{keyword}: PickOne", f"*Default{keyword}: {default}"]
        lines += [f'*{keyword} {name}: "<</PageSize[{w} {h}]>>setpagedevice"' for name, (w, h) in sizes.items()]
        lines += [f"*CloseUI: *{keyword}"]
    lines += [f"*DefaultImageableArea: {default}", f"*DefaultPaperDimension: {default}"]
    lines += [f'*ImageableArea {name}: "0 0 {w} {h}"' for name, (w, h) in sizes.items()]
    lines += [f'*PaperDimension {name}: "{w} {h}"' for name, (w, h) in sizes.items()]
    return "\n".join(lines) + "\n"


_PPD = (
    '*PPD-Adobe: "4.3"',
    '*FormatVersion: "4.3"',
    '*FileVersion: "1.0"',
    "*LanguageVersion: English",
    "*LanguageEncoding: ISOLatin1",
    '*PCFileName: "CERTSPOO.PPD"',
    '*Manufacturer: "certspool"',
    '*Product: "(virtual printer)"',
    '*ModelName: "certspool virtual printer"',
    '*ShortNickName: "certspool virtual printer"',
    '*NickName: "certspool virtual printer"',
    '*PSVersion: "(3010.000) 0"',
    '*LanguageLevel: "3"',
    "*ColorDevice: {colour}",
    "*DefaultColorSpace: RGB",
    '*cupsFilter2: "application/vnd.cups-pdf application/pdf 0 -"',
)


def _points(size: tuple[float, float]) -> tuple[str, str]:
    width, height = (f"{value * POINTS_PER_MM:.1f}" for value in size)
    return width, height


def _group_name(gid: int) -> str:
    return grp.getgrgid(gid).gr_name


def _make_traversable(folder: Path) -> None:
    """Below a folder that lp cannot enter, filters fail with "execv failed: Permission denied"."""
    folder.mkdir(parents=True, exist_ok=True)
    if folder.stat().st_uid == os.geteuid():
        folder.chmod(folder.stat().st_mode | 0o055)


def _write_changed(path: Path, text: str) -> None:
    """Leave a file alone that says the same: one newer than its cupsd is taken for not in force."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
        path.chmod(0o644)


def _link(link: Path, target: Path) -> None:
    if not link.is_symlink() and target.exists():
        link.symlink_to(target)


def _copy(source: Path, target: Path) -> None:
    """Write beside, then rename: a running backend keeps its own text."""
    beside = target.with_name(target.name + ".new")
    shutil.copyfile(source, beside)
    beside.chmod(0o755)
    beside.replace(target)
