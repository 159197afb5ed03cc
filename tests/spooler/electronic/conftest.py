"""A home that issues electronic certificates: the real API, store, renderer and keys, the issuer worked off by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from spooler.electronic.issue import ElectronicIssuer
from spooler.electronic.opening import Openings
from spooler.render import Renderer, find_templates
from spooler.render.electronic import ElectronicRenderer
from tests.sealing import HOME, OTHER_HOME, Office
from tests.spooler.api.conftest import Home, a_home
from tests.spooler.api.sending import post
from tests.spooler.intake.build import changed, sample

CREDIT_CODE = "11231221MB00000012"
ADDRESS = "https://zs.example.gov.cn"
NAMES = {HOME: "望奎县自然资源局", OTHER_HOME: "北林区自然资源局"}


@dataclass
class Electronics:
    """The home and the thread that would make its files."""

    home: Home
    issuer: ElectronicIssuer
    client: httpx.Client

    def accept(self, request: dict[str, Any]) -> dict[str, Any]:
        """Post a request and let its electronic certificate be made."""
        answer = post(self.client, request)
        assert answer.status_code == 201, answer.text
        self.issuer.work_off()
        return answer.json()

    def get(self, job: dict[str, Any]) -> httpx.Response:
        return self.client.get(f"/v1/electronic/{job['job_id']}")

    def page(self, job: dict[str, Any], language: str = "zh") -> str:
        code = self.home.store.electronics.of_job(job["job_id"]).code
        return self.client.get(f"/verify/{code}", params={"lang": language}).text

    def validity(self, job: dict[str, Any]) -> str:
        return self.home.store.electronics.of_job(job["job_id"]).validity.value


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return Office.create(tmp_path_factory.mktemp("office") / "pki")


@pytest.fixture(scope="session")
def faces() -> ElectronicRenderer:
    return ElectronicRenderer(find_templates())


@pytest.fixture(scope="session")
def layout() -> Renderer:
    return Renderer(find_templates())


@contextmanager
def a_home_that_issues(
    directory: Path, office: Office, faces: ElectronicRenderer, layout: Renderer
) -> Iterator[Electronics]:
    openings = Openings({HOME: CREDIT_CODE}, NAMES)
    home = a_home(directory, layout, keys={HOME: office.ticket_key()}, openings=openings)
    issuer = ElectronicIssuer(
        store=home.store,
        documents=home.documents,
        draw=faces.draw,
        seals={HOME: office.seal_key()},
        public_address=ADDRESS,
        clock=lambda: datetime.now(UTC),
    )
    with home.client() as client:
        yield Electronics(home, issuer, client)
    home.close()


@pytest.fixture
def electronics(tmp_path, office, faces, layout) -> Iterator[Electronics]:
    with a_home_that_issues(tmp_path, office, faces, layout) as made:
        yield made


@dataclass
class Issued:
    """A certificate with map and plan, as it was answered, which no test changes."""

    home: Electronics
    job: dict[str, Any]
    answer: httpx.Response

    @property
    def pdf(self) -> bytes:
        return self.answer.content


@pytest.fixture(scope="session")
def issued(tmp_path_factory, office, faces, layout) -> Iterator[Issued]:
    with a_home_that_issues(tmp_path_factory.mktemp("issued"), office, faces, layout) as made:
        job = made.accept(changed(sample("house"), "hall", "231282-01"))
        yield Issued(made, job, made.get(job))
