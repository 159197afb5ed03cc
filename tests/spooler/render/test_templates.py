"""Templates are checked when the home starts; what is wrong is named so that a person finds it."""

import shutil
from io import BytesIO

import pypdf
import pytest

from spooler.render import BadTemplate, Renderer, find_templates
from spooler.render.blank import draw_blank
from spooler.render.fonts import CHAIN, Faces, FontMissing, shared_faces
from spooler.render.template import load_templates

from .builders import MM, a_content, text_of


@pytest.fixture
def changed(tmp_path):
    """Return what loading says after a piece of the certificate's template was replaced."""

    def change(old: str, new: str) -> str:
        shutil.copytree(find_templates(), tmp_path, dirs_exist_ok=True)
        path = tmp_path / "certificate/1/template.toml"
        source = path.read_text(encoding="utf-8")
        assert old in source
        path.write_text(source.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(BadTemplate) as caught:
            load_templates(tmp_path)
        message = str(caught.value)
        assert str(path) in message
        return message.removeprefix(str(path))

    return change


def test_the_released_templates_are_sound():
    assert {"certificate/1", "proof/1"} <= load_templates(find_templates()).keys()


def line_of(old: str) -> int:
    source = (find_templates() / "certificate/1/template.toml").read_text(encoding="utf-8")
    return source[: source.index(old)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ('holder = { on = "B"', 'holder = { on = "B", colour = 1', "boxes.holder.colour", "Extra inputs"),
        ("x = 221\n", 'x = "left"\n', "qr.x", "valid number"),
        ("leading = 1.3", "leading = 13", "type.leading", "less than or equal to 2"),
        ("diameter = 40", "diameter = 400", "seal", "beyond the paper"),
        ('on = "C"\nx = 21.4', 'on = "D"\nx = 21.4', "frame", "no pass D"),
    ],
)
def test_a_fault_is_named_with_file_line_and_key(changed, old, new, key, says):
    message = changed(old, new)

    assert f": {key}: " in message and says in message
    number = int(message.split(":")[1])
    assert abs(number - line_of(old)) <= 5


def test_broken_toml_is_named_with_its_line(changed):
    assert "line" in changed("[qr]", "[qr")


def test_a_missing_line_is_named(changed):
    assert "lines" in changed("place = {", "town = {")


def test_the_folder_says_kind_and_version(changed):
    assert "kind and version say certificate/2" in changed("version = 1", "version = 2")


def test_a_folder_without_templates_is_no_start(tmp_path):
    with pytest.raises(BadTemplate):
        Renderer(tmp_path)


def test_a_missing_font_names_its_package(tmp_path):
    with pytest.raises(FontMissing, match="fonts-lxgw-wenkai"):
        Faces(CHAIN, tmp_path)


@pytest.mark.parametrize("name", ["certificate/1", "proof/1"])
def test_the_blank_is_drawn_from_the_template(name):
    """The kept drawing is the one that the script makes, on paper of the true size."""
    template = load_templates(find_templates())[name]
    kept = (template.directory / "blank.pdf").read_bytes()

    assert text_of(kept) == text_of(draw_blank(template, shared_faces()))
    sizes = [(float(page.mediabox.width), float(page.mediabox.height)) for page in pypdf.PdfReader(BytesIO(kept)).pages]
    assert sizes == [pytest.approx((sheet.width * MM, sheet.height * MM), abs=0.01) for sheet in template.passes]


@pytest.mark.parametrize("kind", ["certificate", "proof"])
def test_the_sample_prints(renderer, kind):
    assert renderer.print_document(a_content(kind)).template == f"{kind}/1"
