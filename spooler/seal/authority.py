"""The certificate authorities of a small deployment: X.509 for the seals and, apart from these, for who talks to the broker.

Made with `cryptography` alone. A province with an authority of its own brings its certificates instead; halls look only at the pinned
fingerprint and the roots.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from spooler.wire.algorithms import Signer

# Halls' clocks differ; what is made now must be good there now.
CLOCK_MARGIN = timedelta(hours=1)
AUTHORITY_LIFE = timedelta(days=3652)
SEAL_LIFE = timedelta(days=1826)
CONNECTION_LIFE = timedelta(days=731)  # of the broker and of who logs in there: changed without a hall noticing


class SealAlgorithm(StrEnum):
    """What a seal signs with; RSA is what every reader of PDF understands."""

    RSA_2048 = "rsa-2048"
    RSA_3072 = "rsa-3072"
    P_256 = "p-256"


PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


class Authority:
    """An authority's certificate and key: one certifies seals and nothing else, another the broker and its clients and nothing else."""

    def __init__(self, certificate: x509.Certificate, private: ec.EllipticCurvePrivateKey) -> None:
        self.certificate = certificate
        self._private = private

    @classmethod
    def create(cls, name: str, now: datetime) -> "Authority":
        private = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = _builder(subject, subject, private.public_key(), now, AUTHORITY_LIFE).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        builder = builder.add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        return cls(builder.sign(private, hashes.SHA256()), private)

    @classmethod
    def from_pem(cls, certificate: bytes, private: bytes) -> "Authority":
        key = serialization.load_pem_private_key(private, None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError("the authority's key must be an elliptic curve key")
        return cls(x509.load_pem_x509_certificate(certificate), key)

    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def private_pem(self) -> bytes:
        return self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def certify_seal(
        self, private: PrivateKey | Signer, *, registry: str, name: str, now: datetime, life: timedelta = SEAL_LIFE
    ) -> x509.Certificate:
        """Return the certificate that says: this key seals for that registry."""
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, name),
                x509.NameAttribute(NameOID.COMMON_NAME, f"{name} {registry}"),
            ]
        )
        builder = _builder(subject, self.certificate.subject, private.public_key(), now, life)
        return self._sign_end(builder, _usage(digital_signature=True, content_commitment=True))

    def certify_client(
        self, public: PublicKey, *, user: str, now: datetime, life: timedelta = CONNECTION_LIFE
    ) -> x509.Certificate:
        """Return the certificate that says: who has this key is that user of the broker."""
        builder = self._connecting(public, user, ExtendedKeyUsageOID.CLIENT_AUTH, now, life)
        return self._sign_end(builder, _usage(digital_signature=True))

    def certify_server(
        self, public: PublicKey, *, names: Sequence[str], now: datetime, life: timedelta = CONNECTION_LIFE
    ) -> x509.Certificate:
        """Return the certificate that says: who has this key is the broker at these host names and addresses."""
        builder = self._connecting(public, names[0], ExtendedKeyUsageOID.SERVER_AUTH, now, life)
        builder = builder.add_extension(x509.SubjectAlternativeName(_general_names(names)), critical=False)
        return self._sign_end(builder, _usage(digital_signature=True))

    def _connecting(
        self, public: PublicKey, name: str, use: x509.ObjectIdentifier, now: datetime, life: timedelta
    ) -> x509.CertificateBuilder:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = _builder(subject, self.certificate.subject, public, now, life)
        return builder.add_extension(x509.ExtendedKeyUsage([use]), critical=True)

    def _sign_end(self, builder: x509.CertificateBuilder, usage: x509.KeyUsage) -> x509.Certificate:
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(usage, critical=True)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self._private.public_key()), critical=False
        )
        return builder.sign(self._private, hashes.SHA256())

    def sign_list(self, builder: x509.CertificateRevocationListBuilder) -> bytes:
        return builder.sign(self._private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def revocation_list(authority: Authority, before: bytes | None, now: datetime, *more: x509.Certificate) -> bytes:
    """Return the authority's list of revoked certificates with these on it too."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(authority.certificate.subject)
    builder = builder.last_update(now - CLOCK_MARGIN).next_update(now + AUTHORITY_LIFE)
    revoked = {one.serial_number: one for one in (x509.load_pem_x509_crl(before) if before else ())}
    for certificate in more:
        one = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number).revocation_date(now).build()
        revoked.setdefault(one.serial_number, one)
    for one in revoked.values():
        builder = builder.add_revoked_certificate(one)
    return authority.sign_list(builder)


def generate_seal_key(algorithm: SealAlgorithm) -> PrivateKey:
    if algorithm is SealAlgorithm.P_256:
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=int(algorithm.value.removeprefix("rsa-")))


def to_pkcs12(private: PrivateKey, certificate: x509.Certificate, authority: Authority) -> bytes:
    """Return key and chain in one file, without a password: the file's mode guards it, as systemd credentials do."""
    return pkcs12.serialize_key_and_certificates(
        b"seal", private, certificate, [authority.certificate], serialization.NoEncryption()
    )


def to_pem(*certificates: x509.Certificate) -> bytes:
    """Return them as they lie beside a key in a token: the seal's first, its issuer behind it."""
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates)


def fingerprint(certificate: x509.Certificate) -> str:
    """Return what trust records pin: SHA-256 of the certificate's DER, in hex."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def _general_names(names: Sequence[str]) -> Iterator[x509.GeneralName]:
    for name in names:
        try:
            yield x509.IPAddress(ip_address(name))
        except ValueError:
            yield x509.DNSName(name)


def _builder(
    subject: x509.Name, issuer: x509.Name, public: PublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_MARGIN)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _usage(
    *,
    digital_signature: bool = False,
    content_commitment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=content_commitment,  # nonRepudiation, as it was called
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
