"""What a sandbox consists of and where each thing lies; kept in DIR/run/site.json, so that every restart finds the same again."""

import base64
import os
import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from spooler.catalog import COUNTIES
from spooler.sandbox.ports import LOOPBACK, free_ports
from spooler.wire.messages import Stock

DEFAULT_REGISTRIES = ("231221", "231202")
DEFAULT_HALLS = ("231282-01", "231283-01")
DEFAULT_BLANKS = 500
MOST_BLANKS = 999_999
VIRTUAL_HOST = "certspool"
PRINTER_NAMES = {Stock.CERTIFICATE: "booklet-1", Stock.PROOF: "proof-1", Stock.PLAIN: "plain-1"}
SIZES_MM = {Stock.CERTIFICATE: (332.0, 239.0), Stock.PROOF: (297.0, 210.0), Stock.PLAIN: (210.0, 297.0)}

Clerk = Literal["auto", "none"]


class NoSuchPlace(Exception):
    """A registry or hall that no county of domain.md §4 has."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class PrinterSite(_Frozen):
    """One virtual printer and the blanks in its tray."""

    name: str
    stock: Stock
    first: str | None  # serial of the first blank; None for plain paper
    last: str | None
    directory: Path

    @property
    def sheets(self) -> Path:
        return self.directory / "sheets"

    @property
    def real_uri(self) -> str:
        return f"virtual:{self.directory}"


class HallSite(_Frozen):
    hall: str
    port: int
    token: str
    approver_token: str
    directory: Path
    printers: tuple[PrinterSite, ...]

    @property
    def name(self) -> str:
        county, window = self.hall.split("-")
        return f"{COUNTIES[county].name}不动产登记大厅{window}"

    @property
    def api(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def agent(self) -> Path:
        """The agent's data and journal."""
        return self.directory / "agent"

    @property
    def permits(self) -> Path:
        return self.directory / "permits"

    @property
    def cups(self) -> Path:
        return self.directory / "cups"

    @property
    def config(self) -> Path:
        return self.directory / "hall.toml"

    @property
    def calibrations(self) -> Path:
        """How far its printers are off: beside the journal, which may get lost."""
        return self.directory / "calibrations.jsonl"


class Site(_Frozen):
    """One private installation below `directory`."""

    directory: Path
    ground: Path  # where the halls lie: `directory`, unless the backends' user cannot get there
    registries: tuple[str, ...]
    halls: tuple[HallSite, ...]
    clerk: Clerk
    blanks: int
    home_port: int
    receiver_port: int
    token: str
    approver_token: str
    callback_secret: str

    @property
    def home_api(self) -> str:
        return f"http://{LOOPBACK}:{self.home_port}"

    @property
    def callback_url(self) -> str:
        return f"http://{LOOPBACK}:{self.receiver_port}/callbacks"

    @property
    def pki(self) -> Path:
        return self.directory / "pki"

    @property
    def trust(self) -> Path:
        return self.pki / "trust"

    @property
    def home_credentials(self) -> Path:
        return self.pki / "home" / "credentials"

    @property
    def broker(self) -> Path:
        return self.directory / "broker"

    @property
    def home(self) -> Path:
        return self.directory / "home"

    @property
    def home_config(self) -> Path:
        return self.home / "home.toml"

    @property
    def received(self) -> Path:
        """What the registration system was told, a line a callback."""
        return self.home / "callbacks.jsonl"

    @property
    def plan(self) -> Path:
        return self.directory / "sandbox.json"

    def hall_credentials(self, hall: str) -> Path:
        return self.pki / "halls" / hall / "credentials"

    def hall(self, hall: str) -> HallSite:
        return next(h for h in self.halls if h.hall == hall)

    def lock(self, part: str) -> Path:
        return self.directory / "run" / f"{part}.lock"

    def log(self, part: str) -> Path:
        return self.directory / "logs" / f"{part}.log"


def choose(
    directory: Path,
    ground: Path,
    *,
    registries: Sequence[str] = DEFAULT_REGISTRIES,
    halls: Sequence[str] = DEFAULT_HALLS,
    clerk: Clerk = "auto",
    blanks: int = DEFAULT_BLANKS,
    stocks: dict[str, tuple[Stock, ...]] | None = None,
) -> Site:
    """Return a new site: its places, ports, tokens and serials. `stocks` names halls that have fewer printers than all three."""
    _refuse_unknown(registries, halls)
    if not 1 <= blanks <= MOST_BLANKS:
        raise NoSuchPlace(f"a tray holds 1 to {MOST_BLANKS} blanks")
    home_port, receiver_port, *hall_ports = free_ports(2 + len(halls))
    return Site(
        directory=directory,
        ground=ground,
        registries=tuple(registries),
        halls=tuple(
            _hall(ground / "halls" / hall, port, number, blanks, (stocks or {}).get(hall, tuple(Stock)))
            for number, (hall, port) in enumerate(zip(halls, hall_ports, strict=True), start=1)
        ),
        clerk=clerk,
        blanks=blanks,
        home_port=home_port,
        receiver_port=receiver_port,
        token=_token(),
        approver_token=_token(),
        callback_secret="whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
    )


def _refuse_unknown(registries: Sequence[str], halls: Sequence[str]) -> None:
    for names, pattern, example in ((registries, r"(\d{6})", "231221"), (halls, r"(\d{6})-\d{2}", "231282-01")):
        if not names or len(set(names)) < len(names):
            raise NoSuchPlace(f"name each one once, and at least one: {', '.join(names)}")
        for name in names:
            match = re.fullmatch(pattern, name)
            if match is None or match[1] not in COUNTIES:
                raise NoSuchPlace(f"{name!r} is no place in Suihua or Ningbo; one is written like {example}")


def _hall(directory: Path, port: int, number: int, blanks: int, stocks: tuple[Stock, ...]) -> HallSite:
    return HallSite(
        hall=directory.name,
        port=port,
        token=_token(),
        approver_token=_token(),
        directory=directory,
        printers=tuple(_printer(directory, stock, number, blanks) for stock in stocks),
    )


def _printer(hall: Path, stock: Stock, number: int, blanks: int) -> PrinterSite:
    name = PRINTER_NAMES[stock]
    # Province, hall and a running number; booklets carry a letter. Each stock has a serial space of its own.
    letter = "D" if stock is Stock.CERTIFICATE else ""
    start = None if stock is Stock.PLAIN else f"{letter}{hall.name[:2]}{number:03d}"
    return PrinterSite(
        name=name,
        stock=stock,
        first=start and f"{start}{1:06d}",
        last=start and f"{start}{blanks:06d}",
        directory=hall / "printers" / name,
    )


def _token() -> str:
    return secrets.token_urlsafe(24)


def keep(site: Site) -> None:
    """Write the site down, readable by its owner alone: it holds tokens."""
    path = _record(site.directory)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(site.model_dump_json(indent=1))


def is_kept(directory: Path) -> bool:
    return _record(directory).exists()


def load(directory: Path) -> Site:
    """Return the site that is kept in this directory; FileNotFoundError if there is none."""
    return Site.model_validate_json(_record(directory).read_bytes())


def _record(directory: Path) -> Path:
    return directory / "run" / "site.json"
