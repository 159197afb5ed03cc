"""What stands before any part of a sandbox runs: folders, keys, credentials, configuration files, trays full of blanks."""

import json
import os
import secrets
import shutil
import stat
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from stdnum.cn import uscc

from agents.calibration.kept import KeptCalibrations, as_drawn
from agents.ledger import Acceptance
from agents.settings import HallSettings
from agents.templates import Templates
from spooler.catalog import COUNTIES
from spooler.daemon.settings import load_settings
from spooler.sandbox import broker, parts
from spooler.sandbox.cups import Queue
from spooler.sandbox.ports import LOOPBACK
from spooler.sandbox.site import SIZES_MM, VIRTUAL_HOST, HallSite, PrinterSite, Site
from spooler.sandbox.virtual_printer import Printer
from spooler.seal import broker_keys, pki
from spooler.seal.authority import SealAlgorithm
from spooler.wire.messages import Actor
from spooler.wire.topology import hall_queue, hall_user

BACKEND_USER = "lp"  # whom a root's cupsd runs backends as
HOME_USER = broker_keys.HOME_USER
BROKER_PASSWORD = "broker.password"  # of a sandbox from before its broker asked for certificates
BROKER_NODE = "localhost"
DOCUMENT_KEY = "documents.key"
CALLBACK_SECRET = "callback.secret"
ORDER_DAYS = 3


def ground_for(directory: Path) -> Path:
    """Return where the halls of a sandbox in `directory` can lie: there, if the backends' user can get there.

    Run as root, cupsd starts its backends as lp. `directory` itself is made traversable; the folders above it are not ours to open, so
    below a closed one the halls get a place of their own in /var/tmp, with a link to it.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o711)
    if os.geteuid() != 0:
        return directory
    directory.chmod(directory.stat().st_mode | 0o011)
    if all(parent.stat().st_mode & stat.S_IXOTH for parent in directory.parents):
        return directory
    place = Path("/var/tmp") / f"certspool-{sha256(os.fsencode(directory)).hexdigest()[:12]}"
    if place.exists():
        shutil.rmtree(place)  # of an earlier sandbox in a directory of this name, which is gone
    place.mkdir(mode=0o711)
    return place


def lay(site: Site) -> None:
    """Make everything that the parts will find; a site is laid once."""
    _make_folders(site)
    _make_keys(site)
    _write_private(site.home_config, home_toml(site))
    for hall in site.halls:
        _write_private(hall.config, hall_toml(site, hall))
        calibrate(hall)
        for printer in hall.printers:
            _fill(printer)


def _make_folders(site: Site) -> None:
    for private in (site.pki, site.broker, site.home, site.log("x").parent, site.lock("x").parent):
        private.mkdir(mode=0o700, exist_ok=True)
    for hall in site.halls:
        for traversable in (hall.directory.parent, hall.directory, hall.directory / "printers"):
            traversable.mkdir(exist_ok=True)
            traversable.chmod(0o711)
        hall.agent.mkdir(mode=0o700)
    if site.ground != site.directory:
        (site.directory / "halls").symlink_to(site.ground / "halls")


def _make_keys(site: Site) -> None:
    registries = [
        pki.NewRegistry(
            id=code, name=f"{(county := COUNTIES[code]).name}自然资源局", province=county.province, place=county.place
        )
        for code in site.registries
    ]
    halls = [pki.NewHall(id=hall.hall, name=hall.name) for hall in site.halls]
    pki.init(
        site.pki,
        registries,
        halls,
        now=datetime.now(UTC),
        algorithm=SealAlgorithm.RSA_2048,
        servers=[pki.NewServer(BROKER_NODE, (LOOPBACK,))],
        signed=True,
    )
    _write_private(site.home_credentials / CALLBACK_SECRET, site.callback_secret)
    _write_private(site.home_credentials / DOCUMENT_KEY, b64encode(secrets.token_bytes(32)).decode())


def broker_passwords(site: Site) -> dict[str, str]:
    """Return the password of each of the broker's users; a sandbox whose users have certificates has none."""
    places = {hall_user(hall.hall): site.hall_credentials(hall.hall) for hall in site.halls}
    files = {user: place / BROKER_PASSWORD for user, place in {HOME_USER: site.home_credentials, **places}.items()}
    return {user: file.read_text() for user, file in files.items() if file.exists()}


def _fill(printer: PrinterSite) -> None:
    owner = BACKEND_USER if os.geteuid() == 0 else None
    Printer(printer.directory).create(list(serials(printer)) or None, owner)


