"""The public page: one of four answers, nobody's name, nothing from elsewhere, and no key anywhere near it."""

import re
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from spooler.daemon.limit import Limit
from spooler.daemon.server import HttpServer
from spooler.electronic.opening import new_code
from spooler.electronic.validity import Validity
from spooler.store.electronic_changes import set_validity
from spooler.verify_page.certificates import OfStore, ReadOnly
from spooler.verify_page.router import verify_router
from tests.spooler.verify_page.conftest import REGISTRY, a_certificate

NOW = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)


def generous() -> Limit:
    return Limit(a_minute=6000, at_once=1000, all_a_second=1000)


@pytest.fixture
def serve():
    """Return a client of the page over these certificates."""
    with ExitStack() as stack:

        def make(certificates, limit=None, count=lambda answer: None) -> httpx.Client:
            app = FastAPI()
            app.include_router(verify_router(certificates, limit=limit or generous(), clock=lambda: NOW, count=count))
            server = HttpServer(app, "127.0.0.1", 0)
            server.start()
            stack.callback(server.stop)
            address = f"http://127.0.0.1:{server.port}"
            return stack.enter_context(httpx.Client(base_url=address, trust_env=False, timeout=30))

        yield make


@pytest.fixture(params=["of the home", "a process of its own"])
def client(request, codes, serve):
    """The same answers from both places where the page is served."""
    return serve(OfStore(codes.store.electronics) if request.param == "of the home" else ReadOnly(codes.url))


@pytest.mark.parametrize(
    ("which", "status", "chinese", "english"),
    [
        ("genuine", 200, "真实有效", "Genuine and valid"),
        ("withdrawn", 200, "已注销", "Withdrawn"),
        ("superseded", 200, "已被取代", "Superseded"),
        ("unknown", 404, "查无此证", "Unknown"),
    ],
)
def test_each_code_has_its_answer_chinese_first(client, codes, which, status, chinese, english):
    code = getattr(codes, which, None) or new_code()

    first, other = client.get(f"/verify/{code}"), client.get(f"/verify/{code}?lang=en")

    assert (first.status_code, other.status_code) == (status, status)
    assert f"<h1>{chinese}</h1>" in first.text and '<html lang="zh-CN">' in first.text
    assert f"<h1>{english}</h1>" in other.text and '<html lang="en">' in other.text
    assert (REGISTRY in first.text) == (which != "unknown")


def test_it_shows_what_is_compared_and_no_person(client, codes):
    """Kind, number, registry, booking date, and when it was asked: no holder, no place, no unit, no request, no hall."""
    page = client.get(f"/verify/{codes.genuine}").text

    shown = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page))

    assert shown == {
        "证照": "不动产登记证明",
        "编号": "黑（2026）望奎县不动产证明第0000001号",
        "登记机构": REGISTRY,
        "登簿日期": "2026年3月2日",
        "查询时间": "2026-11-22 09:02:03",
    }


@pytest.mark.parametrize("code", ["", "x", "A" * 26, "../../etc/passwd", "%27%20OR%201=1", "<script>", "a" * 5000])
def test_what_is_no_code_is_unknown_or_asked_for(client, code):
    answer = client.get(f"/verify/{code}")

    assert answer.status_code in (307, 404)
    assert "<script" not in answer.text


def test_nothing_is_fetched_runs_or_frames(client, codes):
    for path in (f"/verify/{codes.genuine}", f"/verify/{new_code()}", "/verify"):
        answer = client.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert not re.search(r"(?:src|href)=\"(?!/verify)[^\"]", answer.text)
        assert "<script" not in answer.text and "set-cookie" not in answer.headers


def test_a_code_can_be_typed_as_people_type(client, codes):
    """Capitals, spaces, the whole address: it is found all the same."""
    typed = f" https://zs.example/verify/{codes.genuine.upper()} "

    answer = client.get("/verify", params={"code": typed, "lang": "en"})

    assert (answer.status_code, answer.headers["location"]) == (303, f"/verify/{codes.genuine}?lang=en")


def test_who_asks_too_often_waits(codes, serve):
    counted = []
    client = serve(OfStore(codes.store.electronics), Limit(a_minute=60, at_once=3, all_a_second=100), counted.append)

    answers = [client.get(f"/verify/{codes.genuine}") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].headers["retry-after"] and REGISTRY not in answers[-1].text
    assert counted == ["genuine", "genuine", "genuine", "busy"]


def test_permits_come_back_and_a_household_shares_them():
    now = [0.0]
    limit = Limit(a_minute=60, at_once=2, all_a_second=100, seconds=lambda: now[0])

    assert [limit.allows("10.0.0.1") for _ in range(3)] == [True, True, False]
    assert limit.allows("10.0.0.2")
    now[0] = 1.0
    assert [limit.allows("10.0.0.1") for _ in range(2)] == [True, False]
    assert [limit.allows(f"2001:db8::{n}") for n in range(1, 4)] == [True, True, False]


def test_all_together_have_a_limit_too():
    limit = Limit(a_minute=60, at_once=5, all_a_second=10, seconds=lambda: 0.0)

    assert sum(limit.allows(f"10.0.{n}.1") for n in range(100)) == 10


def test_a_store_that_fails_never_says_unknown(tmp_path, serve):
    """An answer about a certificate is given only by a store that could be read."""
    url = f"sqlite:///{tmp_path}/empty.db"
    create_engine(url).connect().close()
    (tmp_path / "empty.db").touch()

    answer = serve(ReadOnly(url)).get(f"/verify/{new_code()}")

    assert answer.status_code == 503
    assert "暂时无法查询" in answer.text and "查无此证" not in answer.text


def test_the_process_can_only_read(codes, tmp_path):
    """Whatever goes wrong in the page, it cannot make a certificate genuine."""
    certificates = ReadOnly(codes.url)

    with pytest.raises(OperationalError, match="readonly"), certificates._engine.begin() as connection:
        connection.execute(text("UPDATE electronic SET validity = 'genuine'"))
    certificates.close()


def test_a_change_shows_at_once(codes, serve):
    """The page asks the store each time: a withdrawal is public as soon as it is committed."""
    job_id, code = a_certificate(codes.store, 77)
    client = serve(ReadOnly(codes.url))
    assert "真实有效" in client.get(f"/verify/{code}").text

    with codes.store.changing() as change:
        set_validity(change.connection, job_id, Validity.WITHDRAWN, change.now - timedelta(seconds=1))

    assert "已注销" in client.get(f"/verify/{code}").text
