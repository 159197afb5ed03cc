"""A hall's paper side for each test, below a folder that lp can enter (pytest's tmp_path is not)."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agents.paper.hall import PaperHall, a_hall


@pytest.fixture
def open_directory() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="certspool-test-", dir="/var/tmp"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def hall(open_directory: Path) -> Iterator[PaperHall]:
    with a_hall(open_directory) as hall:
        yield hall
