"""A released version of a template never changes: certificates that were printed with it must be explainable for decades."""

import pytest

from spooler.render import find_templates
from spooler.render.library import load_library
from spooler.render.template.versions import fingerprint

# The hash of each released version's files (`certspool templates list --json` shows it).
RELEASED = {
    "certificate-electronic/1": "f839d416d5bdc8926d31d987e4ffc9fdb219cd2f81e34836a1cd678e37954774",
    "certificate-electronic/2": "a8185a0033f44b3a6fa58d7659d9d0d226031baca6a2c1f4eee842c5179163b8",
    "certificate/1": "6160f5d47b47da1011697e479f8dfbf397ccdd99d5a2c069a53029dc1d4b8525",
    "check-sheet/1": "16dda2a05d95e382d5619fd9e320fbbc55edd7750efeae94b0928259a0a78049",
    "collateral-list/1": "cd6687e89c124955bcb787f2718482aa76c1c4cfee949bd2972b3608060d08c5",
    "proof-electronic/1": "e1fa29aa2f484ec363886a101cb5f175cbc70cdd036dc495de6b34a50cb57050",
    "proof-electronic/2": "57525d036847b7fd415752dfd530971c0aeb9d2f793ac499bd884218ac878706",
    "proof/1": "f0810d6cb430cc37149bf750a6c5c2e296908d7dc47e29f7bd4a433e844d0974",
    "record/1": "3c5bed752dc7e5d4964444f10309e3d972fc51a63dfb6156d45837f62852e375",
}

CHANGED = """
templates/{name} was released and is no longer what it was.
  If you did not mean to change it:  git checkout -- templates/{name}
  If you did:  leave it as it was, and make the next version:
      certspool templates new {kind}            copies the newest version to the next number
      (change its template.toml there)
      certspool templates draw {kind}/<number>  draws its blank.pdf
      certspool templates check {kind}/<number>
  then release that one: add its hash to RELEASED in this test, and a line to CHANGELOG.md.
  Never write a new hash beside an old name: tickets name the version, and what it printed must stay what it says.
"""
NEW = """
templates/{name} is not released yet: nothing says what it must stay. When it is as it should be
(certspool templates check {name}; look at certspool render --face preview), release it: add to RELEASED in this test
    "{name}": "{hash}",
and a line to CHANGELOG.md. From then on it never changes.
"""


@pytest.mark.parametrize("name", sorted(RELEASED))
def test_a_released_version_is_what_it_was(name):
    """To the byte: geometry, the drawing of its blank, its sample."""
    kind = name.split("/")[0]
    assert fingerprint(find_templates() / name) == RELEASED[name], CHANGED.format(name=name, kind=kind)


def test_every_version_that_ships_is_released():
    """What is in the package is what homes print with."""
    for name, entry in load_library(find_templates()).items():
        assert name in RELEASED, NEW.format(name=name, hash=fingerprint(entry.directory))
