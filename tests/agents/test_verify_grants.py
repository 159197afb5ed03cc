"""A hall goes by the grant that held when its registry sealed: a wrong clock refuses nothing, an ended grant all that is new."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from spooler.seal.ticket import SealedOrder
from spooler.wire.grants import Side
from spooler.wire.refusal import RefusalCode
from spooler.wire.trust import load_trust
from tests.agents.forging import judged, refused
from tests.granting import People, a_signed_office
from tests.sealing import NOW, Office

END = NOW + timedelta(hours=1)


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return a_signed_office(tmp_path_factory.mktemp("office") / "pki")


@pytest.fixture
def people(signed: Office, tmp_path: Path) -> People:
    people = People.with_a_copy(signed, tmp_path / "trust")
    people.agree_anew(not_after=END)
    return people


def sealed(office: Office, at: datetime) -> SealedOrder:
    return office.order(issued_at=at, not_before=at, not_after=at + timedelta(days=3))


def test_an_order_sealed_in_time_is_taken_after_the_grants_end(people: People, signed: Office):
    """Nothing of it is begun then; but it is not refused for good because a clock runs ahead."""
    trust = load_trust(people.trust, now=NOW)

    assert judged(signed, sealed(signed, NOW), trust=trust, now=END + timedelta(hours=2)).ticket.kind == "certificate"


def test_an_order_sealed_after_the_grants_end_is_refused(people: People, signed: Office):
    later = END + timedelta(hours=2)
    trust = load_trust(people.trust, now=later)

    assert refused(signed, sealed(signed, END + timedelta(hours=1)), trust=trust, now=later) == RefusalCode.GRANT


@pytest.mark.parametrize("side", list(Side))
def test_an_order_sealed_before_a_withdrawal_is_refused_after_it(people: People, signed: Office, side: Side):
    people.withdraws(side)

    order = sealed(signed, NOW)

    assert refused(signed, order, trust=load_trust(people.trust, now=NOW)) == RefusalCode.GRANT


def test_an_order_of_a_kind_that_the_newer_grant_leaves_out_is_refused(people: People, signed: Office):
    people.agree_anew(kinds=["proof"])

    assert refused(signed, sealed(signed, NOW), trust=load_trust(people.trust, now=NOW)) == RefusalCode.GRANT


def test_what_one_side_alone_signed_lets_nothing_in(signed: Office, tmp_path: Path):
    alone = People.with_a_copy(signed, tmp_path / "alone")
    for file in alone.trust.glob("grants/*"):
        file.unlink()
    alone.offers(Side.REGISTRY)

    assert refused(signed, sealed(signed, NOW), trust=load_trust(alone.trust, now=NOW)) == RefusalCode.GRANT
