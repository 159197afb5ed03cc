"""Hostile annexes posted side by side: each is refused by its name, and whoever asks after the home's health is answered at once."""

import base64
import hashlib
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from threading import Event
from time import monotonic

import httpx
import pytest

from spooler.daemon.late import settle
from tests.spooler.api.conftest import token_of
from tests.spooler.intake.build import changed, sample
from tests.spooler.render.bombs import BOMBS, Bomb

ANSWERED_SECONDS = 0.2
MORE_THAN_THREADS = 48
HOUSE = sample("house")
NAMED = {bomb.name: bomb for bomb in BOMBS}
LONG, SHORT = NAMED["1 GB in a picture of one pixel"], NAMED["forms in forms, 10^12"]
POSTED = [LONG if n % 12 == 0 else SHORT for n in range(MORE_THAN_THREADS)]


def with_bomb(bomb: Bomb, number: int) -> dict:
    content = bomb.make()
    annex = {
        "role": "parcel_map",
        "name": "map.pdf",
        "media_type": bomb.media_type,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "content": base64.b64encode(content).decode(),
    }
    return {**changed(HOUSE, "request_id", f"bomb-{number}"), "annexes": [annex]}


@pytest.mark.attack_row("S15")
def test_a_home_answers_while_bombs_are_read(home):
    """More of them than a home has threads for requests: each is refused by its own code, and health is told meanwhile."""
    assert len(_asked_beside_bombs(home)) >= 10


@pytest.mark.bench
@pytest.mark.attack_row("S15")
def test_a_home_answers_at_once_while_bombs_are_read(home):
    """On a quiet machine."""
    assert max(_asked_beside_bombs(home)) <= ANSWERED_SECONDS


def _asked_beside_bombs(home) -> list[float]:
    """Return how long each question after the home's health took. Who posts and who asks are processes of their own, as they are."""
    settle()  # as a daemon does once it is loaded; in this process all tests are loaded
    apart = get_context("spawn")
    with apart.Manager() as shared, ProcessPoolExecutor(2, mp_context=apart) as pool:
        over = shared.Event()
        asked = pool.submit(asked_until, home.url, over)
        answers = pool.submit(all_posted, home.url, token_of("clerk")).result()
        over.set()
        took = asked.result()

    ordered = sorted(took)
    half, most = ordered[len(took) // 2], ordered[-1]
    print(f"\n{len(answers)} bombs, {len(took)} answers, median {half * 1000:.0f} ms, longest {most * 1000:.0f} ms")
    assert answers == [(422, "annexes.0", bomb.code) for bomb in POSTED]
    return took


def all_posted(url: str, token: str) -> list[tuple[int, str, str]]:
    requests = [with_bomb(bomb, n) for n, bomb in enumerate(POSTED)]
    with ThreadPoolExecutor(MORE_THAN_THREADS) as pool:
        return [*pool.map(lambda request: posted(url, token, request), requests)]


def posted(url: str, token: str, request: dict) -> tuple[int, str, str]:
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.post(f"{url}/v1/jobs", json=request, headers=headers, timeout=120, trust_env=False)
    (error,) = answer.json()["errors"]
    return answer.status_code, error["field"], error["code"]


def asked_until(url: str, over: Event) -> list[float]:
    took = []
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        while not over.wait(0.05):
            begun = monotonic()
            assert client.get("/healthz").status_code == 200
            took.append(monotonic() - begun)
    return took
