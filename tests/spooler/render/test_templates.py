"""Templates are checked when the home starts; what is wrong is named so that a person finds it."""

import shutil
from dataclasses import replace
from io import BytesIO

import pypdf
import pytest

from spooler.render import BadTemplate, Renderer, Unprintable, find_templates
from spooler.render.blank import draw_blank
from spooler.render.fonts import CHAIN, Faces, FontMissing, shared_faces
from spooler.render.template import load_template, load_templates
from spooler.render.template.versions import begin_next
from spooler.render.trial import blank_is_current

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
        return message.replace(str(path), "")

    return change


def test_the_released_templates_are_sound():
    assert {"certificate/1", "proof/1"} <= load_templates(find_templates()).keys()


def line_of(old: str) -> int:
    source = (find_templates() / "certificate/1/template.toml").read_text(encoding="utf-8")
    return source[: source.index(old)].count("\n") + 1


# Where a change in one place is a fault of another.
MENDED_AT = {
    "boxes.holder.size": "holder = {",
    "passes": "[[passes]]",
    "passes.2": 'name = "C"',
    "passes.1": 'name = "B"',
    "seal": "[seal]",
}


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ('holder = { on = "B"', 'holder = { on = "B", colour = 1', "boxes.holder.colour", "Extra inputs"),
        ("x = 221\n", 'x = "left"\n', "qr.x", "valid number"),
        ("leading = 1.3", "leading = 13", "type.leading", "less than or equal to 2"),
        ("diameter = 40", "diameter = 400", "seal", "beyond the paper"),
        ('on = "C"\nx = 21.4', 'on = "D"\nx = 21.4', "frame", "no pass D"),
        ("holder = {", "owner = {", "boxes.owner", "no such field"),
        ("holder = {", "owner = {", "boxes.holder", "is missing"),
        (
            "y = 38.2, width = 107.8, height",
            "y = 36.2, width = 107.8, height",
            "boxes.co_ownership",
            "overlaps boxes.holder",
        ),
        ("x = 221\ny = 26\n", "x = 270\ny = 130\n", "seal", "lies over qr"),
        ("x = 33, baseline = 20.8", "x = 29, baseline = 20.8", "lines.year", "overlaps lines.province"),
        ("x = 18.5, baseline = 20.8", "x = 18.5, baseline = 2.8", "lines.province", "beyond the paper"),
        ("x = 41.3, y = 24.7, width = 107.8", "x = 241.3, y = 24.7, width = 107.8", "boxes.holder", "beyond the paper"),
        ('"HanaMinA", "HanaMinB"]', '"HanaMinA", "HanaMinC"]', "type.fonts.3", "no font 'HanaMinC'"),
        ('"HanaMinA", "HanaMinB"]', '"HanaMinA", "HanaMinA"]', "type.fonts.3", "twice"),
        ("floor = 7.5", "floor = 13", "boxes.holder.size", "12 pt is below type.floor"),
        ("height = 13.5, padding = 1.25", "height = 3, padding = 1.25", "boxes.holder.height", "3.4 mm"),
        ("padding = 1.25", "padding = 53", "boxes.holder.padding", "no width"),
        ("width = 12, size = 12", "width = 2, size = 12", "lines.province.width", "less than one character"),
        ('name = "B"', 'name = "A"', "passes.1.name", "two passes"),
        ('name = "C"', 'name = "D"', "passes", "has the passes A, B, C"),
        ('turn = "none"', 'turn = "page"', "passes.0.turn", "before the first pass"),
        ('stock = "certificate"', 'stock = "proof"', "passes.0.stock", "is printed on certificate"),
        ("width = 332", "width = 340", "passes.1", "340 × 239 mm on pass A"),
        ('never_last = "（', 'never_last = "8（', "line_rules.never_last", "no punctuation marks: '8'"),
        ('{ on = "A", text = "实，', '{ on = "E", text = "实，', "blank.labels.3", "no pass E"),
        ('{ on = "A", text = "实，', '{ on = "A", word = "实，', "blank.labels.3.word", "nobody reads"),
        ('[frame]\non = "C"', '[frame]\non = "A"', "passes.2", "nothing is printed on pass C"),
        ('kind = "certificate"', 'kind = "licence"', "kind", "there is no kind licence"),
    ],
)
def test_a_fault_is_named_with_file_line_and_key(changed, old, new, key, says):
    (message,) = [line for line in changed(old, new).split("\n") if f": {key}: " in line and says in line]

    number = int(message.split(":")[1])
    assert abs(number - line_of(MENDED_AT.get(key, old))) <= 5 or f": {key}: is missing" in message


@pytest.mark.parametrize(
    ("old", "new", "line_with"),
    [
        ("floor = 7.5", "floor = 13", "usage = {"),
        ('{ on = "A", text = "实，', '{ on = "A", word = "实，', "实，准予登记"),
        ("width = 332", "width = 340", 'name = "B"'),
        ('"HanaMinA", "HanaMinB"]', '"HanaMinA", "HanaMinC"]', "fonts ="),
        ("diameter = 40", "diameter = 400", "[seal]"),
        ("place = {", "town = {", "[lines]"),
    ],
)
def test_the_line_is_the_one_to_be_mended(changed, tmp_path, old, new, line_with):
    """Exactly that line: of a box inside a table, of an entry of a list; of what is missing, the table's head."""
    told = changed(old, new).split("\n")
    source = (tmp_path / "certificate/1/template.toml").read_text(encoding="utf-8").split("\n")

    lines = {int(line.split(":")[1]) for line in told}
    expected = next(i for i, line in enumerate(source, 1) if line_with in line)
    assert expected in lines or (line_with.startswith("name") and expected - 1 in lines)


def test_all_faults_are_told_at_once(changed):
    """Whoever mends the file mends it once."""
    assert len(changed("floor = 7.5", "floor = 12.5").split("\n")) > 15


def test_a_released_blank_belongs_to_its_template():
    templates = load_templates(find_templates())

    assert [name for name, template in templates.items() if not blank_is_current(template)] == []


def test_a_blank_that_was_not_drawn_anew_is_noticed(tmp_path):
    """A preview over the drawing of another version would lie."""
    template = begin_next("proof", [find_templates()], tmp_path)
    path = template.directory / "template.toml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("x = 155, y = 38.5", "x = 154, y = 38.5"), encoding="utf-8"
    )

    assert not blank_is_current(load_template(path))


def test_a_site_s_own_template_stands_in_for_ours(tmp_path):
    """An upgrade brings new versions of ours; what a site measured itself is not touched by it."""
    own = tmp_path / "own"
    begin_next("certificate", [find_templates()], own)

    assert load_templates(find_templates(), own).keys() >= {"certificate/2", "proof/1"}
    assert "certificate/1" not in load_templates(find_templates(), own)


def test_a_registry_s_version_is_printed_though_a_newer_one_is_there(tmp_path):
    shutil.copytree(find_templates(), tmp_path / "own")
    begin_next("proof", [tmp_path / "own"], tmp_path / "own")
    renderer = Renderer(find_templates(), own=tmp_path / "own")

    assert renderer.print_document(a_content("proof")).template == "proof/2"
    assert renderer.print_document(replace(a_content("proof"), template_version=1)).template == "proof/1"
    with pytest.raises(Unprintable):
        renderer.print_document(replace(a_content("proof"), template_version=3))


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
