"""A request is taken where both sides have signed that it may be, and answered 422 as soon as either has withdrawn."""

from datetime import UTC, datetime

import pytest

from spooler.wire.grants import Side
from spooler.wire.trust_directory import TrustDirectory
from tests.granting import People, a_signed_office
from tests.sealing import HALL
from tests.spooler.api.conftest import a_home
from tests.spooler.api.sending import errors, post
from tests.spooler.intake.build import changed, sample


@pytest.mark.parametrize("side", list(Side))
def test_a_request_after_a_withdrawal_is_refused_and_after_a_new_agreement_taken(tmp_path, layout, side):
    office = a_signed_office(tmp_path / "pki")
    people = People(office, office.directory / "trust")
    home = a_home(tmp_path, layout, trusted=TrustDirectory(people.trust, signed=True, look_seconds=0))
    with home.client() as client:
        assert post(client, changed(sample("house"), "hall", HALL)).status_code == 201

        people.withdraws(side)
        refused = post(client, changed(sample("mortgage"), "hall", HALL))
        people.agree_anew(datetime.now(UTC))
        taken = post(client, changed(sample("mortgage"), "hall", HALL))

        people.file(f"231221.{HALL}.2.json").write_bytes(b"torn")
        torn = post(client, changed(sample("homestead"), "hall", HALL))
    home.close()

    assert errors(refused) == [("hall", "not-granted")]
    assert taken.status_code == 201
    assert errors(torn) == [("hall", "not-granted")]
