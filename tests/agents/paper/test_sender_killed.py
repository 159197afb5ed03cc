"""The backend dies around its only unknowable window: a person is asked, and nothing is sent again. Without cupsd: `once` and a device."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import Thread
from uuid import uuid4

import pytest

from agents import once
from agents.order import PassState
from agents.permit import Claim, Permit, PermitDirectory
from agents.verdict import Judgement, Signs, Verdict, judge
from tests.agents.paper.hall import until

DOCUMENT = b"%PDF-1.7 a raw queue's bytes" * 4000


@dataclass
class Device:
    """A socket printer that takes all it is given."""

    taken: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.uri = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self.taken.append(b"".join(iter(lambda c=connection: c.recv(65536), b"")))

    def close(self) -> None:
        self._listener.close()


@dataclass
class Backend:
    """`once` as cupsd would start it, for one permit."""

    permits: PermitDirectory
    device: Device
    crash: Path
    permit: Permit = field(init=False)

    def __post_init__(self) -> None:
        self.permit = Permit(
            uuid=uuid4(),
            job=7,
            queue="booklet-1",
            device=self.device.uri,
            pages=1,
            sha256=sha256(DOCUMENT).hexdigest(),
            length=len(DOCUMENT),
        )
        self.permits.issue(self.permit)

    def runs(self, dies_at: str = "nowhere") -> int:
        (self.crash / "point").write_text(dies_at)
        environment = {
            "DEVICE_URI": f"once:{self.device.uri}",
            "PRINTER": "booklet-1",
            once.PERMITS_VARIABLE: str(self.permits.path),
            once.CRASH_VARIABLE: str(self.crash),
        }
        options = f"job-uuid=urn:uuid:{self.permit.uuid}"
        ended = subprocess.run(
            [sys.executable, "-X", once.CRASH_SWITCH, once.__file__, "7", "clerk", "title", "1", options],
            input=DOCUMENT,
            env=environment,
            capture_output=True,
            timeout=60,
            check=False,
        )
        until(lambda: self.permits.fate(self.permit.uuid).claim is not Claim.HELD)
        return ended.returncode

    def judged(self) -> Judgement:
        fate = self.permits.fate(self.permit.uuid)
        return judge(Signs(PassState.RELEASING, fate, cups_may_start=False, is_ipp=False))


@pytest.fixture
def device() -> Iterator[Device]:
    found = Device()
    yield found
    found.close()


@pytest.fixture
def backend(open_directory, device) -> Backend:
    crash = open_directory / "crash"
    crash.mkdir()
    return Backend(PermitDirectory.open(open_directory / "permits", in_memory=True), device, crash)


@pytest.mark.fault_row("F24")
def test_killed_after_the_claim_with_the_device_about_to_get_it_a_person_is_asked(backend, device):
    """`first` is there and no result: a byte may have left. Started again it finds the claim."""
    assert backend.runs(dies_at="once.after-first") != 0

    assert backend.judged() == Judgement(Verdict.UNKNOWN, "no-result")
    assert backend.runs() == once.EXIT_REFUSED
    assert b"".join(device.taken) == b""
    assert backend.judged().verdict is Verdict.UNKNOWN


@pytest.mark.fault_row("F25")
def test_killed_with_the_sheet_out_and_no_result_written_a_person_is_asked(backend, device):
    """The device has all of it; nobody wrote it down. It is neither called done nor sent again."""
    assert backend.runs(dies_at="once.before-done") != 0

    assert device.taken == [DOCUMENT]
    assert backend.judged() == Judgement(Verdict.UNKNOWN, "no-result")
    assert backend.runs() == once.EXIT_REFUSED
    assert [taken for taken in device.taken if taken] == [DOCUMENT]


def test_undisturbed_it_is_done(backend, device):
    assert backend.runs() == once.EXIT_DONE

    assert device.taken == [DOCUMENT]
    assert backend.judged() == Judgement(Verdict.DONE, "sent-whole")
    assert os.listdir(backend.crash) == ["point"]
