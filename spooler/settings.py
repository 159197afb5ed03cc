"""What home.toml says. Read once, in `app`; each part is handed its own section."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from spooler.callback_address import AddressRefused, Allowed
from spooler.daemon import broker
from spooler.daemon.login.records import FILE_NAME
from spooler.daemon.login.settings import check_plain
from spooler.daemon.settings import Section
from spooler.electronic.identifier import LAST_SERIAL, credit_code
from spooler.wire.grant_mode import GrantMode
from spooler.wire.messages import Check, HallId, RegistryId, Sha256

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
ALL = "*"
Days = Annotated[int, Field(ge=1, le=36_500)] | Literal["forever"]
CreditCode = Annotated[str, AfterValidator(credit_code)]


class HomeSection(Section):
    data_directory: Path
    listen: str = "127.0.0.1:8600"
    credentials_directory: Path | None = None
    trust_directory: Path
    templates_directory: Path | None = None  # the site's own; a kind found there is taken from there alone
    items_file: Path | None = None  # the site's own catalogue of registration items, in the place of ours
    database_url: str | None = None  # default: SQLite in the data directory; homes may share a postgresql://…
    documents_directory: Path | None = None  # default: documents in the data directory; homes on one database share it
    document_key_credentials: tuple[str, ...] = ()  # the newest first; without one documents lie on disk as they are
    keep_documents_days: Days = 190  # after the job has ended; then they are destroyed. "forever": never
    order_days: int = Field(default=3, ge=1, le=90)  # working days until an order can no longer be begun
    workers: int = Field(default=2, ge=1, le=64)
    most_unsealed: int = Field(default=1_000, ge=1)  # with more requests accepted and not sealed none is taken (503)
    most_waiting_letters: int = Field(default=20_000, ge=1)  # with more in the outbox no request is taken (503)
    grants: GrantMode | None = None  # default: as the trust directory is, and never back to plain
    heartbeat_seconds: float = Field(default=60, gt=0)  # what halls are set to; three missed make a hall silent

    accounts_file: Path | None = None  # of people with a password; default: accounts.json in the data directory
    plain_http_sessions: bool = False  # log-ins without TLS: only where nobody but this machine is listened to

    @model_validator(mode="after")
    def _plain_only_here(self) -> "HomeSection":
        check_plain(self.listen, self.plain_http_sessions)
        return self

    @property
    def accounts(self) -> Path:
        return self.accounts_file or self.data_directory / FILE_NAME

    @property
    def documents(self) -> Path:
        return self.documents_directory or self.data_directory / "documents"

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_directory / 'home.db'}"


class Pkcs11Section(Section):
    """A private key in a token; its certificate, or its public half, is in the credentials and says which key it is."""

    module: Path  # the maker's library
    token: str = Field(min_length=1, max_length=32)  # its label
    pin_credential: str
    key: str | None = None  # the key's label, where its CKA_ID is not made of the public key


class RegistrySection(Section):
    """One registry served here. Its name, province and place come from the trust directory."""

    id: RegistryId
    seal_credential: str = ""
    ticket_key_credential: str = ""
    seal_file_gbt38540: Path | None = None  # 电子印章 of this registry, carried in each ticket as it is
    seal_pkcs11: Pkcs11Section | None = None
    ticket_pkcs11: Pkcs11Section | None = None
    # The version of a kind that its stock needs, as { certificate = 2 }; else the newest.
    templates: dict[str, int] = Field(default={})

    # 核对签收单: `offered` for the applicant to read over before the first blank is used, or `required` to be signed.
    check_sheet: Literal["none", "offered", "required"] = "none"
    credit_code: CreditCode | None = None  # 统一社会信用代码; with it the registry issues electronic certificates

    @property
    def check(self) -> Check | None:
        return None if self.check_sheet == "none" else Check(self.check_sheet)

    @property
    def seal_name(self) -> str:
        return self.seal_credential or f"{self.id}.seal.{'pem' if self.seal_pkcs11 else 'p12'}"

    @property
    def ticket_key_name(self) -> str:
        return self.ticket_key_credential or f"{self.id}.ticket.{'public.pem' if self.ticket_pkcs11 else 'pem'}"


class BrokerSection(broker.BrokerSection):
    plaintext_on_loopback: bool = False  # as in a sandbox, for its administrator: else `broker check` names it


class ElectronicSection(Section):
    """Electronic certificates: what their QR codes lead to, and where their serials begin."""

    public_address: str = Field(default="", pattern=r"^(https?://[^\s/?#]+(/[^\s?#]*)?)?$")  # of the verify page
    keep_ended_days: Days = 190  # files of one that was withdrawn or superseded; a genuine one is kept
    first_serial: int = Field(default=1, ge=1, le=LAST_SERIAL)  # of an issuer that has issued some elsewhere


class TokenSection(Section):
    """A caller of the API, known by the hash of its token."""

    id: Name
    sha256: Sha256
    roles: tuple[str, ...]
    registries: tuple[RegistryId | str, ...] = ()
    halls: tuple[HallId | str, ...] = ()


class CallbackSection(Section):
    """Who is told by HTTP of what."""

    name: Name
    url: str = Field(pattern=r"^https?://")
    registries: tuple[RegistryId | str, ...] = (ALL,)
    types: tuple[str, ...] | None = None  # default: all
    secret_credential: str
    addresses: tuple[
        IPv4Network | IPv6Network, ...
    ] = ()  # where it may be, as 10.20.0.0/16; default: any public address
    plain_http: bool = False  # http:// too: what is told is signed, and may be read on the way
    authorities_file: Path | None = None  # PEM, whose certificates it has; default: the public ones

    @property
    def allowed(self) -> Allowed:
        return Allowed(self.addresses, self.plain_http)

    @model_validator(mode="after")
    def _goes_where_it_may(self) -> "CallbackSection":
        try:
            self.allowed.check(self.url)
        except AddressRefused as e:
            raise ValueError(f"callback {self.name}: {e}") from None
        return self


class HomeSettings(Section):
    home: HomeSection
    broker: BrokerSection
    electronic: ElectronicSection = ElectronicSection()
    registries: tuple[RegistrySection, ...] = Field(min_length=1)
    tokens: tuple[TokenSection, ...] = ()
    callbacks: tuple[CallbackSection, ...] = ()

    @model_validator(mode="after")
    def _no_name_twice(self) -> "HomeSettings":
        for what, names in (
            ("registry", [registry.id for registry in self.registries]),
            ("token", [token.id for token in self.tokens]),
            ("callback", [callback.name for callback in self.callbacks]),
        ):
            twice = {name for name in names if names.count(name) > 1}
            if twice:
                raise ValueError(f"{what} {', '.join(sorted(twice))} stands twice")
        return self
