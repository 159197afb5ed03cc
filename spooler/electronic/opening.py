"""With what an electronic certificate is opened: by the registry's settings, and a code that nobody can guess."""

import base64
import secrets
from collections.abc import Mapping

from spooler.electronic.identifier import TYPES, NewElectronic

CODE_BYTES = 16  # 128 bits; 26 letters and digits that nobody reads wrongly
CODE_PATTERN = r"^[a-z2-7]{26}$"


class Openings:
    """The registries that issue electronic certificates, by their credit codes."""

    def __init__(self, issuers: Mapping[str, str], names: Mapping[str, str], *, first_serial: int = 1) -> None:
        self._issuers = dict(issuers)
        self._names = dict(names)
        self._first_serial = first_serial

    def of(self, registry: str, kind: str) -> NewElectronic | None:
        """Return what a new certificate is opened with; None where there is none."""
        issuer = self._issuers.get(registry)
        if issuer is None or kind not in TYPES:
            return None
        return NewElectronic(new_code(), self._names[registry], issuer, self._first_serial)


NONE_ISSUED = Openings({}, {})


def new_code() -> str:
    """Return a random code for the public page."""
    return base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode().rstrip("=").lower()
