"""Settings: a TOML file, environment variables over it, and secrets as files in a credentials directory.

CERTSPOOL_HOME__LISTEN=127.0.0.1:9000 stands above `listen` in `[home]`. Only sections that the model has are looked at, so
other CERTSPOOL_ variables do no harm. Read once at start, by the module that joins the parts.
"""

import os
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

PREFIX = "CERTSPOOL_"
SYSTEMD_DIRECTORY = "CREDENTIALS_DIRECTORY"
SYSTEMD_ID = "credential"  # LoadCredential=credential:DIRECTORY names each file so, with _ and its name behind


class SettingsError(Exception):
    """An operator must correct a file; the sentence names it and the key."""

    code = "settings"


class Section(BaseModel):
    """A part of a settings file: frozen, and a key that nobody reads is a mistake to be told."""

    model_config = ConfigDict(frozen=True, extra="forbid")


M = TypeVar("M", bound=BaseModel)


def load_settings(model: type[M], path: Path, environment: Mapping[str, str] = os.environ) -> M:
    """Return the settings in `path` with the environment's overrides, or raise SettingsError."""
    values = _read(path)
    _override(values, model, environment)
    try:
        return model.model_validate(values)
    except ValidationError as e:
        # The value itself is not told: it may be a secret put in the wrong place.
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in e.errors())
        raise SettingsError(f"{path}: {faults}") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as e:
        raise SettingsError(f"{path}: {e.strerror}") from e
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise SettingsError(f"{path}: not a TOML file: {e}") from e


def _override(values: dict[str, Any], model: type[BaseModel], environment: Mapping[str, str]) -> None:
    for name, text in environment.items():
        section, separator, key = name.removeprefix(PREFIX).lower().partition("__")
        if name.startswith(PREFIX) and separator and section in model.model_fields:
            part = values.setdefault(section, {})
            if not isinstance(part, dict):
                raise SettingsError(f"{name}: [[{section}]] is a list, which the environment cannot change")
            part[key] = _value(name, text)


def _value(name: str, text: str) -> Any:
    """Return lists as TOML writes them; all else is text, and the model knows its type."""
    if not text.startswith("["):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError as e:
        raise SettingsError(f"{name}: not a TOML list: {e}") from e


class Credentials:
    """Secrets by name, from the directory in the settings or the one systemd made (LoadCredential=)."""

    def __init__(self, directory: Path | None, environment: Mapping[str, str] = os.environ) -> None:
        given = environment.get(SYSTEMD_DIRECTORY)
        if directory is None and not given:
            raise SettingsError(f"no credentials_directory, and ${SYSTEMD_DIRECTORY} is not set")
        self.directory = directory or Path(given or "")
        # systemd may let the service's user in by an ACL, whose mask shows as the group's right to read.
        self._forbidden = 0o077 if directory else 0o037
        self._is_systemds = directory is None

    def path(self, name: str) -> Path:
        """Return the file of this credential after looking at who may read it, or raise SettingsError."""
        if name in {"", ".", ".."} or "/" in name or "\0" in name:
            raise SettingsError(f"credential {name!r}: a plain file name is needed")
        path = self.directory / name
        if self._is_systemds and not path.exists():
            path = self.directory / f"{SYSTEMD_ID}_{name}"
        try:
            found = path.stat()
        except OSError as e:
            raise SettingsError(f"credential {path}: {e.strerror}") from e
        self._check(path, found)
        return path

    def read(self, name: str) -> bytes:
        """Return the credential, or raise SettingsError."""
        path = self.path(name)
        try:
            return path.read_bytes()
        except OSError as e:
            raise SettingsError(f"credential {path}: {e.strerror}") from e

    def traced(self, name: str) -> tuple[tuple[int, int, int], bytes]:
        """Return which file the credential is and what it holds, or raise OSError: it was there at the start, and may come back."""
        try:
            found = self.path(name).stat()
        except SettingsError as e:
            raise OSError(str(e)) from e
        return (found.st_ino, found.st_mtime_ns, found.st_size), self.read(name)

    def text(self, name: str) -> str:
        """Return a password or token: the file's text without the newline at its end."""
        try:
            return self.read(name).decode().rstrip("\r\n")
        except UnicodeDecodeError:
            raise SettingsError(f"credential {self.directory / name}: not UTF-8 text") from None

    def _check(self, path: Path, found: os.stat_result) -> None:
        if not stat.S_ISREG(found.st_mode):
            raise SettingsError(f"credential {path}: not a file")
        if found.st_uid not in {0, os.geteuid()}:
            raise SettingsError(f"credential {path}: belongs to user {found.st_uid}, neither to us nor to root")
        if found.st_mode & self._forbidden:
            mode = stat.S_IMODE(found.st_mode)
            raise SettingsError(f"credential {path}: others may read it (mode {mode:04o}); chmod 0600 it")
