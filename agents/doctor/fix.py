"""`doctor --fix`: makes right what it can and says what it did; never restarts anything, and changes only what must be changed."""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from agents import once
from agents.doctor.cupsd import (
    POLICY,
    WANTED,
    WANTED_FILES,
    with_environment,
    with_policy,
    with_settings,
    wrong_settings,
)
from agents.doctor.facts import Facts
from agents.doctor.findings import Finding
from agents.doctor.look import Places, agent_user
from agents.permit import PermitDirectory, PermitsUnusable
from agents.printers import Cups, PrinterError

DROP_IN = """\
# Written by `certspool-agent doctor --fix`: a sender outlives a stopping cupsd, else a sheet is torn.
[Service]
KillMode=process
"""


@dataclass
class Done:
    """What was done, what could not be, and what has to follow."""

    did: list[str] = field(default_factory=list)
    could_not: list[str] = field(default_factory=list)
    then: list[str] = field(default_factory=list)

    def restart_cupsd(self) -> None:
        self._follow("systemctl restart cups  (无作业时 · between jobs; then run doctor again)")

    def reload_systemd(self) -> None:
        self._follow("systemctl daemon-reload")

    def _follow(self, what: str) -> None:
        if what not in self.then:
            self.then.append(what)


def fix(findings: Sequence[Finding], facts: Facts, places: Places, cups: Cups) -> Done:
    """Make right what can be; each step by itself, so that one that may not be taken keeps no other back."""
    done, codes = Done(), {finding.code for finding in findings}
    users = [user for user in [agent_user(places.settings)] if user != "root"]
    steps: list[tuple[bool, Callable[[], None]]] = [
        (bool(codes & _ONCE), lambda: _install_once(facts, done)),
        ("backend-mode" in codes, lambda: _open_backends(findings, done)),
        ("permits-loose" in codes, lambda: _tighten_permits(facts, done)),
        (bool(codes & _CUPSD), lambda: _write_cupsd(facts, findings, users, done)),
        (bool(codes & _FILES), lambda: _write_files(facts, findings, done)),
        ("kill-mode" in codes, lambda: _write_drop_in(places, done)),
        (facts.queues is not None, lambda: _make_queues_safe(findings, facts, cups, done)),
    ]
    for _, step in filter(lambda pair: pair[0], steps):
        with _told_if_not(done):
            step()
    return done


_ONCE = {"once-missing", "once-mode", "once-differs"}
_CUPSD = {"not-durable", "files-kept", "setting", "policy-open"}
_FILES = {"setting", "permits-variable", "probes-variable"}
_QUEUE = {"once-not-in-front", "device-differs", "error-policy", "banner", "copies", "shared", "contimeout"}


@contextmanager
def _told_if_not(done: Done) -> Iterator[None]:
    try:
        yield
    except OSError as e:
        done.could_not.append(f"{e.filename or ''}: {e.strerror}")
    except (PrinterError, PermitsUnusable) as e:
        done.could_not.append(str(e))


def _install_once(facts: Facts, done: Done) -> None:
    target = Path(facts.once.path)
    _replace(target, Path(once.__file__).read_bytes(), 0o755, like=target.parent)
    done.did.append(f"{target}: 已安装 installed, 755")


def _open_backends(findings: Sequence[Finding], done: Done) -> None:
    """A copy, for the package's own file may have other names; a later upgrade of it brings the closed mode back."""
    for path in sorted({Path(f.detail.rpartition(" ")[0]) for f in findings if f.code == "backend-mode"}):
        _replace(path, path.read_bytes(), 0o755, like=path)
        done.did.append(f"{path}: 已换为 755 副本 a copy of mode 755 is in its place")


def _tighten_permits(facts: Facts, done: Done) -> None:
    """The ACL first: it takes modes along without a moment in which a running sender is shut out."""
    path = Path(facts.permits.path)
    user = facts.configuration.files_value("User", "lp")
    PermitDirectory.open(path, backend_user=user, in_memory=True)
    for name in (".", *(Path(loose).name for loose in facts.permits.loose)):
        folder = path / name
        if name != "." and folder.is_dir() and not folder.stat().st_mode & 0o1000:
            folder.chmod(folder.stat().st_mode & 0o7777 | 0o1000)
        if folder.is_dir() and not _has_acl(folder):
            folder.chmod(0o700 if folder == path else 0o1700)
    done.did.append(f"{path}: 权限与 ACL 已改正 modes and ACLs set")


def _has_acl(folder: Path) -> bool:
    return "system.posix_acl_access" in os.listxattr(folder)


