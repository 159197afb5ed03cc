"""What anybody on the machine may look at while certificates are printed: no key, password or token among it."""

import json
import os
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from agents.documents import Documents as HallDocuments
from agents.ledger import Ledger
from agents.search import Words
from spooler.documents import Documents
from spooler.locker import KeyLocker, read_key
from spooler.retention import Retention
from spooler.store import Database, Store
from spooler.wire.keys import WrapKey
from tests.journeys.build import a_proof
from tests.journeys.drive import Driver, eventually


def secrets_of(sandbox: Driver) -> set[bytes]:
    """All that is a secret here: what sandbox.json hands out, and every line of every credential."""
    site = sandbox.plan
    found = {one[key] for one in (*site["homes"], *site["halls"]) for key in ("token", "approver_token")}
    found |= {home["callback"]["secret"] for home in site["homes"]}
    files = [
        file
        for one in (*site["homes"], *site["halls"])
        for file in _credentials(Path(one["config"])).iterdir()
        if file.suffix != ".p12"
    ]
    found |= {line for file in files for line in file.read_text().splitlines() if "-----" not in line}
    return {secret.encode() for secret in found if len(secret) > 7}


def _credentials(config: Path) -> Path:
    settings = tomllib.loads(config.read_text())
    return Path((settings.get("home") or settings["hall"])["credentials_directory"])


@pytest.mark.attack_row("S42")
def test_no_secret_stands_in_an_environment_or_a_command_line(sandbox):
    """`ps` and /proc/PID/environ of the home, every agent, every cupsd, and of what they started."""
    secrets = secrets_of(sandbox)
    own = {one["pid"] for one in (*sandbox.plan["homes"], *sandbox.plan["halls"])}
    own |= {hall["cups_pid"] for hall in sandbox.plan["halls"]}
    seen = {pid: _shown(pid) for pid in (*own, *_children(own))}

    assert len(secrets) > 10 and all(seen[pid] for pid in own)
    told = {pid for pid, shown in seen.items() for secret in secrets if secret in shown}
    assert told == set()


