"""Three readers that nobody here wrote take the files without a word: qpdf, Ghostscript told to stop at any warning, and poppler.

None of them judges PDF/A (page-validation does, in test_face); they say that the file is sound PDF.
"""

import shutil
import subprocess
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest

from tests.spooler.electronic.pictures import draw

SHOWN = [
    ("house", False),
    ("mortgage", True),
    ("long-notes", False),
    ("rare-names", False),
    ("collateral-drawn", False),
]
STRICT = ("-dSAFER", "-dBATCH", "-dNOPAUSE", "-dQUIET", "-dPDFSTOPONERROR", "-dPDFSTOPONWARNING", "-sDEVICE=nullpage")


@pytest.fixture(scope="module", params=SHOWN, ids=[name for name, _ in SHOWN])
def drawn(request, faces) -> bytes:
    return draw(faces, *request.param)


def by_ghostscript(path: Path) -> tuple[int, str]:
    ghostscript = shutil.which("gs")
    assert ghostscript, "no Ghostscript: it comes with cups-filters"
    done = subprocess.run([ghostscript, *STRICT, str(path)], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_qpdf_finds_nothing(drawn):
    with pikepdf.open(BytesIO(drawn)) as pdf:
        assert pdf.check_pdf_syntax() == []


def test_ghostscript_reads_it_without_a_warning(drawn, tmp_path):
    path = tmp_path / "certificate.pdf"
    path.write_bytes(drawn)

    assert by_ghostscript(path) == (0, "")


def test_poppler_reads_it_without_a_word(drawn, tmp_path):
    path = tmp_path / "certificate.pdf"
    path.write_bytes(drawn)

    done = subprocess.run(["pdftoppm", "-r", "40", "-png", str(path), str(tmp_path / "page")], capture_output=True)

    assert (done.returncode, done.stderr) == (0, b"")
    assert list(tmp_path.glob("page-*.png"))


def test_a_broken_file_would_be_noticed(drawn, tmp_path):
    path = tmp_path / "broken.pdf"
    path.write_bytes(drawn.replace(b"/Type /Page\n", b"/Type /Pale\n").replace(b"endobj", b"endjob", 3)[:-200])

    assert by_ghostscript(path) != (0, "")
