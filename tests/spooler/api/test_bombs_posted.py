"""Hostile annexes posted side by side: each is refused by its name, and whoever asks after the home's health is answered at once."""

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import monotonic

import pytest

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
    """Return how long each question after the home's health took."""
    requests = [with_bomb(bomb, n) for n, bomb in enumerate(POSTED)]
    over = Event()
    with ThreadPoolExecutor(MORE_THAN_THREADS + 1) as pool:
        asked = pool.submit(asked_until, home, over)
        answers = [*pool.map(lambda request: posted(home, request), requests)]
        over.set()
        took = asked.result()

    print(f"\n{len(answers)} bombs, {len(took)} answers, longest {max(took) * 1000:.0f} ms")
    assert answers == [(422, "annexes.0", bomb.code) for bomb in POSTED]
    return took


def posted(home, request) -> tuple[int, str, str]:
    with home.client() as client:
        answer = client.post("/v1/jobs", json=request)
    (error,) = answer.json()["errors"]
    return answer.status_code, error["field"], error["code"]


def asked_until(home, over: Event) -> list[float]:
    took = []
    with home.client(None) as client:
        while not over.wait(0.05):
            begun = monotonic()
            assert client.get("/healthz").status_code == 200
            took.append(monotonic() - begun)
    return took
