"""A hall for the doctor: the paper side of tests/agents/paper with one real cupsd, its settings file beside it."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agents.doctor.ward import Ward
from tests.agents.paper.hall import a_hall


@pytest.fixture
def ward() -> Iterator[Ward]:
    directory = Path(tempfile.mkdtemp(prefix="certspool-test-", dir="/var/tmp"))
    directory.chmod(0o755)
    with a_hall(directory) as hall:
        ward = Ward(hall)
        yield ward
        ward.stop()
    shutil.rmtree(directory)
