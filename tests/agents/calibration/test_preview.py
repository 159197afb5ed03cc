"""What a clerk sees at the hall is what `certspool render --face preview` shows at home, and nobody can print it as a certificate."""

import io
import subprocess

import pytest
from PIL import Image, ImageChops
from pypdf import PdfReader

from agents.preview import preview
from agents.templates import Templates
from tests.spooler.render.builders import a_content, a_pdf, an_annex

DPI = 50


def pictures(pdf: bytes, folder, stem: str) -> list[Image.Image]:
    (folder / f"{stem}.pdf").write_bytes(pdf)
    command = ["pdftoppm", "-r", str(DPI), "-png", str(folder / f"{stem}.pdf"), str(folder / stem)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return [Image.open(path).convert("RGB") for path in sorted(folder.glob(f"{stem}-*.png"))]


@pytest.mark.parametrize("kind", ["certificate", "proof"])
def test_it_is_the_same_picture_as_homes(renderer, tmp_path, kind):
    """Dot by dot: text, annex, drawing of the blank, and the mark 样张."""
    content = a_content(kind, *([an_annex(a_pdf())] if kind == "certificate" else []))
    rendered = renderer.print_document(content)

    ours = preview(rendered.pdf, rendered.passes, Templates().blank(rendered.template))

    homes = pictures(renderer.preview(content), tmp_path, "home")
    shown = pictures(ours, tmp_path, "hall")
    assert [one.size for one in shown] == [one.size for one in homes]
    for mine, theirs in zip(shown, homes, strict=True):
        assert ImageChops.difference(mine, theirs).getbbox() is None
    assert all(is_marked(picture) for picture in shown)


def is_marked(picture: Image.Image) -> bool:
    """The mark is a light grey that nothing else here has much of."""
    return picture.convert("L").point(lambda value: 255 if 225 <= value <= 234 else 0).histogram()[255] > 0.01 * (
        picture.width * picture.height
    )


def test_without_a_drawing_of_the_blank_the_text_is_shown_all_the_same(renderer, tmp_path):
    """A template that this hall has not: white paper, marked."""
    rendered = renderer.print_document(a_content("proof"))
    assert Templates().blank("proof/999") is None

    (shown,) = pictures(preview(rendered.pdf, rendered.passes, None), tmp_path, "bare")

    assert is_marked(shown)


@pytest.mark.parametrize("name", ["../proof/1", ".hidden/1", "proof/../1", "proof", "proof/x", "a/b/1", "record/1"])
def test_only_what_is_a_template_is_looked_for(name):
    """The name comes with the order: it never leads out of the folder."""
    assert Templates().blank(name) is None


def test_nothing_of_the_signature_is_in_it(office, renderer, tmp_path):
    """No form, no signature, no attachment: it cannot be taken for the document."""
    order = office.order(pdf=renderer.print_document(a_content("certificate")).pdf)
    shown = PdfReader(io.BytesIO(preview(order.document, order.ticket.passes, None)))

    assert {"/AcroForm", "/Names", "/AF", "/DSS", "/Perms"}.isdisjoint(shown.trailer["/Root"])
    assert b"/ByteRange" in order.document
    assert b"/ByteRange" not in preview(order.document, order.ticket.passes, None)
