"""A grant that is withdrawn in the trust directory is withdrawn for the next request; nobody restarts the home."""

import json

from spooler.wire.trust_directory import TrustDirectory
from tests.sealing import Office
from tests.spooler.api.conftest import a_home
from tests.spooler.api.sending import errors, post
from tests.spooler.intake.build import changed, sample

HALL = "231282-01"


def test_a_request_after_the_withdrawal_is_refused_and_after_a_new_grant_taken(tmp_path, layout):
    grants = Office.create(tmp_path / "pki").directory / "trust" / "grants.json"
    granted = grants.read_text()
    home = a_home(tmp_path, layout, trusted=TrustDirectory(grants.parent, look_seconds=0))
    with home.client() as client:
        assert post(client, changed(sample("house"), "hall", HALL)).status_code == 201

        grants.write_text(json.dumps([one for one in json.loads(granted) if one["hall"] != HALL]))
        refused = post(client, changed(sample("mortgage"), "hall", HALL))
        grants.write_text(granted)
        taken = post(client, changed(sample("mortgage"), "hall", HALL))
    home.close()

    assert errors(refused) == [("hall", "not-granted")]
    assert taken.status_code == 201
