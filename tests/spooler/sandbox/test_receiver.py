"""The registration system's end of the callbacks."""

import json
import threading
from datetime import UTC, datetime

import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from spooler.sandbox.ports import free_ports
from spooler.sandbox.receiver import Receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVENT = {"type": "job.received", "timestamp": "2026-01-02T03:04:05Z", "data": {"job_id": "j", "sequence": 4}}


@pytest.fixture
def receiver(tmp_path):
    server = Receiver(free_ports(1)[0], SECRET, tmp_path / "received.jsonl")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(10)


def tell(receiver, event, *, secret=SECRET):
    body = json.dumps(event)
    now = datetime.now(UTC)
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign("evt_1", now, body),
    }
    return httpx.post(f"http://127.0.0.1:{receiver.server_port}/callbacks", content=body, headers=headers)


def test_what_was_told_is_a_line_of_the_file(receiver, tmp_path):
    answer = tell(receiver, EVENT)

    assert answer.status_code == 204
    (line,) = (tmp_path / "received.jsonl").read_text().splitlines()
    assert {"id": "evt_1", **EVENT}.items() <= json.loads(line).items()


def test_a_callback_that_is_not_signed_by_home_is_refused(receiver, tmp_path):
    answer = tell(receiver, EVENT, secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx")

    assert answer.status_code == 401
    assert not (tmp_path / "received.jsonl").exists()
