"""F38: a hall's wrap key is changed while orders are on their way."""

from copy import copy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from agents.documents import Documents
from spooler.job import JobState
from spooler.rewrap import Rewrapper
from spooler.wire.keys import WrapKey
from spooler.wire.trust import Trust
from tests.acts.county import County
from tests.sealing import HALL, Office


def rotated(county: County, office: Office, *, keeps_old: bool) -> Trust:
    """The hall gets a new key, and home its record; the old one stays in the hall's credentials, or is gone."""
    now = county.clock()
    old = WrapKey.from_pem((office.directory / "halls" / HALL / "credentials" / "wrap.pem").read_bytes())
    new = WrapKey.generate()
    hall = county.counter.hall
    keys = (new, old) if keeps_old else (new,)
    orders = Documents(Path(county.counter.directory) / "orders", hall=HALL, keys=keys)
    hall.documents._keys = orders._keys
    record = office.trust.halls[HALL]
    newer = record.model_copy(update={"wrap_keys": (*record.wrap_keys, new.record(now, now + timedelta(days=365)))})
    return replace(office.trust, halls={**office.trust.halls, HALL: newer})


def home_learns(county: County, trust: Trust) -> None:
    """A restart of the home with the new trust directory."""
    office = copy(county.home.office)
    object.__setattr__(office, "trust", trust)
    county.home.trust = trust
    county._prepare = county._preparer(office)
    county.another_order._prepare = county._prepare
    county.home.pipeline = county.pipeline()
    county.home_inbox = county._home_inbox(office)


@pytest.mark.fault_row("F38")
def test_what_was_wrapped_for_the_old_key_opens_as_long_as_the_hall_keeps_it(county: County, office: Office) -> None:
    job = county.brought_to("in the broker")
    home_learns(county, rotated(county, office, keeps_old=True))

    county.goes_on_to_issued(job)

    assert county.job(job).state is JobState.ISSUED
    assert [order.state for order in county.job(job).orders] == ["issued"]


@pytest.mark.fault_row("F38")
def test_what_the_hall_can_open_no_more_is_sealed_again_for_its_new_key(county: County, office: Office) -> None:
    """The hall refuses it; the job does not end, and prints under its next order."""
    job = county.brought_to("in the broker")
    county.clock.advance(minutes=1)
    home_learns(county, rotated(county, office, keeps_old=False))

    county.carry()
    assert county.job(job).orders[0].state == "refused"
    Rewrapper(store=county.home.store, another_order=county.another_order).look()
    county.goes_on_to_issued(job)

    assert county.job(job).state is JobState.ISSUED
    assert [order.state for order in county.job(job).orders] == ["refused", "issued"]


@pytest.mark.fault_row("F38")
def test_what_no_other_key_would_open_ends_the_job(county: County, office: Office) -> None:
    """Without a newer key the hall's refusal is its word."""
    job = county.brought_to("in the broker")
    rotated(county, office, keeps_old=False)

    county.carry()

    assert county.job(job).state is JobState.REFUSED
