"""What hall.toml says. Read once, in `app`; each part is handed its own section."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agents.accounts import Account, Role
from spooler.daemon import broker
from spooler.daemon.login.records import FILE_NAME
from spooler.daemon.login.settings import check_plain
from spooler.wire.grant_mode import GrantMode
from spooler.wire.messages import HallId, Sha256, Stock


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HallSection(Section):
    id: HallId
    data_directory: Path
    permit_directory: Path | None = None  # default: permits below the data directory
    listen: str = "127.0.0.1:8700"
    credentials_directory: Path | None = None
    trust_directory: Path
    report_key_credential: str = "report.pem"
    wrap_key_credentials: tuple[str, ...] = ("wrap.pem",)  # the newest first; old ones while kept orders need them
    grants: GrantMode | None = None  # default: as the trust directory is, and never back to plain
    heartbeat_seconds: float = Field(default=60, gt=0)
    keep_orders_days: Annotated[int, Field(ge=1, le=36_500)] | Literal["forever"] = 7  # after they have ended
    release: Literal["person", "auto"] = "person"
    confirm: Literal["person"] = "person"
    templates_directory: Path | None = None  # the site's own, as at home: their sizes, fields and drawings of the blank
    calibration_file: Path | None = (
        None  # what is in force, beside the ledger; default: calibrations.jsonl with the data
    )

    accounts_file: Path | None = None  # of people with a password; default: accounts.json with the data
    plain_http_sessions: bool = False  # log-ins without TLS: only where nobody but this machine is listened to

    @model_validator(mode="after")
    def _plain_only_here(self) -> "HallSection":
        check_plain(self.listen, self.plain_http_sessions)
        return self

    @property
    def accounts(self) -> Path:
        return self.accounts_file or self.data_directory / FILE_NAME

    @property
    def calibrations(self) -> Path:
        return self.calibration_file or self.data_directory / "calibrations.jsonl"

    @property
    def permits(self) -> Path:
        return self.permit_directory or self.data_directory / "permits"


class BrokerSection(broker.BrokerSection):
    queue: str | None = None  # default: the hall's own, as the topology names it


class CupsSection(Section):
    socket: Path = Path("/run/cups/cups.sock")
    probe_directory: Path | None = None
    configuration_directory: Path | None = None  # of cupsd.conf and cups-files.conf; default: the machine's /etc/cups


class PrinterSection(Section):
    """One CUPS queue and the stock that lies in it. `device` is the real URI behind `once:`."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
    stock: Stock
    device: str
    colour: bool = True
    windows: tuple[str, ...] = ()
    turns_pages: bool = False  # a device that opens the next spread by itself


class AccountSection(Section):
    id: Annotated[str, Field(min_length=1, max_length=64)]
    token_sha256: Sha256
    roles: tuple[Role, ...]

    def account(self) -> Account:
        return Account(id=self.id, roles=frozenset(self.roles), token_sha256=self.token_sha256)


class HallSettings(Section):
    hall: HallSection
    broker: BrokerSection
    cups: CupsSection = CupsSection()
    printers: tuple[PrinterSection, ...] = ()
    accounts: tuple[AccountSection, ...] = ()

    @model_validator(mode="after")
    def _no_name_twice(self) -> "HallSettings":
        for what, names in (
            ("printer", [p.name for p in self.printers]),
            ("account", [a.id for a in self.accounts]),
        ):
            twice = {name for name in names if names.count(name) > 1}
            if twice:
                raise ValueError(f"{what} {', '.join(sorted(twice))} stands twice")
        return self