def _write_cupsd(facts: Facts, findings: Sequence[Finding], users: Sequence[str], done: Done) -> None:
    text = facts.configuration.cupsd
    if text is None:
        return
    wrong = {name: WANTED[name][1][0] for name, _ in wrong_settings(facts.configuration) if name in WANTED}
    changed = with_settings(text, wrong) if wrong else text
    if _needs_policy(findings) and not _has_good_policy(facts, users):
        changed = with_policy(changed, users)
        wrong[f"<Policy {POLICY}>"] = ""
    _write(Path(facts.configuration.cupsd_path), text, changed, wrong, done)


def _needs_policy(findings: Sequence[Finding]) -> bool:
    return any(f.code == "policy-open" or f.detail.startswith("JobPrivateValues") for f in findings)


def _has_good_policy(facts: Facts, users: Sequence[str]) -> bool:
    from agents.doctor.cupsd import open_operations, private_values

    text = facts.configuration.cupsd or ""
    is_closed = not open_operations(text, POLICY, facts.trusted_users | frozenset(users))
    return is_closed and private_values(text, POLICY).lower() == "none"


def _write_files(facts: Facts, findings: Sequence[Finding], done: Done) -> None:
    text, codes = facts.configuration.files, {finding.code for finding in findings}
    if text is None:
        return
    wrong = {n: WANTED_FILES[n][1][0] for n, _ in wrong_settings(facts.configuration) if n in WANTED_FILES}
    changed = with_settings(text, wrong) if wrong else text
    if "permits-variable" in codes:
        others = facts.configuration.environment(once.PERMITS_VARIABLE) or ""
        told = ":".join([*filter(None, others.split(":")), facts.permits.path])
        changed = with_environment(changed, once.PERMITS_VARIABLE, told)
        wrong[once.PERMITS_VARIABLE] = told
    if "probes-variable" in codes and facts.probes is not None:
        changed = with_environment(changed, once.PROBES_VARIABLE, facts.probes)
        wrong[once.PROBES_VARIABLE] = facts.probes
    _write(Path(facts.configuration.files_path), text, changed, wrong, done)


def _write(path: Path, before: str, after: str, what: dict[str, str], done: Done) -> None:
    """Keep the file as it was beside the new one."""
    if after == before:
        return
    backup = path.with_name(f"{path.name}.certspool-{datetime.now(UTC):%Y%m%d%H%M%S%f}")
    shutil.copy2(path, backup)
    _replace(path, after.encode(), path.stat().st_mode & 0o7777, like=path)
    told = ", ".join(f"{name} {value}".strip() for name, value in what.items())
    done.did.append(f"{path}: {told}  (原文件 backup: {backup.name})")
    done.restart_cupsd()


def _write_drop_in(places: Places, done: Done) -> None:
    places.drop_in.parent.mkdir(parents=True, exist_ok=True)
    _replace(places.drop_in, DROP_IN.encode(), 0o644, like=places.drop_in.parent)
    done.did.append(f"{places.drop_in}: KillMode=process")
    done.reload_systemd()


def _make_queues_safe(findings: Sequence[Finding], facts: Facts, cups: Cups, done: Done) -> None:
    """Queues that exist and are no class; the device is the one that hall.toml says."""
    hopeless = {f.printer for f in findings if f.code in ("queue-missing", "class")}
    for printer in facts.printers:
        wrong = sorted({f.code for f in findings if f.printer == printer.name} & _QUEUE)
        if wrong and printer.name not in hopeless:
            cups.make_safe(printer.name, f"{once.SCHEME}:{printer.device}")
            done.did.append(f"{printer.name}: {', '.join(wrong)} 已改正 set right")
        if printer.name not in hopeless and _needs_policy([f for f in findings if f.printer == printer.name]):
            _set_policy(printer.name, facts, cups, done)


def _set_policy(queue: str, facts: Facts, cups: Cups, done: Done) -> None:
    """cupsd takes a policy only when it was started with it."""
    if not _has_good_policy(facts, []):
        return
    if facts.stale:
        done.restart_cupsd()
        return
    cups.set_policy(queue, POLICY)
    done.did.append(f"{queue}: printer-op-policy={POLICY}")


def _replace(path: Path, content: bytes, mode: int, *, like: Path) -> None:
    """Write beside, then rename: whoever reads or runs the old one keeps it whole. The owner stays the owner's."""
    beside = path.with_name(f".{path.name}.new")
    owner = like.stat()
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.chmod(mode)
    if os.geteuid() == 0:
        os.chown(beside, owner.st_uid, owner.st_gid)
    beside.replace(path)
