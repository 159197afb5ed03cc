"""What a sandbox consists of is chosen once, and found again by every restart."""

import pytest

from spooler.sandbox import site as sites
from spooler.sandbox.foundation import serials
from spooler.wire.messages import Stock


def a_site(directory, **more):
    return sites.choose(directory, directory, **more)


def test_it_is_found_again_as_it_was(tmp_path):
    site = a_site(tmp_path)

    sites.keep(site)

    assert sites.load(tmp_path) == site


def test_tokens_are_for_their_owner_alone(tmp_path):
    sites.keep(a_site(tmp_path))

    assert (tmp_path / "run" / "site.json").stat().st_mode & 0o077 == 0


def test_no_two_parts_share_a_port(tmp_path):
    site = a_site(tmp_path, halls=[f"2312{n}-01" for n in (21, 22, 23, 24, 25, 26)])

    ports = [site.home_port, site.receiver_port, *(hall.port for hall in site.halls)]

    assert len(set(ports)) == 8


def test_no_two_blanks_of_a_stock_share_a_serial(tmp_path):
    site = a_site(tmp_path, blanks=30)
    printers = [p for hall in site.halls for p in hall.printers if p.stock is Stock.CERTIFICATE]

    blanks = [serial for printer in printers for serial in serials(printer)]

    assert len(blanks) == len(set(blanks)) == 60


def test_a_tray_begins_and_ends_as_the_ledger_is_told(tmp_path):
    printer = a_site(tmp_path, blanks=30).halls[0].printers[0]

    blanks = list(serials(printer))

    assert (blanks[0], blanks[-1], len(blanks)) == (printer.first, printer.last, 30)


def test_a_hall_may_have_a_single_printer(tmp_path):
    """A township point."""
    site = a_site(tmp_path, stocks={"231283-01": (Stock.PROOF,)})

    assert [p.name for p in site.hall("231283-01").printers] == ["proof-1"]
    assert [p.name for p in site.hall("231282-01").printers] == ["booklet-1", "proof-1", "plain-1"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"registries": ["110101"]},
        {"registries": ["23122"]},
        {"registries": []},
        {"registries": ["231221", "231221"]},
        {"halls": ["231221"]},
        {"halls": ["110101-01"]},
        {"halls": ["231221-1"]},
        {"blanks": 0},
        {"blanks": 1_000_000},
    ],
    ids=str,
)
def test_a_place_that_is_none_is_refused(tmp_path, wrong):
    with pytest.raises(sites.NoSuchPlace):
        a_site(tmp_path, **wrong)