def calibrate(hall: HallSite) -> None:
    """Write down, in the name of whoever set it up, that its virtual printers err nowhere."""
    kept, by = KeptCalibrations(where_calibrations_are(hall)), Actor(id="sandbox", role="clerk")
    there = {one.printer for one, _ in kept.all()}
    for printer in hall.printers:
        for side in () if printer.name in there else Templates().sides(printer.stock):
            one = as_drawn(printer.name, printer.stock, printer.real_uri, side, by=by, clock=lambda: datetime.now(UTC))
            kept.add(one, Acceptance(one.version, "a virtual printer errs nowhere unless told to", by, one.at))


def where_calibrations_are(hall: HallSite) -> Path:
    """Return the file; a sandbox of before this was thought of names none."""
    return load_settings(HallSettings, hall.config, {}).hall.calibrations


def serials(printer: PrinterSite) -> Iterator[str]:
    """Yield the serials in the tray, in order; none for plain paper."""
    if printer.first is None or printer.last is None:
        return
    start = printer.first[:-6]
    for number in range(int(printer.first[-6:]), int(printer.last[-6:]) + 1):
        yield f"{start}{number:06d}"


def queue_of(printer: PrinterSite) -> Queue:
    return Queue(name=printer.name, device=printer.real_uri, sizes={printer.stock.value: SIZES_MM[printer.stock]})


def home_toml(site: Site) -> str:
    everything = {"registries": ["*"]}
    return _toml(
        {
            "home": {
                "data_directory": site.home,
                "listen": f"{LOOPBACK}:{site.home_port}",
                "credentials_directory": site.home_credentials,
                "trust_directory": site.trust,
                "document_key_credentials": [DOCUMENT_KEY],
                "order_days": ORDER_DAYS,
            },
            "broker": {**_broker(site, HOME_USER, f"{HOME_USER}.broker.pem"), "plaintext_on_loopback": True},
            "electronic": {"public_address": site.home_api},
            "registries": [
                {
                    "id": code,
                    "seal_credential": f"{code}.seal.p12",
                    "ticket_key_credential": f"{code}.ticket.pem",
                    "credit_code": credit_code_of(code),
                }
                for code in site.registries
            ],
            "tokens": [
                {"id": "system", "sha256": _hash(site.token), "roles": ["submit", "read", "operate"], **everything},
                {"id": "approver", "sha256": _hash(site.approver_token), "roles": ["approve"], **everything},
            ],
            "callbacks": [
                {
                    "name": "system",
                    "url": site.callback_url,
                    "registries": list(site.registries),
                    "secret_credential": CALLBACK_SECRET,
                    "addresses": [f"{LOOPBACK}/32"],
                    "plain_http": True,
                }
            ],
        }
    )


def credit_code_of(registry: str) -> str:
    """Return an invented credit code of a county's registry, with its check character (GB 32100)."""
    code = f"11{registry}MB0000001"
    return f"{code}{uscc.calc_check_digit(code)}"


def hall_toml(site: Site, hall: HallSite) -> str:
    cups = parts.cups_of(hall)
    return _toml(
        {
            "hall": {
                "id": hall.hall,
                "data_directory": hall.agent,
                "permit_directory": cups.permits,
                "listen": f"{LOOPBACK}:{hall.port}",
                "credentials_directory": site.hall_credentials(hall.hall),
                "trust_directory": site.trust,
                "report_key_credential": "report.pem",
                "wrap_key_credentials": ["wrap.pem"],
                "calibration_file": hall.calibrations,
            },
            "broker": {**_broker(site, hall_user(hall.hall), "broker.pem"), "queue": hall_queue(hall.hall)},
            "cups": {"socket": cups.socket, "probe_directory": cups.probes, "configuration_directory": cups.directory},
            "printers": [
                {"name": p.name, "stock": p.stock.value, "device": p.real_uri, "colour": True} for p in hall.printers
            ],
            "accounts": [
                {"id": "clerk", "token_sha256": _hash(hall.token), "roles": ["clerk"]},
                {"id": "approver", "token_sha256": _hash(hall.approver_token), "roles": ["approve"]},
            ],
        }
    )


def _broker(site: Site, user: str, credential: str) -> dict[str, Any]:
    private = broker.prepare(site.broker, site.pki / "broker" / BROKER_NODE)
    return {
        "host": LOOPBACK,
        "port": private.tls_port,
        "virtual_host": VIRTUAL_HOST,
        "user": user,
        "authority_file": site.trust / "broker-ca.pem",
        "certificate_credential": credential,
    }


def _toml(tables: dict[str, Any]) -> str:
    """Return these tables as TOML; a JSON string, number, list or truth value is one of TOML's too."""
    lines = ["# Written by `certspool sandbox up`."]
    for name, content in tables.items():
        for entry in content if isinstance(content, list) else [content]:
            lines += ["", f"[[{name}]]" if isinstance(content, list) else f"[{name}]"]
            lines += [f"{key} = {json.dumps(value, ensure_ascii=False, default=str)}" for key, value in entry.items()]
    return "\n".join(lines) + "\n"


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
