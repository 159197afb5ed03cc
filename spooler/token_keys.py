"""Registries' keys as they are read: whole from a file, or the public half from a file and the private one in a token."""

from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any

from cryptography.hazmat.primitives import serialization

from spooler.daemon.settings import Credentials, SettingsError
from spooler.seal.key import SealKey
from spooler.seal.token import Place, Token, TokenSigner
from spooler.settings import Pkcs11Section, RegistrySection
from spooler.wire.errors import BadSignature
from spooler.wire.keys import SigningKey


class TokenKeys:
    """How each registry's key is made of what lies in its credential. Registries that name the same token share it."""

    def __init__(self, registries: Iterable[RegistrySection], credentials: Credentials) -> None:
        """Look at what the settings name, not at the tokens: SettingsError where it cannot be used."""
        self._registries = {one.id: one for one in registries}
        self._credentials = credentials
        self._tokens: dict[tuple[str, str], Token] = {}
        for one in self._registries.values():
            for name, section in (("seal_pkcs11", one.seal_pkcs11), ("ticket_pkcs11", one.ticket_pkcs11)):
                if section is not None:
                    self._take(f"registries.{one.id}.{name}", section)

    @property
    def tokens(self) -> tuple[Token, ...]:
        return tuple(self._tokens.values())

    def are_there(self) -> bool:
        """Say whether every token can be logged into."""
        return all(token.is_there() for token in self.tokens)

    def seal(self, registry: str, content: bytes) -> SealKey:
        section = self._registries[registry].seal_pkcs11
        if section is None:
            return SealKey.from_pkcs12(content)
        return SealKey.from_token(content, lambda public: self._signer(section, public, registry))

    def ticket(self, registry: str, content: bytes) -> SigningKey:
        section = self._registries[registry].ticket_pkcs11
        if section is None:
            return SigningKey.from_pem(content)
        public = serialization.load_pem_public_key(content)
        if not SigningKey.algorithm.fits(public):
            raise BadSignature("a ticket key must be a P-256 key, and its public half is to lie here")
        return SigningKey(self._signer(section, public, registry))

    def close(self) -> None:
        for token in self.tokens:
            token.close()

    def _signer(self, section: Pkcs11Section, public: Any, registry: str) -> TokenSigner:
        return TokenSigner(self._tokens[_key(section)], public, registry, section.key)

    def _take(self, setting: str, section: Pkcs11Section) -> None:
        if find_spec("pkcs11") is None:
            raise SettingsError(f"{setting}: 未安装 python-pkcs11 · install certspool[pkcs11]")
        if not section.module.is_file():
            raise SettingsError(f"{setting}.module: 没有该库文件 · {section.module} is not there")
        credentials, name = self._credentials, section.pin_credential
        credentials.text(name)
        place = Place(section.module, section.token, lambda: credentials.text(name))
        self._tokens.setdefault(_key(section), Token(place))


def _key(section: Pkcs11Section) -> tuple[str, str]:
    return str(section.module), section.token
