"""The seals of all registries as they are when one is needed: there, and within the time of their certificates, or nothing is sealed.

A key that is taken away stops the sealing of its registry at once; one that comes back, or a new one in its place, starts it again.
Whatever waits stays `accepted`: nothing leaves without its seal.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from threading import Lock

from spooler.seal.key import SealKey, SealUnavailable, UnusableKey
from spooler.wire.errors import WireError
from spooler.wire.keys import SigningKey

__all__ = ["SealRing", "SealUnavailable", "TicketRing", "Trace"]

Trace = tuple[int, int, int]  # which file it was: a new one in its place is read anew


class SealRing(Mapping[str, SealKey]):
    """Seals by registry, read once and looked after at each use. May be shared by threads."""

    def __init__(
        self,
        names: Mapping[str, str],
        *,
        read: Callable[[str], tuple[Trace, bytes]],
        clock: Callable[[], datetime],
        is_revoked: Callable[[str, str, datetime], bool] = lambda registry, seal, at: False,
        load: Callable[[str, bytes], SealKey] = lambda registry, content: SealKey.from_pkcs12(content),
    ) -> None:
        """Take credential names by registry; `read` returns a credential and its trace, or raises OSError or ValueError."""
        self._is_revoked = is_revoked
        self._load = load
        self._names = dict(names)
        self._read = read
        self._clock = clock
        self._turn = Lock()
        self._known: dict[str, tuple[Trace, SealKey]] = {}

    def __getitem__(self, registry: str) -> SealKey:
        """Return the seal, or raise SealUnavailable (KeyError for a registry that is not served)."""
        name = self._names[registry]
        with self._turn:
            key = self._current(registry, name)
        now, certificate = self._clock(), key.certificate
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise SealUnavailable(registry, "seal-expired")
        if self._is_revoked(registry, key.fingerprint, now):
            raise SealUnavailable(registry, "seal-revoked")
        return key

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def ends(self) -> dict[str, datetime]:
        """Return when each certificate ends, of those that are there."""
        found = {}
        for registry, name in self._names.items():
            with suppress(SealUnavailable), self._turn:
                found[registry] = self._current(registry, name).certificate.not_valid_after_utc
        return found

    def _current(self, registry: str, name: str) -> SealKey:
        try:
            trace, content = self._read(name)
            known = self._known.get(registry)
            if known is None or known[0] != trace:
                known = self._known[registry] = (trace, self._load(registry, content))
        except (OSError, UnusableKey) as e:
            raise SealUnavailable(registry, "seal-absent") from e
        return known[1]


class TicketRing(Mapping[str, SigningKey]):
    """Ticket keys by registry: a new key in the old one's place is used as soon as it is believed. May be shared by threads.

    Unlike a seal a ticket key that is taken away does not stop anything: the one that was read holds until the home is stopped.
    """

    def __init__(
        self,
        names: Mapping[str, str],
        *,
        read: Callable[[str], tuple[Trace, bytes]],
        is_trusted: Callable[[str, str], bool],
        load: Callable[[str, bytes], SigningKey] = lambda registry, content: SigningKey.from_pem(content),
    ) -> None:
        """Read every key (OSError, ValueError or WireError if one cannot be used); `is_trusted` takes registry and kid."""
        self._names = dict(names)
        self._read = read
        self._is_trusted = is_trusted
        self._load_key = load
        self._turn = Lock()
        self._known = {registry: self._load(registry) for registry in self._names}

    def __getitem__(self, registry: str) -> SigningKey:
        with self._turn:
            with suppress(OSError, ValueError, WireError):
                self._look(registry)
            return self._known[registry][1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def _look(self, registry: str) -> None:
        """Until halls believe in the new key nothing is signed with it."""
        trace, _ = self._read(self._names[registry])
        if trace != self._known[registry][0]:
            found = self._load(registry)
            if self._is_trusted(registry, found[1].kid):
                self._known[registry] = found

    def _load(self, registry: str) -> tuple[Trace, SigningKey]:
        trace, content = self._read(self._names[registry])
        return trace, self._load_key(registry, content)
