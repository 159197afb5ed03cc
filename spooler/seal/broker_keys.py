"""Keys for the way to the broker: its own certificate, and one for each home and hall that logs in there (docs/broker.md).

    DIR/ca/{broker-ca.key,broker-ca.pem}                    certifies the broker and its clients; a seal never
    DIR/trust/broker-ca.pem                                 whom homes and halls believe that they talk to the broker
    DIR/trust/broker/{clients,servers,former}/<name>.pem    the certificates in use and before: nothing secret, to see when they end
    DIR/trust/broker/revoked/<hash of the authority>.r0     which ones are good no more: for the broker's machine
    DIR/home/credentials/<user>.broker.pem                  for a home: key and certificate of its user at the broker
    DIR/halls/<hall>/credentials/broker.pem                 for that hall alone
    DIR/broker/<node>/{ca.pem,server.pem,server.key}        for the broker's machine

Who logs in is the certificate's common name, so nobody but this authority says who is who. It is an authority apart: what it certifies
is good for no seal, and a seal's certificate opens no connection.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from re import fullmatch

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from spooler.seal.authority import Authority, PublicKey, fingerprint, revocation_list
from spooler.wire.files import PRIVATE, PUBLIC, NewFile, write_again, write_new
from spooler.wire.topology import hall_user

AUTHORITY_NAME = "certspool broker authority"
HOME_USER = "home"
RESERVED = ("administrator", "guest")  # users of RabbitMQ itself, who come over loopback
CLIENTS, SERVERS, FORMER = "trust/broker/clients", "trust/broker/servers", "trust/broker/former"
REVOKED = "trust/broker/revoked/522fa007.r0"  # as OpenSSL and Erlang look for it: a hash of AUTHORITY_NAME


class BadName(Exception):
    """A user of the broker or a node is named in a way that nothing can be called."""


def authority(directory: Path, now: datetime) -> tuple[Authority, list[NewFile]]:
    """Return the broker's authority of this directory; or a new one, and the files it is to be kept in."""
    certificate, private = directory / "ca/broker-ca.pem", directory / "ca/broker-ca.key"
    if certificate.exists():
        return Authority.from_pem(certificate.read_bytes(), private.read_bytes()), []
    made = Authority.create(AUTHORITY_NAME, now)
    pem = made.certificate_pem()
    return made, [
        NewFile("ca/broker-ca.key", made.private_pem(), PRIVATE),
        NewFile("ca/broker-ca.pem", pem, PUBLIC),
        NewFile("trust/broker-ca.pem", pem, PUBLIC),
        NewFile(REVOKED, revocation_list(made, None, now), PUBLIC),
    ]


def files_of_home(user: str, issuer: Authority, now: datetime) -> Iterator[NewFile]:
    if user in RESERVED or not fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", user) or user.startswith(hall_user("")):
        raise BadName(f"{user!r} is no name for a home's user: small letters, digits, . _ -, and not {hall_user('…')}")
    yield from _client_files(user, _of_home(user), issuer, now)


def files_of_hall(hall: str, issuer: Authority, now: datetime) -> Iterator[NewFile]:
    yield from _client_files(hall_user(hall), _of_hall(hall), issuer, now)


def files_of_server(node: str, names: Sequence[str], issuer: Authority, now: datetime) -> Iterator[NewFile]:
    """Key and certificate of one node, good for its own name and these besides."""
    if not fullmatch(r"[A-Za-z0-9][A-Za-z0-9.:-]{0,252}", node):
        raise BadName(f"{node!r} is no host name")
    private = ec.generate_private_key(ec.SECP256R1())
    certificate = issuer.certify_server(private.public_key(), names=[node, *names], now=now)
    place = f"broker/{node}"
    yield NewFile(f"{place}/server.key", _private_pem(private), PRIVATE)
    yield NewFile(f"{place}/server.pem", pem_of(certificate), PUBLIC)
    yield NewFile(f"{place}/ca.pem", issuer.certificate_pem(), PUBLIC)
    yield NewFile(f"{SERVERS}/{node}.pem", pem_of(certificate), PUBLIC)


def _client_files(user: str, path: str, issuer: Authority, now: datetime) -> Iterator[NewFile]:
    pem = new_client(user, issuer, now)
    yield NewFile(path, pem, PRIVATE)
    yield NewFile(f"{CLIENTS}/{user}.pem", public_side(pem), PUBLIC)


