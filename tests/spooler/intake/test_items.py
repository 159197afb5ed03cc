"""A request that names its registration item is refused where item and document disagree."""

import pytest

from spooler.intake.check import digest_of
from spooler.intake.request import Request
from tests.spooler.intake.build import changed, checker, findings, judge, places, sample

HOUSE, MORTGAGE, LOST = sample("no-annex"), sample("mortgage"), sample("replacement")


@pytest.mark.parametrize(
    ("request_", "item"),
    [
        (HOUSE, "state-land-building-transfer"),
        (MORTGAGE, "mortgage-first"),
        (LOST, "replacement-certificate"),
        (LOST, "state-land-building-transfer"),
    ],
)
def test_an_item_that_yields_this_kind_is_taken(request_, item):
    assert judge({**request_, "item": item}).request.item == item


@pytest.mark.parametrize(
    ("request_", "item", "expected"),
    [
        (HOUSE, "house-sale", ("item", "unknown-item")),
        (HOUSE, "seizure", ("item", "item-without-document")),
        (HOUSE, "common-parts", ("item", "item-without-document")),
        (HOUSE, "mortgage-first", ("item", "item-of-another-kind")),
        (MORTGAGE, "sea-first", ("item", "item-of-another-kind")),
        (HOUSE, "", ("item", "empty")),
        (HOUSE, 7, ("item", "wrong-type")),
        (HOUSE, "replacement-certificate", ("document.issuance", "does-not-match")),
        (LOST, "renewal-certificate", ("document.issuance.type", "does-not-match")),
    ],
)
def test_an_item_that_does_not_is_refused(request_, item, expected):
    assert [expected] == places(findings({**request_, "item": item}))


def test_the_refusal_says_what_the_item_yields():
    """Whoever reads it knows which of the two is wrong."""
    (found,) = findings({**HOUSE, "item": "mortgage-first"})

    assert "抵押权首次登记" in found.message and "应发 proof" in found.message
    assert "yields proof, and document.kind says certificate" in found.message


def test_without_a_catalogue_every_item_is_unknown():
    at = checker(items={})

    assert places(findings({**HOUSE, "item": "mortgage-first"}, at)) == [("item", "unknown-item")]
    assert findings(HOUSE, at) == []


def test_a_request_without_item_is_the_same_request_as_before_there_were_items():
    """A home that was upgraded answers a repeat of what it kept before with that job."""
    was = "bf3d5ffd9cdd5930d9e4aa816e58fbe1"
    request = judge(HOUSE).request

    assert digest_of(request).startswith(was)
    assert digest_of(Request.model_validate(changed(HOUSE, "item", "state-land-first"))) != digest_of(request)
