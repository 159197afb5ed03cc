"""Keys in a PKCS#11 token (an HSM, a smart card): found by their public side, used where they lie, never read.

The only module that imports pkcs11, and it does so when the first signature is wanted: a home without a token never does. A token has one
session and makes one signature at a time. One that does not answer, or refuses its PIN, is a `SealUnavailable`; requests wait.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha1, sha256
from pathlib import Path
from threading import RLock
from time import monotonic
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from spooler.daemon.late import loading
from spooler.daemon.settings import SettingsError
from spooler.seal.authority import PublicKey, SealAlgorithm
from spooler.seal.key import SealUnavailable
from spooler.wire.algorithms import ES256, Algorithm, algorithm_of

ABSENT, WRONG_PIN, LOCKED, NO_KEY, FAILED = "token-absent", "token-pin", "token-locked", "token-key", "token-failed"
# A token that just failed is not asked again at once: a card counts its wrong PINs, an HSM at the other end of a cable has its time limits.
REST_SECONDS = 5.0


class TokenError(Exception):
    """The token does not sign just now; `code` says who must act."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code


@dataclass(frozen=True)
class Place:
    """Which token: the maker's library, the token's label, and how its PIN is read."""

    module: Path
    label: str
    pin: Callable[[], str]


class Token:
    """One token; may be shared by threads and by registries."""

    def __init__(self, place: Place, *, seconds: Callable[[], float] = monotonic) -> None:
        self._place = place
        self._seconds = seconds
        self._turn = RLock()
        self._session: Any = None
        self._keys: dict[bytes, Any] = {}
        self._refused_pin: str | None = None
        self._trouble: tuple[float, TokenError] | None = None

    def sign(self, public: PublicKey, data: bytes, label: str | None = None) -> bytes:
        """Return the signature as X.509 and CMS have it, or raise TokenError."""
        algorithm = algorithm_of(public)
        with self._turn:
            signed: bytes = self._in_session(lambda session: self._sign(session, public, data, algorithm, label))
            return signed

    def is_there(self) -> bool:
        """Say whether it can be logged into now."""
        with self._turn:
            try:
                self._in_session(_ask)
            except TokenError:
                return False
            return True

    def generate(self, label: str, algorithm: SealAlgorithm) -> PublicKey:
        """Make a key pair that never leaves the token; return its public side."""
        with self._turn:
            der: bytes = self._in_session(lambda session: _generate(session, label, algorithm))
        public = serialization.load_der_public_key(der)
        algorithm_of(public)
        return public  # type: ignore[return-value]

    def close(self) -> None:
        with self._turn:
            self._forget()

    def _in_session(self, work: Callable[[Any], Any]) -> Any:
        """Do it in the session that is open, and if that has ended since it was opened, once more in a new one."""
        self._rest()
        was_open = self._session is not None
        try:
            return self._attempt(work)
        except TokenError as e:
            # A token that went away may also say that it has no such key.
            if not was_open or e.code in (WRONG_PIN, LOCKED):
                self._trouble = None if e.code == NO_KEY else (self._seconds(), e)
                raise
        return self._in_session(work)

    def _attempt(self, work: Callable[[Any], Any]) -> Any:
        try:
            with _as_token_errors():
                self._session = self._session or self._open()
                found = work(self._session)
        except TokenError:
            self._forget()
            raise
        self._trouble = None
        return found

    def _rest(self) -> None:
        if self._trouble is not None and self._seconds() - self._trouble[0] < REST_SECONDS:
            raise self._trouble[1]

    def _open(self) -> Any:
        pin = self._pin()
        if self._refused_pin == _digest(pin):
            # It was wrong, and after some more tries the token would lock itself.
            raise TokenError(WRONG_PIN, f"the token {self._place.label} refused this PIN; it is not tried again")
        with loading:
            import pkcs11
        found = self._look_for(pkcs11.lib(str(self._place.module)))
        try:
            return found.open(user_pin=pin, rw=True)
        except pkcs11.UserAlreadyLoggedIn:
            return found.open(rw=True)  # in another session of this process, which is a login for all of them
        except pkcs11.PinIncorrect:
            self._refused_pin = _digest(pin)
            raise

    def _pin(self) -> str:
        try:
            return self._place.pin()
        except (OSError, SettingsError) as e:
            raise TokenError(WRONG_PIN, "its PIN cannot be read") from e

    def _look_for(self, library: Any) -> Any:
        """What was put in or taken out since the library was loaded is seen only when that is begun anew, which ends other sessions."""
        from pkcs11.exceptions import PKCS11Error

        try:
            return library.get_token(token_label=self._place.label)
        except PKCS11Error:
            library.reinitialize()
            return library.get_token(token_label=self._place.label)

    def _sign(self, session: Any, public: PublicKey, data: bytes, algorithm: Algorithm, label: str | None) -> bytes:
        from pkcs11 import Mechanism

        key = self._find(session, public, label)
        if algorithm is ES256:
            raw: bytes = key.sign(sha256(data).digest(), mechanism=Mechanism.ECDSA)
            half = len(raw) // 2
            return encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))
        return bytes(key.sign(data, mechanism=Mechanism.SHA256_RSA_PKCS))

    def _find(self, session: Any, public: PublicKey, label: str | None) -> Any:
        """By the id that is made of the public key, as every tool does; else by the label that the settings name."""
        from pkcs11 import ObjectClass

        known = self._keys.get(key_id(public))
        if known is None:
            by = {"label": label} if label else {"id": key_id(public)}
            known = self._keys[key_id(public)] = session.get_key(object_class=ObjectClass.PRIVATE_KEY, **by)
        return known

    def _forget(self) -> None:
        session, self._session, self._keys = self._session, None, {}
        if session is not None:
            with suppress(Exception):  # it has gone with its token
                session.close()


