"""`certspool templates`: what it says, and what its exit codes mean."""

import json

import pytest

from spooler.cli import main


@pytest.fixture
def run(capsys):
    """Run a command; return its exit code, what it printed and what it complained of."""

    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["templates", *map(str, arguments)])
        printed = capsys.readouterr()
        return ended.value.code or 0, printed.out, printed.err

    return call


@pytest.fixture
def own(tmp_path, run):
    """A site's own directory, with a version of the proof to be changed."""
    directory = tmp_path / "own"
    assert run("new", "proof", "--own", directory)[0] == 0
    return directory


def change(own, old, new):
    path = own / "proof/2/template.toml"
    source = path.read_text(encoding="utf-8")
    assert old in source
    path.write_text(source.replace(old, new, 1), encoding="utf-8")


def test_the_shipped_templates_are_listed_and_sound(run):
    listed = json.loads(run("list", "--json")[1])["templates"]

    assert {(row["name"], row["stock"], row["newest"]) for row in listed} >= {
        ("certificate/1", "certificate", True),
        ("proof/1", "proof", True),
        ("record/1", "plain", True),
        ("collateral-list/1", "plain", True),
        ("check-sheet/1", "plain", True),
        ("certificate-electronic/1", "electronic", False),
        ("proof-electronic/2", "electronic", True),
    }
    code, out, _ = run("check", "--json")
    assert (code, json.loads(out)["faults"]) == (0, [])


def test_the_next_version_begins_as_a_copy(run, own):
    """It prints the same until somebody changes it, and its folder and number agree."""
    assert sorted(path.name for path in (own / "proof/2").iterdir()) == ["blank.pdf", "sample.json", "template.toml"]
    assert run("check", "proof/2", "--own", own)[0] == 0
    assert json.loads(run("new", "proof", "--own", own, "--from", 1, "--json")[1])["name"] == "proof/3"


@pytest.mark.parametrize(
    ("kind", "file"),
    [("record", "template.toml"), ("collateral-list", "sheet.toml"), ("proof-electronic", "face.toml")],
)
def test_the_next_version_of_what_has_no_blank_begins_as_well(run, tmp_path, kind, file):
    """Plain paper and screens have nothing to be drawn beneath."""
    name = json.loads(run("new", kind, "--own", tmp_path, "--json")[1])["name"]
    held = {"face.toml"} if file == "face.toml" else {file, "sample.json"}
    assert {path.name for path in (tmp_path / name).iterdir()} == held
    code, out, err = run("check", name, "--own", tmp_path, "--json")
    assert (code, json.loads(out)["checked"]) == (0, [name]), err

    code, _, err = run("draw", name, "--own", tmp_path)

    assert code == 2 and "no printed blank" in err


def test_a_fault_of_a_sheet_is_told_as_well(run, tmp_path):
    assert run("new", "check-sheet", "--own", tmp_path)[0] == 0
    path = tmp_path / "check-sheet/2/sheet.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("most = 220", "most = 320", 1), encoding="utf-8")

    code, _, err = run("check", "--own", tmp_path)

    assert code == 1 and f"{path}:" in err and ": table.most: " in err


def test_a_fault_is_told_with_file_line_and_key(run, own):
    change(own, "x = 195.1, y = 51.2", "x = 285.1, y = 51.2")

    code, _, err = run("check", "--own", own)

    assert code == 1
    assert f"{own}/proof/2/template.toml:" in err and ": boxes.holder: " in err and "beyond the paper" in err


def test_a_sample_that_does_not_print_is_a_fault(run, own):
    change(own, "height = 44.3, padding = 1, size = 11", "height = 6, padding = 1, size = 11")

    code, out, _ = run("check", "--own", own, "--json")

    assert code == 1
    assert any("sample.json: fields.other: does-not-fit" in fault for fault in json.loads(out)["faults"])


def test_a_blank_that_was_not_drawn_anew_is_a_fault_until_it_is(run, own):
    change(own, "x = 25, y = 101, width = 42", "x = 26, y = 101, width = 42")

    assert "blank.pdf: is not drawn from this template" in run("check", "--own", own)[2]
    assert run("draw", "proof/2", "--own", own)[0] == 0
    assert run("check", "proof/2", "--own", own)[0] == 0


@pytest.mark.parametrize(
    "arguments",
    [("check", "proof/99"), ("draw", "licence/1"), ("new", "licence"), ("new", "proof", "--from", "99"), ("erase",)],
    ids=" ".join,
)
def test_what_there_is_not_is_wrong_usage(run, tmp_path, arguments):
    (tmp_path / "empty").mkdir()
    own = () if arguments == ("erase",) else ("--own", tmp_path / "empty")

    assert run(*arguments, *own)[0] == 2


def test_a_directory_that_cannot_be_written_is_a_failure(run, tmp_path):
    (tmp_path / "own").write_text("a file")

    code, _, err = run("new", "proof", "--own", tmp_path / "own" / "below")
    assert code == 1 and str(tmp_path / "own") in err


@pytest.mark.parametrize("command", ["list", "check", "new", "draw"])
def test_every_command_has_help_with_an_example(run, command):
    code, out, _ = run(command, "--help")

    assert code == 0 and f"Example: certspool templates {command}" in " ".join(out.split())
