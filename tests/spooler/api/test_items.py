"""GET /v1/items: what this home checks a request's `item` against."""

from tests.spooler.api.sending import errors, post
from tests.spooler.intake.build import changed, sample

HOUSE = changed(sample("no-annex"), "hall", "231282-01")


def test_the_catalogue_is_listed_and_narrowed_by_kind(home):
    with home.client("submitter") as client:
        listed = client.get("/v1/items").json()["items"]
        proofs = client.get("/v1/items", params={"kind": "proof"}).json()["items"]

    assert {
        "code": "seizure",
        "name": "查封登记",
        "english": "Seizure",
        "yields": "none",
        "issuance": None,
        "source": "细则第五章第四节",
    } in listed
    assert proofs == [item for item in listed if item["yields"] == "proof"] != []


def test_nobody_lists_it_without_a_token(home):
    with home.client(None) as client:
        assert client.get("/v1/items").status_code == 401


def test_a_request_is_refused_for_its_item(client):
    answer = post(client, {**HOUSE, "item": "seizure"})

    assert (answer.status_code, errors(answer)) == (422, [("item", "item-without-document")])
    assert post(client, {**HOUSE, "item": "state-land-building-first"}).status_code == 201