def new_client(user: str, issuer: Authority, now: datetime) -> bytes:
    """Return a new key and its certificate as that user, in one PEM file."""
    private = ec.generate_private_key(ec.SECP256R1())
    return _private_pem(private) + pem_of(issuer.certify_client(private.public_key(), user=user, now=now))


def certify(directory: Path, hall: str, public: PublicKey, now: datetime) -> x509.Certificate:
    """Return a certificate for a key that the hall made itself, and publish it."""
    issuer, files = authority(directory, now)
    write(directory, files)
    certificate = issuer.certify_client(public, user=hall_user(hall), now=now)
    publish(directory, hall_user(hall), pem_of(certificate))
    return certificate


def add_home(directory: Path, user: str, now: datetime) -> Path:
    """Make the key of a home that has none; AlreadyThere if it has."""
    issuer, files = authority(directory, now)
    write(directory, [*files, *files_of_home(user, issuer, now)])
    return directory / _of_home(user)


def add_hall(directory: Path, hall: str, now: datetime) -> Path:
    """Make the key of a hall that has none: one that was there before there were certificates."""
    issuer, files = authority(directory, now)
    write(directory, [*files, *files_of_hall(hall, issuer, now)])
    return directory / _of_hall(hall)


def add_server(directory: Path, node: str, names: Sequence[str], now: datetime) -> Path:
    """Make key and certificate of a node of the broker."""
    issuer, files = authority(directory, now)
    write(directory, [*files, *files_of_server(node, names, issuer, now)])
    return directory / "broker" / node


def write(directory: Path, files: Sequence[NewFile]) -> None:
    for file in sorted(files, key=lambda file: file.path.startswith("trust/")):
        write_new(directory / file.path, file.content, file.mode)


def publish(directory: Path, user: str, certificate: bytes) -> None:
    """Say which certificate this user has now; the one before is not forgotten, since it may have to be revoked."""
    place = directory / CLIENTS / f"{user}.pem"
    if place.exists() and (before := place.read_bytes()) != certificate:
        write_again(
            directory / FORMER / f"{user}.{fingerprint(x509.load_pem_x509_certificate(before))[:16]}.pem", before
        )
    write_again(place, certificate)


def revoke(directory: Path, owner: str, key_id: str, now: datetime) -> tuple[tuple[str, ...], int]:
    """End every certificate of this owner whose fingerprint begins so; return these, and how many are still good."""
    issuer, files = authority(directory, now)
    write(directory, files)
    before = (directory / REVOKED).read_bytes()
    listed = {one.serial_number for one in x509.load_pem_x509_crl(before)}
    good = {fingerprint(one): one for one in _certificates(directory, owner) if one.serial_number not in listed}
    chosen = {id_: one for id_, one in good.items() if id_.startswith(key_id)}
    if chosen:
        write_again(directory / REVOKED, revocation_list(issuer, before, now, *chosen.values()))
    return tuple(chosen), len(good) - len(chosen)


def _certificates(directory: Path, owner: str) -> Iterator[x509.Certificate]:
    """Yield what was ever certified for this owner, as far as it lies here; one that waits to be activated too."""
    user, place = user_of(owner), place_of(directory, owner)
    files = [
        directory / CLIENTS / f"{user}.pem",
        *(directory / FORMER).glob(f"{user}.*.pem"),
        *place.parent.glob(f"{place.stem}.*{place.suffix}"),
        place,
    ]
    for file in files:
        if file.exists():
            yield x509.load_pem_x509_certificate(file.read_bytes())


def place_of(directory: Path, owner: str) -> Path:
    """Return where the key of this hall or of this home's user lies, whether there is one or not."""
    return directory / (_of_hall(owner) if fullmatch(r"\d{6}-\d{2}", owner) else _of_home(owner))


def user_of(owner: str) -> str:
    return hall_user(owner) if fullmatch(r"\d{6}-\d{2}", owner) else owner


def public_side(pem: bytes) -> bytes:
    return pem_of(x509.load_pem_x509_certificate(pem))


def pem_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _of_home(user: str) -> str:
    return f"home/credentials/{user}.broker.pem"


def _of_hall(hall: str) -> str:
    return f"halls/{hall}/credentials/broker.pem"


def _private_pem(private: ec.EllipticCurvePrivateKey) -> bytes:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