class TokenSigner:
    """A registry's key in a token."""

    def __init__(self, token: Token, public: PublicKey, registry: str, label: str | None = None) -> None:
        self._token = token
        self._public = public
        self._registry = registry
        self._label = label

    def public_key(self) -> PublicKey:
        return self._public

    def sign(self, data: bytes) -> bytes:
        """Raise SealUnavailable where the token does not sign."""
        try:
            return self._token.sign(self._public, data, self._label)
        except TokenError as e:
            raise SealUnavailable(self._registry, e.code) from e


def key_id(public: PublicKey) -> bytes:
    """Return CKA_ID: SHA-1 over the public key's bits, as in the certificate's subject key identifier (RFC 5280 §4.2.1.2)."""
    if isinstance(public, ec.EllipticCurvePublicKey):
        point = public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        return sha1(point, usedforsecurity=False).digest()
    numbers = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    return sha1(numbers, usedforsecurity=False).digest()


def _ask(session: Any) -> None:
    """Ask the token something that it has to answer itself."""
    from pkcs11 import Attribute, ObjectClass

    next(iter(session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})), None)


def _generate(session: Any, label: str, algorithm: SealAlgorithm) -> bytes:
    """Make the pair; its id is known only once it is there."""
    import pkcs11
    from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters
    from pkcs11.util.rsa import encode_rsa_public_key

    if algorithm is SealAlgorithm.P_256:
        curve = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
        parameters = session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True)
        public, private = parameters.generate_keypair(label=label, store=True)
        der = encode_ec_public_key(public)
    else:
        bits = int(algorithm.value.removeprefix("rsa-"))
        public, private = session.generate_keypair(pkcs11.KeyType.RSA, bits, label=label, store=True)
        der = encode_rsa_public_key(public)
        der = _subject_public_key_info(der)
    made: Any = serialization.load_der_public_key(der)
    for half in (public, private):
        half[pkcs11.Attribute.ID] = key_id(made)
    return der


def _subject_public_key_info(der: bytes) -> bytes:
    from asn1crypto.keys import PublicKeyInfo, RSAPublicKey

    return bytes(PublicKeyInfo.wrap(RSAPublicKey.load(der), "rsa").dump())


@contextmanager
def _as_token_errors() -> Iterator[None]:
    """pkcs11 ends here."""
    from pkcs11 import exceptions as said

    codes: dict[type[Exception], str] = {
        said.PinIncorrect: WRONG_PIN,
        said.PinLocked: LOCKED,
        said.NoSuchKey: NO_KEY,
        said.MultipleObjectsReturned: NO_KEY,
        said.NoSuchToken: ABSENT,
        said.TokenNotPresent: ABSENT,
        said.DeviceRemoved: ABSENT,
        OSError: ABSENT,
    }
    try:
        yield
    except (said.PKCS11Error, RuntimeError, OSError) as e:
        code = next((code for kind, code in codes.items() if isinstance(e, kind)), FAILED)
        raise TokenError(code, type(e).__name__) from e


def _digest(pin: str) -> str:
    return sha256(pin.encode()).hexdigest()
