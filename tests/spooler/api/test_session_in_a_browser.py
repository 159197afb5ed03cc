"""What a real browser sends for another site's page to a home where somebody is logged in: nothing is changed by it."""

from collections.abc import Iterator
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from spooler.daemon.server import HttpServer
from tests.spooler.api.sending import post
from tests.spooler.api.test_session import NORTH, a_place
from tests.spooler.daemon.login.build import PASSWORD
from tests.spooler.verify_page.browser import Page, browsing

# A form that any site may have: its one field is sent as it is written, which is JSON.
FORM = """<!doctype html><form method="post" enctype="text/plain" action="{action}">
<input name='{{"reason": "' value='a typing error"}}'><button>登录抽奖</button></form>"""


@pytest.fixture(scope="module")
def home(tmp_path_factory, layout) -> Iterator[SimpleNamespace]:
    yield from a_place(tmp_path_factory.mktemp("home"), layout)


@pytest.fixture(scope="module")
def job(home) -> str:
    with home.home.client() as clerk:
        return str(post(clerk, NORTH).json()["job_id"])


@pytest.fixture(scope="module")
def evil(home, job) -> Iterator[int]:
    """The port of another site, which knows the job's id."""
    site = FastAPI()
    form = FORM.format(action=f"{home.home.url}/v1/jobs/{job}/cancel")
    site.get("/", response_class=HTMLResponse)(lambda: form)
    server = HttpServer(site, "127.0.0.1", 0)
    server.start()
    yield server.port
    server.stop()


@pytest.fixture(scope="module")
def browser(home, tmp_path_factory) -> Iterator[Page]:
    """A browser in which somebody is logged in at home."""
    with httpx.Client(base_url=home.home.url, trust_env=False) as client:
        client.post("/v1/session", json={"account": "zhang.201", "password": PASSWORD}).raise_for_status()
        token = client.cookies[home.door.cookie]
    with browsing(tmp_path_factory.mktemp("profile")) as page:
        cookie = {"name": home.door.cookie, "value": token, "url": home.home.url}
        page._call("Network.setCookie", **cookie, httpOnly=True, sameSite="Strict")
        yield page


@pytest.mark.attack_row("S34")
@pytest.mark.parametrize(
    ("host", "code"),
    [("localhost", "unauthenticated"), ("127.0.0.1", "cross-site")],
    ids=["another site, to which the cookie is not sent", "another port of the same host, to which it is"],
)
def test_a_form_of_another_page_cancels_nothing(browser, home, job, evil, host, code):
    browser.visit(f"{home.home.url}/v1/session")
    assert '"id":"zhang.201"' in browser.text()

    browser.visit(f"http://{host}:{evil}/")
    browser.click("button")

    assert f'"code":"{code}"' in browser.text()
    with home.home.client() as clerk:
        assert clerk.get(f"/v1/jobs/{job}").json()["state"] == "accepted"


@pytest.mark.attack_row("S34")
def test_no_script_reads_the_cookie(browser, home):
    browser.visit(f"{home.home.url}/v1/session")

    assert browser.run("document.cookie") == ""
