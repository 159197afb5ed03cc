"""A registry whose grant is withdrawn begins nothing more here, without a restart; what was begun goes on."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from spooler.seal import pki
from spooler.wire.trust_directory import TrustDirectory
from tests.agents.api.conftest import Desk
from tests.agents.counter.hall import Counter
from tests.sealing import HALL, NOW, Office


class Operator:
    """Who keeps the hall's trust directory."""

    def __init__(self, office: Office, path: Path) -> None:
        self._path = path / "trust"
        shutil.copytree(office.directory / "trust", self._path)
        self.office = replace(office)
        object.__setattr__(self.office, "trust", TrustDirectory(self._path, look_seconds=0))
        self._granted = (self._path / "grants.json").read_text()

    def withdraws(self) -> None:
        (self._path / "grants.json").write_text("[]")

    def grants(self) -> None:
        (self._path / "grants.json").write_text(self._granted + "\n")

    def suspends(self) -> None:
        pki.suspend(self._path.parent, HALL, NOW)

    def resumes(self) -> None:
        pki.suspend(self._path.parent, HALL, None)


@pytest.fixture
def operator(office: Office, tmp_path: Path) -> Operator:
    return Operator(office, tmp_path)


@pytest.fixture
def counter(operator: Operator, tmp_path: Path) -> Counter:
    return Counter(operator.office, tmp_path / "hall")


def test_no_first_pass_is_released_while_the_grant_is_withdrawn(
    desk: Desk, counter: Counter, operator: Operator
) -> None:
    order_id = counter.arrives(counter.booklet())
    operator.withdraws()

    refused = desk.act(order_id, "release", attempt=1)

    assert (refused.status_code, refused.json()["code"], refused.json()["fits"]) == (409, "grant-withdrawn", ["return"])
    operator.grants()
    assert desk.act(order_id, "release", attempt=1).status_code == 200


def test_what_was_released_and_not_begun_is_not_begun(desk: Desk, counter: Counter, operator: Operator) -> None:
    counter.releases(counter.arrives(counter.booklet()))
    operator.withdraws()

    assert counter.has_to_print("booklet-1") is None
    operator.grants()
    assert counter.has_to_print("booklet-1") is not None


def test_a_booklet_that_was_begun_is_finished(desk: Desk, counter: Counter, operator: Operator) -> None:
    """Half a booklet helps nobody; its first pass was printed while it was right."""
    order_id = counter.arrives(counter.booklet())
    counter.releases(order_id)
    counter.prints("booklet-1")
    operator.withdraws()

    counter.turns(order_id, 2)
    counter.prints("booklet-1")

    assert desk.act(order_id, "confirm", attempt=1, serials=["D23000000101"]).status_code == 200


def test_a_spoiled_booklet_is_not_begun_again(desk: Desk, counter: Counter, operator: Operator) -> None:
    order_id: UUID = counter.has_printed_booklet()
    desk.act(order_id, "spoil", attempt=1, blanks=["D23000000101"], reason="torn")
    counter.accepts(order_id)
    operator.withdraws()

    assert desk.act(order_id, "release", attempt=2).json()["code"] == "grant-withdrawn"


def test_a_hall_that_releases_by_itself_stops_too(operator: Operator, tmp_path: Path) -> None:
    counter = Counter(operator.office, tmp_path / "auto", release="auto")
    order_id = counter.arrives(counter.booklet())
    operator.withdraws()

    counter.hall.pipeline.look()

    assert counter.order(order_id).state == "waiting"


def test_a_new_order_of_a_registry_without_a_grant_is_refused(counter: Counter, operator: Operator) -> None:
    operator.withdraws()

    counter.arrives(counter.booklet())

    assert [(r.kind, r.code) for r in counter.reports()] == [("refused", "grant")]


def test_a_registry_granted_since_the_start_hears_the_heart_beat(office: Office, tmp_path: Path) -> None:
    operator = Operator(office, tmp_path)
    everyone = json.loads(operator._granted)
    one = sorted({grant["registry"] for grant in everyone})[0]
    (operator._path / "grants.json").write_text(json.dumps([g for g in everyone if g["registry"] == one]))
    counter = Counter(operator.office, tmp_path / "hall")
    operator.grants()

    counter.hall.pipeline.look()

    assert len({r.registry for r in counter.reports("heartbeat")}) == 2


def test_no_first_pass_is_released_while_the_hall_is_suspended(
    desk: Desk, counter: Counter, operator: Operator
) -> None:
    """`certspool hall suspend`: its record came with the trust directory; nobody restarts the agent."""
    order_id = counter.arrives(counter.booklet())
    operator.suspends()

    refused = desk.act(order_id, "release", attempt=1)

    assert (refused.status_code, refused.json()["code"]) == (409, "grant-withdrawn")
    operator.resumes()
    assert desk.act(order_id, "release", attempt=1).status_code == 200
