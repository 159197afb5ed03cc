"""`make demo` keeps its word: all printed, one page kept, its path last, nothing left running."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from spooler.intake.check import content_of, read_request
from spooler.render import find_templates
from spooler.render.running import Sheets
from spooler.sandbox.demo import script
from tests.journeys.test_sandbox import mentions

ON_PLAIN_PAPER = {"collateral_list", "attachment"}


def test_the_demo_runs_from_start_to_end_and_leaves_one_page():
    directory = Path(tempfile.mkdtemp(prefix="certspool-", dir="/var/tmp")) / "demo"

    command = [sys.executable, "-m", "spooler.sandbox.demo", "--dir", str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)

    assert done.returncode == 0, done.stderr
    page = Path(done.stdout.splitlines()[-1])
    assert page == directory / "contact-sheet.html"
    assert page.read_text().count("data:image/webp") == sum(sides_of(errand.body) for errand in script.errands())
    assert list(directory.iterdir()) == [page]
    assert mentions(directory) == []
    shutil.rmtree(directory.parent)


def sides_of(request: dict) -> int:
    """A certificate has two sides, and a third when there is a map or plan; a proof and a slip have one; lists are beside it."""
    roles = [annex["role"] for annex in request["annexes"]]
    lists = [role for role in roles if role in ON_PLAIN_PAPER]
    if request["document"]["kind"] in ("proof", "record"):
        return 1 + len(lists) + pages_of_drawn_list(request)
    return 2 + (len(roles) > len(lists)) + len(lists)


def pages_of_drawn_list(request: dict) -> int:
    content = content_of(read_request(json.dumps(request).encode(), {}), "")
    laid = Sheets(find_templates()).collateral_list(content)
    return len(laid.leaves) if laid else 0
