"""A registry's seal as a daemon holds it: key and certificate, checked at the start. What signs with it (`seal`) is loaded later."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from spooler.daemon.late import loading
from spooler.seal.authority import PrivateKey, fingerprint
from spooler.wire.algorithms import FileSigner, Signer, algorithm_of
from spooler.wire.errors import BadSignature

if TYPE_CHECKING:
    from spooler.seal.seal import CachedSigner


class UnusableKey(ValueError):
    """The file does not hold a key that can seal, with its certificate."""


class SealUnavailable(Exception):
    """This registry cannot seal just now: an operator must bring its key, its token, or another certificate."""

    def __init__(self, registry: str, code: str) -> None:
        super().__init__(f"registry {registry}: {code}")
        self.code = code


class SealKey:
    """A registry's seal: the private key, loaded once, and its certificate. Safe to use from several threads."""

    def __init__(
        self, private: PrivateKey | Signer, certificate: x509.Certificate, chain: list[x509.Certificate]
    ) -> None:
        if private.public_key() != certificate.public_key():
            raise UnusableKey("the certificate is for another key")
        self._key = _signer(private)
        self.certificate = certificate
        self.fingerprint = fingerprint(certificate)
        self._private = private
        self._chain = chain
        self._made: CachedSigner | None = None

    @classmethod
    def from_pkcs12(cls, content: bytes, password: bytes | None = None) -> "SealKey":
        try:
            private, certificate, chain = pkcs12.load_key_and_certificates(content, password)
        except ValueError as e:
            raise UnusableKey("not a PKCS#12 file, or another password") from e
        if not isinstance(private, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)) or certificate is None:
            raise UnusableKey("a seal is an RSA or elliptic curve key with its certificate")
        return cls(private, certificate, chain)

    @classmethod
    def from_token(cls, pem: bytes, find: Callable[[Any], Signer]) -> "SealKey":
        """Take the certificate, its issuers behind it, from a file, and the private key from where `find` finds it for a public one."""
        try:
            certificate, *chain = x509.load_pem_x509_certificates(pem)
        except ValueError as e:
            raise UnusableKey("no certificate in PEM form") from e
        return cls(find(certificate.public_key()), certificate, chain)

    def sign_pdf(self, writer: Any) -> bytes:
        """Return the document in `writer`, certified: whoever changes a byte breaks it."""
        signer = self._signer
        from spooler.seal.seal import certified

        return certified(writer, signer)

    @property
    def _signer(self) -> "CachedSigner":
        """What signs, made at its first use."""
        with loading:
            from spooler.seal.seal import CachedSigner

            self._made = self._made or CachedSigner(self._key, self.certificate, self._chain)
            return self._made


def _signer(private: PrivateKey | Signer) -> Signer:
    if not isinstance(private, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        return private
    try:
        return FileSigner(private, algorithm_of(private.public_key()))
    except BadSignature as e:
        raise UnusableKey(str(e)) from e
