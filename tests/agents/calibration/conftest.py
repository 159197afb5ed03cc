"""A hall whose printers nobody has measured yet, and its desk."""

from collections.abc import Callable
from typing import Any

import pytest

from spooler.render import Renderer, find_templates
from spooler.wire.messages import Seal
from tests.agents.api.conftest import Desk
from tests.agents.counter.hall import Counter
from tests.sealing import Office
from tests.spooler.render.builders import a_content, a_pdf, an_annex


@pytest.fixture(scope="session")
def office(tmp_path_factory) -> Office:
    return Office.create(tmp_path_factory.mktemp("office") / "pki")


@pytest.fixture
def make_counter(office, tmp_path) -> Callable[..., Counter]:
    def make(**more: Any) -> Counter:
        return Counter(office, tmp_path / "hall", **more)

    return make


@pytest.fixture
def bare(make_counter) -> Counter:
    """Blanks are loaded, nothing is calibrated."""
    return make_counter(is_calibrated=False)


@pytest.fixture
def desk(bare) -> Desk:
    return Desk(bare)


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    return Renderer(find_templates())


@pytest.fixture(scope="session")
def booklet(renderer) -> bytes:
    """A whole booklet as home renders it: three spreads, a QR code, a printed seal, a parcel map."""
    return renderer.print_document(a_content("certificate", an_annex(a_pdf()), seal=Seal.PRINTED)).pdf
