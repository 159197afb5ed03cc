"""`certspool items`: the catalogue that ships, a site's own, and a home's."""

import json

import pytest

from spooler.cli import main
from tests.spooler.api.conftest import a_home, token_of
from tests.spooler.intake.build import BlankLayout


@pytest.fixture
def run(capsys):
    """Run the command; return its exit code, what it printed and what it complained of."""

    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["items", *map(str, arguments)])
        printed = capsys.readouterr()
        return ended.value.code or 0, printed.out, printed.err

    return call


def codes(out):
    return [item["code"] for item in json.loads(out)["items"]]


def test_what_ships_is_listed_without_a_home(run):
    code, out, _ = run("--kind", "none")

    assert code == 0
    assert "seizure " in out and "查封登记 · Seizure" in out and "mortgage-first" not in out
    assert "seizure" in codes(run("--json")[1])


def test_a_kind_that_nothing_yields_is_wrong_usage(run):
    code, _, err = run("--kind", "booklet")

    assert code == 2
    assert "booklet" in err and "certificate" in err


def test_ones_own_catalogue_is_checked(run, tmp_path):
    own = tmp_path / "own.toml"
    own.write_text('[items]\nhouse = { name = "房屋", english = "House", yields = "certificate", source = "§20" }\n')

    assert codes(run("--file", own, "--json")[1]) == ["house"]
    own.write_text(own.read_text().replace('"certificate"', '"booklet"'))
    code, _, err = run("--file", own)
    assert code == 1
    assert f"{own}:2: items.house.yields: there is no kind booklet" in err


def test_a_home_is_asked_for_what_it_uses(run, tmp_path, monkeypatch):
    served = a_home(tmp_path, BlankLayout(), items={})
    monkeypatch.setenv("CERTSPOOL_API", served.url)
    monkeypatch.setenv("CERTSPOOL_TOKEN", token_of("submitter"))
    try:
        assert codes(run("--home", "--json")[1]) == []
    finally:
        served.close()


def test_ones_own_begins_as_a_copy_of_ours(run, tmp_path):
    """It is read as ours is; a file that is there already is left alone."""
    own = tmp_path / "own.toml"

    assert run("--copy", own)[0] == 0
    assert codes(run("--file", own, "--json")[1]) == codes(run("--json")[1])
    own.write_text("mine")
    code, _, err = run("--copy", own)
    assert (code, own.read_text()) == (1, "mine")
    assert f"{own}: File exists" in err
