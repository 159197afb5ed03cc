"""Accounts with passwords, in one file beside the daemon's data: `account add` and its like write it, the daemon only reads it.

Of a password only the argon2id hash is kept. An account is never removed, so that its id cannot become another person's.
"""

import fcntl
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from spooler.daemon.login.password import HASHED, hash_password
from spooler.daemon.login.weak import check_password
from spooler.daemon.settings import SettingsError

FILE_NAME = "accounts.json"
AccountId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class AccountsUnusable(OSError):
    """The file is not one that we wrote, or others may read it: nobody comes in by password until that is set right."""


class AccountRefused(ValueError):
    """What is asked of an account is not possible; the sentence says why."""


class LoginRecord(BaseModel):
    """One account. Whoever is logged in stays so only while all of this is as it was."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: AccountId
    roles: tuple[str, ...]
    registries: tuple[str, ...] = ()
    halls: tuple[str, ...] = ()
    password: Annotated[str, Field(pattern=HASHED)]
    changed_at: AwareDatetime
    is_disabled: bool = False


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    accounts: tuple[LoginRecord, ...] = ()


class AccountFile:
    """The accounts as the daemon reads them: again whenever the file is another one. Any thread may ask."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = Lock()
        self._seen: tuple[int, ...] | None = None
        self._known: Mapping[str, LoginRecord] = {}

    def __call__(self) -> Mapping[str, LoginRecord]:
        """Return all by id, none where there is no file; or raise AccountsUnusable."""
        with self._turn:
            try:
                found = self._path.stat()
            except FileNotFoundError:
                self._seen, self._known = None, {}
                return self._known
            now = (found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size)
            if now != self._seen:
                self._known, self._seen = _by_id(read(self._path)), now
            return self._known


def accounts_at(path: Path, setting: str) -> AccountFile:
    """Return the accounts that people log in to, read once; SettingsError, naming the setting, where they cannot be."""
    accounts = AccountFile(path)
    try:
        accounts()
    except AccountsUnusable as e:
        raise SettingsError(f"{setting}: {e}") from e
    except OSError as e:
        raise SettingsError(f"{setting} {path}: {e.strerror}") from e
    return accounts


class AccountDesk:
    """Where an operator changes accounts; nobody else writes the file."""

    def __init__(self, path: Path, clock: Callable[[], datetime]) -> None:
        self._path = path
        self._clock = clock

    def all(self) -> tuple[LoginRecord, ...]:
        return read(self._path)

    def add(
        self,
        account: str,
        password: str,
        *,
        roles: tuple[str, ...],
        registries: tuple[str, ...] = (),
        halls: tuple[str, ...] = (),
    ) -> LoginRecord:
        check_password(password, account)
        with self._changing() as kept:
            if account in kept:
                raise AccountRefused(f"账号已存在 · account {account} is there already")
            values = {"id": account, "roles": roles, "registries": registries, "halls": halls}
            kept[account] = self._checked(values | {"password": hash_password(password)})
            return kept[account]

    def set_password(self, account: str, password: str) -> None:
        """Whoever is logged in with the former one is so no longer."""
        check_password(password, account)
        self._change(account, password=hash_password(password))

    def disable(self, account: str, is_disabled: bool = True) -> None:
        self._change(account, is_disabled=is_disabled)

    def _change(self, account: str, **values: object) -> None:
        with self._changing() as kept:
            if account not in kept:
                raise AccountRefused(f"没有这个账号 · there is no account {account}")
            kept[account] = self._checked(dict(kept[account]) | values)

    def _checked(self, values: Mapping[str, object]) -> LoginRecord:
        try:
            return LoginRecord.model_validate({**values, "changed_at": self._clock()})
        except ValidationError as e:
            raise AccountRefused(f"账号名不合规 · not an account: {e.errors()[0]['loc'][0]}") from None

    @contextmanager
    def _changing(self) -> Iterator[dict[str, LoginRecord]]:
        """One operator after the other; the file is written aside and put in its place, or stays as it was."""
        with open(self._path.with_suffix(".lock"), "w") as lock:
            _give_to_owner(lock.fileno(), self._path.parent)
            fcntl.flock(lock, fcntl.LOCK_EX)
            kept = _by_id(read(self._path))
            yield kept
            _write(self._path, _Kept(accounts=tuple(kept[name] for name in sorted(kept))))


def read(path: Path) -> tuple[LoginRecord, ...]:
    """Return what the file holds, nothing where there is none, or raise AccountsUnusable."""
    try:
        with open(path, "rb") as file:
            _check(path, os.fstat(file.fileno()))
            return _Kept.model_validate_json(file.read()).accounts
    except FileNotFoundError:
        return ()
    except ValidationError:
        raise AccountsUnusable(f"{path}: 账号文件已损坏 · not a file of accounts") from None


def _by_id(accounts: tuple[LoginRecord, ...]) -> dict[str, LoginRecord]:
    return {account.id: account for account in accounts}


def _check(path: Path, found: os.stat_result) -> None:
    if found.st_uid not in {0, os.geteuid()} and os.geteuid() != 0:
        raise AccountsUnusable(f"{path}: 属于他人 · belongs to user {found.st_uid}, neither to us nor to root")
    if found.st_mode & 0o077:
        mode = stat.S_IMODE(found.st_mode)
        raise AccountsUnusable(f"{path}: 他人可读 · others may read it (mode {mode:04o}); chmod 0600 it")


def _write(path: Path, kept: _Kept) -> None:
    aside = path.with_suffix(".new")
    with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        _give_to_owner(file.fileno(), path.parent)
        file.write(kept.model_dump_json(indent=1).encode())
        file.flush()
        os.fsync(file.fileno())
    aside.rename(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _give_to_owner(descriptor: int, directory: Path) -> None:
    """What root writes, the daemon's user reads: it belongs to whoever the directory does."""
    if os.geteuid() == 0:
        owner = directory.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
