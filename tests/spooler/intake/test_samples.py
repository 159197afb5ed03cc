"""Every sample request, ours and the shared ones where they lie beside the checkout, is judged as its name says."""

import json
from pathlib import Path

import pytest

from spooler.render import Renderer, find_templates
from spooler.sandbox.samples import make
from tests.spooler.intake.build import OWN, SHARED, checker, findings, judge, parts_of


def files(kind: str) -> list[Path]:
    return [path for directory in (OWN, SHARED) for path in sorted((directory / kind).glob("*.json"))]


def named(path: Path) -> str:
    return f"{path.parents[1].parent.name}-{path.stem}"


@pytest.fixture(scope="module")
def with_layout():
    return checker(Renderer(find_templates()))


@pytest.mark.parametrize("path", files("good"), ids=named)
def test_a_good_sample_is_accepted(path, with_layout):
    request = json.loads(path.read_bytes())

    checked = judge(request, with_layout, parts_of(request, path.parents[1]))

    assert checked.rendered.pdf.startswith(b"%PDF")


@pytest.mark.parametrize("path", files("bad"), ids=named)
def test_a_bad_sample_is_refused_and_its_field_named(path, with_layout):
    sample = json.loads(path.read_bytes())
    expected = sample["expect"]["field"]

    found = findings(sample["request"], with_layout, parts_of(sample["request"], path.parents[1]))

    assert any(item.field == expected or item.field.startswith(f"{expected}.") for item in found), found


def test_there_are_samples_for_everything():
    assert len(list((OWN / "good").glob("*.json"))) >= 12
    assert len(list((OWN / "bad").glob("*.json"))) >= 10


def test_the_samples_are_what_their_script_makes(tmp_path):
    """Whoever changes the script commits the samples too; hashes of pixels may differ with the image library."""
    make.main(tmp_path)

    for made in sorted(tmp_path.rglob("*.json")):
        assert without_hashes(made) == without_hashes(OWN / made.relative_to(tmp_path)), made.name


def without_hashes(path: Path) -> dict:
    text = json.loads(path.read_bytes())
    for annex in text.get("request", text)["annexes"]:
        del annex["sha256"], annex["bytes"]
    return text
