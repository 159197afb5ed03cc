"""The files of a broker's machine: rabbitmq.conf with TLS and certificates and nothing else, the plugins, the administrator."""

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

PLUGINS = ("rabbitmq_management", "rabbitmq_auth_mechanism_ssl")
EXTERNAL, PLAIN = "EXTERNAL", "PLAIN"
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class BrokerFiles:
    """Where the broker listens, and where its own files lie on its machine."""

    keys: Path  # ca.pem, server.pem, server.key
    revoked: Path | None = None  # the directory of certificates that are good no more
    port: int = 5671
    address: str = ""  # default: every address of the machine
    management_port: int = 15672  # on loopback: who administers is on the machine, or comes by ssh
    definitions: Path | None = None  # the administrator, when nobody else makes it
    plain_port: int | None = None  # a sandbox's: on loopback, for its administrator

    def configuration(self) -> str:
        """Return rabbitmq.conf."""
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        if self.plain_port is None:
            yield "listeners.tcp = none"
        else:
            yield f"listeners.tcp.local = {LOOPBACK}:{self.plain_port}"
        yield f"listeners.ssl.default = {f'{self.address}:' if self.address else ''}{self.port}"
        if self.revoked is None:
            yield from self._tls()
        yield f"auth_mechanisms.1 = {EXTERNAL}"
        if self.plain_port is not None:
            yield f"auth_mechanisms.2 = {PLAIN}"
        yield "ssl_cert_login_from = common_name"
        yield "loopback_users.guest = true"
        yield "loopback_users.administrator = true"
        yield f"management.tcp.ip = {LOOPBACK}"
        yield f"management.tcp.port = {self.management_port}"
        if self.definitions is not None:
            yield f"load_definitions = {self.definitions}"

    def _tls(self) -> Iterator[str]:
        yield f"ssl_options.cacertfile = {self.keys / 'ca.pem'}"
        yield f"ssl_options.certfile = {self.keys / 'server.pem'}"
        yield f"ssl_options.keyfile = {self.keys / 'server.key'}"
        yield "ssl_options.versions.1 = tlsv1.3"
        yield "ssl_options.versions.2 = tlsv1.2"
        yield "ssl_options.verify = verify_peer"
        yield "ssl_options.fail_if_no_peer_cert = true"
        yield "ssl_options.depth = 0"  # our authority certifies its clients itself

    def advanced(self) -> str:
        """Return advanced.config: the same of TLS, with the revoked certificates, for which rabbitmq.conf has no words.

        The list is read at each connection. Without a list nobody gets in.
        """
        options = (
            f'{{cacertfile, "{self.keys / "ca.pem"}"}}',
            f'{{certfile, "{self.keys / "server.pem"}"}}',
            f'{{keyfile, "{self.keys / "server.key"}"}}',
            "{versions, ['tlsv1.3', 'tlsv1.2']}",
            "{verify, verify_peer}",
            "{fail_if_no_peer_cert, true}",
            "{depth, 0}",
            "{crl_check, peer}",
            f'{{crl_cache, {{ssl_crl_hash_dir, {{internal, [{{dir, "{self.revoked}"}}]}}}}}}',
        )
        return "[{rabbit, [{ssl_options, [\n  " + ",\n  ".join(options) + "\n]}]}].\n"


def plugins() -> str:
    """Return the file enabled_plugins."""
    return f"[{','.join(PLUGINS)}].\n"


def definitions(administrator: str, password: str, salt: bytes) -> str:
    """Return definitions with an administrator only: with them RabbitMQ makes no guest. The password is hashed, as RabbitMQ does."""
    hashed = b64encode(salt + sha256(salt + password.encode()).digest()).decode()
    user = {
        "name": administrator,
        "password_hash": hashed,
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": "administrator",
    }
    return json.dumps({"users": [user], "vhosts": [], "permissions": []}, indent=1) + "\n"
