"""What `[broker]` says in home.toml and hall.toml: one node of RabbitMQ or a cluster, and how both sides show who they are."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path

import structlog
from cryptography import x509
from cryptography.x509.oid import NameOID
from pydantic import Field, field_validator, model_validator

from spooler.daemon.server import split_listen
from spooler.daemon.settings import Credentials, Section, SettingsError
from spooler.wire.link import BrokerAddress, Node, Tls

PLAIN_PORT, TLS_PORT = 5672, 5671

_log = structlog.get_logger()


class BrokerSection(Section):
    """`nodes` names a cluster's nodes, each `host:port`; `host` and `port`, when given beside them, come first."""

    host: str = "127.0.0.1"
    port: int | None = Field(default=None, gt=0, le=65535)  # default: 5671 with an authority_file, else 5672
    nodes: tuple[str, ...] = ()
    virtual_host: str = "/"
    user: str
    password_credential: str = ""  # one of these two
    certificate_credential: str = ""  # our key and certificate, in one PEM file; its common name is `user`
    authority_file: Path | None = None  # PEM: who certifies the broker. With it TLS, and nothing but TLS
    server_name: str = ""  # in the broker's certificate, where that is not the node's name as it stands here

    @field_validator("nodes")
    @classmethod
    def _each_is_one(cls, nodes: tuple[str, ...]) -> tuple[str, ...]:
        for node in nodes:
            split_listen(node)
        return nodes

    @model_validator(mode="after")
    def _fits_together(self) -> "BrokerSection":
        if bool(self.password_credential) == bool(self.certificate_credential):
            raise ValueError("name one of password_credential and certificate_credential")
        if self.authority_file is None and (self.certificate_credential or self.server_name):
            raise ValueError("certificate_credential and server_name need authority_file: who certifies the broker")
        return self

    @property
    def ways_in(self) -> tuple[Node, ...]:
        """Return where to connect, in the order of the file, none twice."""
        named = [split_listen(node) for node in self.nodes]
        if not named or self.model_fields_set & {"host", "port"}:
            default = PLAIN_PORT if self.authority_file is None else TLS_PORT
            named.insert(0, (self.host, self.port or default))
        return tuple(dict.fromkeys(named))

    @property
    def has_certificates(self) -> bool:
        """Say whether users show certificates here, and have no password."""
        return bool(self.certificate_credential)

    def address(self, password: str = "", tls: Tls | None = None) -> BrokerAddress:
        """Return the address of whoever has this password. Where another node can be asked, none is waited for long."""
        first, *others = self.ways_in
        address = BrokerAddress(*first, self.virtual_host, self.user, password, others=tuple(others), tls=tls)
        return replace(address, connect_seconds=2.0, confirm_seconds=4.0) if others else address


def read_address(broker: BrokerSection, credentials: Credentials) -> BrokerAddress:
    """Return how we come to the broker; SettingsError when a file cannot be used. What goes in the open is warned of."""
    if broker.authority_file is None:
        if not all(_is_loopback(host) for host, _ in broker.ways_in):
            _log.warning("the broker is talked to without TLS, by password: broker.authority_file is not set")
        return broker.address(credentials.text(broker.password_credential))
    certificate = credentials.path(broker.certificate_credential) if broker.has_certificates else None
    tls = Tls(broker.authority_file, certificate, broker.server_name)
    _check(broker, tls)
    if certificate is None:
        return broker.address(credentials.text(broker.password_credential), tls)
    return broker.address(tls=tls)


def _check(broker: BrokerSection, tls: Tls) -> None:
    """Say at the start what a refusal by the broker would not say."""
    try:
        tls.context()
    except OSError as e:
        files = f"authority_file {tls.authority}, certificate_credential {broker.certificate_credential or '-'}"
        raise SettingsError(f"broker: {files}: 证书文件不可用 · cannot be used: {e.strerror}") from e
    if tls.certificate is not None and (name := _name_in(_load(tls.certificate))) != broker.user:
        raise SettingsError(
            f"broker.certificate_credential: the certificate is of {name!r}, broker.user is {broker.user!r}"
        )


def certificate_end(address: BrokerAddress) -> datetime | None:
    """Return when our certificate ends, as its file says now; None without one, or when it is not there just now."""
    if address.tls is None or address.tls.certificate is None:
        return None
    try:
        return _load(address.tls.certificate).not_valid_after_utc
    except (OSError, ValueError):
        return None


def certificate_ends(files: Iterable[Path]) -> dict[str, datetime]:
    """Return when each of these certificates ends, by its file's name; what is none is left out."""
    found = {}
    for file in files:
        try:
            found[file.stem] = _load(file).not_valid_after_utc
        except (OSError, ValueError):
            _log.warning("not a certificate", file=str(file))
    return found


def _load(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())


def _name_in(certificate: x509.Certificate) -> str:
    return "".join(str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
