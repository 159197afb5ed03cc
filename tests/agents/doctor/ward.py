"""A hall under the doctor's eyes: the settings, a spool that asks him, and the ways of people who make it unsafe."""

import json
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from typer.testing import CliRunner

from agents.cli import app
from agents.doctor.facts import JobFacts
from agents.doctor.look import Places, look
from agents.doctor.rounds import Rounds
from agents.printers import Cups
from agents.settings import BrokerSection, CupsSection, HallSection, HallSettings, PrinterSection
from agents.spool import PrinterLine, Spool, SpoolSettings
from spooler.wire.messages import Stock
from tests.agents.counter.hall import calibrate
from tests.agents.paper.book import Entry, PaperBook
from tests.agents.paper.hall import PaperHall


def ours_by_title(job) -> JobFacts:
    return JobFacts(job.number, job.queue, "/" in job.title)


@dataclass
class Ward:
    hall: PaperHall
    book: PaperBook = field(default_factory=PaperBook)
    rounds: Rounds | None = None
    spool: Spool | None = None

    def __post_init__(self) -> None:
        if not self.settings.hall.calibrations.exists():
            calibrate(self.settings.hall.calibrations, self.settings.printers)

    @property
    def settings(self) -> HallSettings:
        return HallSettings(
            hall=HallSection(
                id="231282-01",
                data_directory=self.hall.directory,
                permit_directory=self.hall.permits.path,
                trust_directory=self.hall.directory,
            ),
            broker=BrokerSection(user="hall", password_credential="broker"),
            cups=CupsSection(
                socket=self.hall.cups.socket,
                probe_directory=self.hall.cups.probes,
                configuration_directory=self.hall.cups.directory,
            ),
            printers=(PrinterSection(name="booklet-1", stock=Stock.CERTIFICATE, device=self.hall.booklet.device),),
        )

    def start(self) -> None:
        """The agent's rounds and its spool."""
        places, cups = Places(self.settings), Cups(self.hall.cups.socket)
        self.rounds = Rounds(
            lambda: look(places, cups, ours=ours_by_title, permits_are_ours=self.hall.permits.is_ours()),
            every_seconds=0.1,
        )
        self.spool = Spool(
            printers=[PrinterLine("booklet-1", self.hall.booklet.device)],
            book=self.book,
            permits=self.hall.permits,
            settings=SpoolSettings(self.hall.cups.socket, self.hall.cups.probes, look_seconds=0.1, quiet_seconds=0.5),
            may_begin=self.rounds.may_begin,
        )
        self.rounds.start()
        self.spool.start()

    def stop(self) -> None:
        for part in (self.spool, self.rounds):
            if part is not None:
                part.stop()

    def release(self) -> Entry:
        entry = self.book.release()
        if self.spool is not None:
            self.spool.wake()
        return entry

    def doctor(self, *arguments: str) -> tuple[int, dict]:
        """The command as an operator types it, answered in JSON."""
        config = self.hall.directory / "hall.toml"
        config.write_text(self._toml())
        done = CliRunner().invoke(app, ["doctor", "--config", str(config), "--json", *arguments])
        assert done.stdout, done.output
        # The rounds of this same process may log there too.
        return done.exit_code, json.loads(done.stdout.splitlines()[-1])

    def codes(self) -> set[str]:
        return {f["code"] for f in self.doctor()[1]["findings"]}

    def restart_cups(self) -> None:
        self.hall.kill_cups(signal.SIGTERM)
        self.hall.start_cups()

    def restart_cups_later(self) -> None:
        """As people do: what was written a moment before the start is in force."""
        for path in (self.hall.cups.configuration, self.hall.cups.files_configuration):
            age(path)
        self.restart_cups()

    def lpadmin(self, *arguments: str) -> None:
        done = self.hall.command("lpadmin", "-p", "booklet-1", *arguments)
        assert not done, done

    def rewrite(self, path: Path, old: str, new: str) -> None:
        """An operator edits a settings file and restarts cupsd, as he should."""
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        age(path)
        self.restart_cups()

    def rewrite_as_debian_does(self) -> None:
        """The packages' own cupsd.conf at this hall's socket, and none of our lines in cups-files.conf."""
        stock = Path("/usr/share/cups/cupsd.conf.default").read_text()
        lines = [line for line in stock.splitlines() if not line.startswith(("Listen", "IdleExit"))]
        self.hall.cups.configuration.write_text(f"Listen {self.hall.cups.socket}\n" + "\n".join(lines) + "\n")
        files = self.hall.cups.files_configuration
        kept = [line for line in files.read_text().splitlines() if not line.startswith(("SetEnv", "SyncOnClose"))]
        files.write_text("\n".join(kept) + "\n")
        self.restart_cups_later()

    def _toml(self) -> str:
        tables = {
            "hall": self.settings.hall,
            "broker": self.settings.broker,
            "cups": self.settings.cups,
            "[printers]": self.settings.printers[0],
        }
        lines = []
        for name, section in tables.items():
            values = json.loads(section.model_dump_json(exclude_none=True, exclude_defaults=True))
            lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
        return "\n".join(lines) + "\n"


def age(path: Path) -> None:
    """The file was written a while ago; a test does not wait for the doctor's second."""
    then = time.time() - 60
    os.utime(path, (then, then))
