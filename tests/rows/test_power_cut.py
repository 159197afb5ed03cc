"""F26: when the power goes, what was said to be so is on the disk. The kernel's own list of calls says in which order things got there.

That a disk which loses what was not synced breaks nothing is the simulation's part (docs/simulation.md); that real parts sync before they
speak is told here, by strace.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest

from agents import once
from agents.permit import Permit, PermitDirectory
from tests.agents.paper.test_sender_killed import DOCUMENT, Device
from tests.sealing import Office

STRACE = [
    "strace",
    "-f",
    "-y",
    "-s",
    "32",
    "-e",
    "trace=fsync,fdatasync,link,linkat,rename,write,pwrite64,sendto",
    "-o",
]
SAID = "spoken"

HALL_TAKES_AN_ORDER = """
from pathlib import Path
import sys
from tests.agents.counter.hall import Counter
from tests.sealing import Office
counter = Counter(Office(Path(sys.argv[1])), Path(sys.argv[2]))
order = counter.wrapped(counter.booklet())
print("begun", flush=True)
counter.hall.inbox.handle(order)
print("spoken", flush=True)
"""
HOME_TAKES_A_REQUEST = """
from pathlib import Path
import sys
from tests.sealing import Office
from tests.spooler.core.conftest import Clock, Home
home = Home(Office(Path(sys.argv[1])), Path(sys.argv[2]), Clock())
print("begun", flush=True)
home.accept()
print("spoken", flush=True)
"""


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """On the disk, where permits must lie."""
    with TemporaryDirectory(prefix="certspool-test-", dir="/var/tmp") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Office.create(tmp_path_factory.mktemp("office") / "pki").directory


def calls(trace: Path) -> list[str]:
    """Return the calls as `name path`, in order; only what strace saw whole."""
    found = re.findall(r"^\d+ +(\w+)\((.*)", trace.read_text(), re.MULTILINE)
    return [f"{name} {arguments}" for name, arguments in found]


def place(of: list[str], pattern: str, after: int = -1) -> int:
    return next((n for n, call in enumerate(of) if n > after and re.search(pattern, call)), -1)


@pytest.mark.fault_row("F26")
@pytest.mark.parametrize(
    ("program", "journal"), [(HALL_TAKES_AN_ORDER, r"ledger\.sqlite"), (HOME_TAKES_A_REQUEST, r"home\.db")]
)
def test_what_was_taken_is_on_the_disk_before_anybody_is_told(program, journal, pki, tmp_path):
    """The last write to the journal is synced before the ack or the 201 can be sent; its documents before it."""
    trace = tmp_path / "trace"
    (tmp_path / "data").mkdir()

    subprocess.run(
        [*STRACE, trace, sys.executable, "-c", program, pki, tmp_path / "data"], check=True, stdout=subprocess.DEVNULL
    )

    seen = calls(trace)
    begun, spoken = place(seen, 'write.*"begun'), place(seen, f'write.*"{SAID}')
    taking = seen[begun:spoken]
    written = [n for n, call in enumerate(taking) if re.match(rf"pwrite64 .*{journal}-wal", call)]
    synced = [n for n, call in enumerate(taking) if re.match(rf"f(data)?sync .*{journal}-wal", call)]
    documents = [n for n, call in enumerate(taking) if re.match(r"fsync .*/(orders|documents)/", call)]
    assert written and synced and documents
    assert max(written) < max(synced)
    assert min(documents) < min(written)


@pytest.mark.fault_row("F26")
def test_a_claim_is_on_the_disk_before_the_device_gets_a_byte(open_directory):
    """Aside synced, linked, folder synced, `first` synced, then the first byte; `done` is synced where it stands."""
    device, trace = Device(), open_directory / "trace"
    permits = PermitDirectory.open(open_directory / "permits", in_memory=True)
    permit = Permit(uuid4(), 7, "q", device.uri, 1, sha256=sha256(DOCUMENT).hexdigest(), length=len(DOCUMENT))
    permits.issue(permit)
    options = f"job-uuid=urn:uuid:{permit.uuid}"

    subprocess.run(
        [*STRACE, trace, sys.executable, once.__file__, "7", "clerk", "title", "1", options],
        input=DOCUMENT,
        env={"DEVICE_URI": f"once:{device.uri}", "PRINTER": "q", once.PERMITS_VARIABLE: str(permits.path)},
        check=True,
        capture_output=True,
    )

    seen = calls(trace)
    aside = place(seen, rf"fsync .*/spent/\.{permit.uuid}")
    claimed = place(seen, rf"link(at)? .*/spent/{permit.uuid}")
    kept = place(seen, r"fsync .*/spent>", claimed)
    first = place(seen, rf"fsync .*/first/\S*{permit.uuid}")
    byte = place(seen, r"sendto .*%PDF")
    done = place(seen, rf"fsync .*/done/\S*{permit.uuid}")
    assert -1 not in (aside, claimed, kept, first, byte, done)
    assert [aside, claimed, kept, first, byte, done] == sorted([aside, claimed, kept, first, byte, done])
    device.close()