def _shown(pid: int) -> bytes:
    try:
        return b"".join(Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ"))
    except OSError:
        return b""  # it has gone


def _children(parents: set[int]) -> set[int]:
    found = set()
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                parent = int(Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent in parents:
                found.add(int(name))
    return found


CANARIES = ("金丝雀鸣", "231221199001011234")
TYPED = "应银狐先生之请"  # a reason, which stays at home until the documents go


@pytest.mark.attack_row("S19", "S38", "S40")
def test_a_persons_name_and_number_are_on_the_paper_and_nowhere_else(sandbox):
    """Not in a log, a metric, a callback, a store, a ledger, a spool, a process, the broker's disk; and no document lies open."""
    request = a_proof(holder=CANARIES[0], obligor=CANARIES[0])
    request["parties"] = [{"role": "holder", "name": CANARIES[0], "id_type": "other", "id_number": CANARIES[1]}]
    job = sandbox.accepted(request)
    sandbox.until([job["job_id"]], {"issued"}, 120)

    files = list(_kept(sandbox.directory))
    told = [str(file) for file, content in files if _is_told(content)]
    lying_open = [str(file) for file, content in files if content.startswith(b"%PDF-")]

    assert len(files) > 100 and told == lying_open == []
    assert any(CANARIES[0] in sheet.text for sheet in sandbox.sheets())
    for site in (*sandbox.plan["homes"], *sandbox.plan["halls"]):
        assert not _is_told(sandbox.http.get(site["api"] + "/metrics").content)
    assert not any(
        _is_told(_shown(int(name))) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()
    )


def _kept(directory: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file of the installation but the paper itself, and what is drawn or read of it by its keepers."""
    for file in sorted(directory.rglob("*")):
        if "printers" not in file.parts and file.is_file():
            try:
                yield file, file.read_bytes()
            except FileNotFoundError:
                continue  # cupsd or the broker has dropped it meanwhile


def _is_told(content: bytes) -> bool:
    spelled = [word.encode(code) for word in CANARIES for code in ("utf-8", "utf-16-be", "utf-16-le", "gb18030")]
    spelled += [json.dumps(word).strip('"').encode() for word in CANARIES]
    return any(spelling in content for spelling in spelled)


@pytest.mark.attack_row("S40")
def test_after_its_time_a_person_is_not_found_even_with_every_key_that_is_left(sandbox):
    """All that home and hall keep, opened with all of their keys, before and after: the paper alone still knows the name."""
    request = a_proof(holder=CANARIES[0], obligor=CANARIES[0])
    request["parties"] = [{"role": "holder", "name": CANARIES[0], "id_type": "other", "id_number": CANARIES[1]}]
    job = sandbox.accepted(request)["job_id"]
    sandbox.until([job], {"issued"}, 120)
    sandbox.call("POST", f"/v1/jobs/{job}/withdraw", json={"reason": TYPED})
    eventually(lambda: _shows_withdrawn(sandbox, job), 60, otherwise=lambda: str(sandbox.job(job)))
    home, hall = Kept(sandbox, job), KeptAtTheHall(sandbox, job)
    assert home.tells_of_it() and hall.tells_of_it()

    home.passes_its_time()
    hall.passes_its_time()

    assert not home.tells_of_it() and not hall.tells_of_it()
    for path in (f"/v1/jobs/{job}/document", f"/v1/electronic/{job}"):
        gone = sandbox.call("GET", path)
        assert (gone.status_code, gone.json()["code"]) == (410, "document-destroyed")
    assert any(CANARIES[0] in sheet.text for sheet in sandbox.sheets())


def _shows_withdrawn(sandbox: Driver, job: str) -> bool:
    answer = sandbox.call("GET", f"/v1/electronic/{job}")
    return answer.headers.get("certificate-validity") == "withdrawn" and sandbox.job(job)["state"] == "withdrawn"


class Kept:
    """What the home keeps, as whoever has its disk and all of its keys; time passes for one job alone."""

    def __init__(self, sandbox: Driver, job: str) -> None:
        settings = tomllib.loads(Path(sandbox.home["config"]).read_text())["home"]
        self._job, directory = job, Path(settings["data_directory"])
        credentials = Path(settings["credentials_directory"])
        keys = [read_key((credentials / name).read_text().strip()) for name in settings["document_key_credentials"]]
        self._directory, self._locker = directory, KeyLocker(keys)
        self._store = Store(Database(f"sqlite:///{directory / 'home.db'}"), lambda: datetime.now(UTC))
        (found,) = [due for due in self._store.kept.due(datetime.now(UTC), 10_000) if due.job_id == job]
        self._due = found
        rows = self._store.jobs.work(job)
        self._names = {*found.tickets, rows.private_sha256, rows.unsigned_sha256, rows.document_sha256}
        self._names |= {file.sha256 for file in self._store.electronics.files(job)}

    def tells_of_it(self) -> bool:
        """Other jobs of this run have the same holder: what is looked at are this one's documents, and the words of its acts."""
        files = [path for path in (self._directory / "documents").rglob("*") if path.name in self._names]
        opened = [self._locker.unlock(path.read_bytes()) for path in files]
        words = {control.reason for control in self._store.orders.controls(self._job)}
        return bool(files) or any(_is_told(content) for content in opened) or TYPED in words

    def passes_its_time(self) -> None:
        documents = Documents(self._directory / "documents", self._locker)
        retention = Retention(
            store=self._store,
            documents=documents,
            keep_days=36_500,
            keep_electronic_days=36_500,
            clock=lambda: datetime.now(UTC),
            young=timedelta(0),
        )
        assert self._store.kept.destroy(self._job, retention._sealed(self._due))
        assert self._store.kept.destroy_electronic(self._job)
        retention.look()


class KeptAtTheHall:
    """What the hall keeps of the job's order, as whoever has its disk and its wrap key."""

    def __init__(self, sandbox: Driver, job: str) -> None:
        (order,) = sandbox.job(job)["orders"]
        settings = tomllib.loads(Path(sandbox.hall(order["hall"])["config"]).read_text())["hall"]
        directory, credentials = Path(settings["data_directory"]), Path(settings["credentials_directory"])
        self._id = UUID(order["order_id"])
        self._ledger = Ledger(directory / "ledger.sqlite")
        self._words = Words.from_file(directory / "search.key")
        key = WrapKey.from_pem((credentials / "wrap.pem").read_bytes())
        self._documents = HallDocuments(directory / "orders", hall=order["hall"], keys=[key])

    def tells_of_it(self) -> bool:
        word = self._words.hashed(CANARIES[0])
        found = self._ledger.orders.find(state=None, q=CANARIES[0], word=word, limit=1000)
        order = self._ledger.orders.get(self._id)
        try:
            opened = self._documents.contents(order)
        except FileNotFoundError:
            return self._id in {one.order_id for one in found} or bool(order.holder_masked)
        return (
            _is_told(opened.signed_ticket)
            or _is_told(opened.document)
            or CANARIES[0] in self._documents.ticket(order).holder
        )

    def passes_its_time(self) -> None:
        self._documents.destroy(self._id)
        with self._ledger.transaction():
            self._ledger.orders.forget_persons(self._id, datetime.now(UTC))
        self._ledger.empty_log()
