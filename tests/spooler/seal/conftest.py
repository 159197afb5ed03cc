"""One SoftHSM for the run; each test has a token of its own."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from spooler.seal.token import Place, Token
from tests.spooler.seal.softhsm import MODULE, PIN, SoftHsm

_numbers = count(1)


@pytest.fixture(scope="session")
def hsm(tmp_path_factory: pytest.TempPathFactory) -> SoftHsm:
    return SoftHsm.create(tmp_path_factory.mktemp("softhsm"))


@pytest.fixture
def label(hsm: SoftHsm) -> str:
    name = f"token-{next(_numbers)}"
    hsm.put_in(name)
    return name


class Steps:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Steps:
    return Steps()


@pytest.fixture
def pin_file(tmp_path: Path) -> Path:
    path = tmp_path / "token.pin"
    path.write_text(PIN + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def token(label: str, pin_file: Path, seconds: Steps) -> Iterator[Token]:
    made = Token(Place(MODULE, label, lambda: pin_file.read_text().strip()), seconds=seconds)
    yield made
    made.close()
