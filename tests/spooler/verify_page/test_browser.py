"""The page in a real browser, served by the process that serves it in production: on a phone and on a desk."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from spooler.daemon.server import HttpServer
from spooler.electronic.opening import new_code
from spooler.sandbox.ports import free_ports
from tests.spooler.core.process import until
from tests.spooler.verify_page.browser import Page, browsing

PHONE, DESK = (390, 844), (1280, 900)


@pytest.fixture(scope="module")
def address(codes, tmp_path_factory) -> Iterator[str]:
    """Where `certspool verify-page` listens. It is given no key, no token and nothing of our environment."""
    directory = tmp_path_factory.mktemp("process")
    port, probe = free_ports(2)
    config = directory / "verify.toml"
    config.write_text(
        f'[verify]\ndatabase_url = "{codes.url}"\nlisten = "127.0.0.1:{port}"\nprobe_listen = "127.0.0.1:{probe}"\n'
        "at_once = 200\n"
    )
    command = [sys.executable, "-c", "from spooler.cli import main; main()", "verify-page", "--config", str(config)]
    with open(directory / "log", "wb") as log:
        process = subprocess.Popen(
            command, cwd=Path.cwd(), env={"PATH": os.environ["PATH"]}, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        assert until(lambda: _answers(f"http://127.0.0.1:{probe}/readyz"), 60), (directory / "log").read_text()
        yield f"http://127.0.0.1:{port}"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert re.search(r"/verify/[a-z2-7]{26}", (directory / "log").read_text()) is None
    finally:
        process.kill()
        process.wait(10)


def _answers(url: str) -> bool:
    import httpx

    try:
        return httpx.get(url, timeout=5, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[Page]:
    with browsing(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.mark.parametrize(("form", "size"), [("phone", PHONE), ("desk", DESK)])
def test_each_answer_is_seen_whole(browser, address, codes, form, size):
    """The answer stands in the first screen, nothing lies beyond the sides, letters are large enough, nothing came from elsewhere."""
    browser.size(*size, phone=form == "phone")
    wanted = {"genuine": "真实有效", "withdrawn": "已注销", "superseded": "已被取代", "unknown": "查无此证"}
    for which, says in wanted.items():
        browser.visit(f"{address}/verify/{getattr(codes, which, None) or new_code()}")

        assert browser.text("h1") == says
        assert browser.run("document.documentElement.scrollWidth <= window.innerWidth")
        assert browser.run("document.querySelector('h1').getBoundingClientRect().bottom < window.innerHeight / 2")
        assert browser.run("parseFloat(getComputedStyle(document.querySelector('section p')).fontSize) >= 16")
        assert all(url.startswith(address) for url in browser.fetched)
    assert [said for said in browser.complaints if "404" not in said and "favicon" not in said] == []


def test_the_style_is_applied_under_the_policy(browser, address, codes):
    """The page's own style is let in by its hash; one letter changed, and the browser would refuse it."""
    browser.visit(f"{address}/verify/{codes.withdrawn}")

    assert browser.run("getComputedStyle(document.querySelector('section')).borderLeftColor") == "rgb(179, 38, 30)"
    browser.run("document.head.insertAdjacentHTML('beforeend', '<style>h1{color:rgb(1, 2, 3)}</style>')")
    assert browser.run("getComputedStyle(document.querySelector('h1')).color") != "rgb(1, 2, 3)"
    browser.complaints.clear()


def test_one_press_turns_it_into_english_and_back(browser, address, codes):
    browser.visit(f"{address}/verify/{codes.genuine}")

    browser.click("header a")
    english = browser.text("h1")
    browser.click("header a")

    assert (english, browser.text("h1")) == ("Genuine and valid", "真实有效")


def test_a_code_typed_by_hand_is_found(browser, address, codes):
    browser.size(*PHONE, phone=True)
    browser.visit(f"{address}/verify")
    browser.run(f"document.querySelector('#code').value = '{codes.superseded.upper()}'")

    browser.click("form button")

    assert browser.text("h1") == "已被取代"


def test_nobody_may_frame_it(browser, address, codes):
    """A page of somebody else's that shows ours within it shows nothing."""
    framing = FastAPI()
    framing.get("/", response_class=HTMLResponse)(lambda: f"<iframe src='{address}/verify/{codes.genuine}'></iframe>")
    server = HttpServer(framing, "127.0.0.1", 0)
    server.start()

    browser.visit(f"http://127.0.0.1:{server.port}/")

    assert browser.framed() == ["chrome-error://chromewebdata/"]
    server.stop()
