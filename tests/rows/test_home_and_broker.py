"""Home, broker and hall as they are, with one of them failing: F1, F2, F3, F6, F13, F14 of docs/fault-rows.md."""

import base64
import random
from hashlib import sha256
from io import BytesIO
from typing import Any

import pikepdf
import pytest

from spooler.api.bodies import MAX_BODY_BYTES
from spooler.intake.annexes import MAX_ANNEX_BYTES
from spooler.sandbox.broker import control
from spooler.wire.envelope import MAX_WRAPPED_BYTES
from spooler.wire.letters import Letter
from spooler.wire.link import PikaLink
from spooler.wire.topology import ORDERS, hall_queue, hall_user, to_hall
from tests.journeys.build import a_proof
from tests.rows.conftest import MOST_WAITING_LETTERS
from tests.rows.installation import Installation
from tests.sealing import HALL, HOME
from tests.spooler.core.process import until

AN_ORDER = 10_000  # bytes: more than any event


@pytest.mark.fault_row("F1")
def test_a_home_killed_between_commit_and_publish_sends_the_order_once_it_is_back(installation: Installation) -> None:
    """The letter is durable before anything is sent: kill -9 while it lies in the outbox, one delivery, one sheet."""
    home, hall = installation.home, installation.hall
    installation.network.refuse()
    job = installation.post(a_proof())
    order_id = installation.order_of(job)
    assert until(lambda: home.job(job["job_id"])["state"] == "sealed")

    home.kill()
    installation.network.accept()
    home.start()

    assert until(lambda: hall.sheets(order_id) == 1)
    home.wait_ready()
    assert until(lambda: installation.is_printed(job))
    assert (hall.delivered[order_id], hall.sheets(order_id)) == (1, 1)


@pytest.mark.fault_row("F2")
def test_a_home_killed_before_the_confirm_sends_the_same_order_again_and_one_sheet_comes_out(
    installation: Installation,
) -> None:
    """It cannot know whether the broker took it, so it sends it under its id; the hall knows it by what is inside."""
    home, hall = installation.home, installation.hall
    installation.network.swallow_answers_to(AN_ORDER)
    job = installation.post(a_proof())
    order_id = installation.order_of(job)
    assert until(lambda: hall.delivered[order_id] == 1)

    home.kill()
    installation.network.let_answers_pass()
    home.start()

    assert until(lambda: hall.delivered[order_id] == 2)
    home.wait_ready()
    assert until(lambda: installation.is_printed(job))
    assert (hall.sheets(order_id), hall.received(order_id)) == (1, 1)


@pytest.mark.fault_row("F3")
def test_after_a_lost_confirm_the_order_is_sent_again_and_one_sheet_comes_out(installation: Installation) -> None:
    hall = installation.hall
    installation.network.swallow_answers_to(AN_ORDER)
    job = installation.post(a_proof())
    order_id = installation.order_of(job)
    assert until(lambda: hall.delivered[order_id] == 1)

    installation.network.let_answers_pass()
    installation.network.cut()

    assert until(lambda: hall.delivered[order_id] == 2)
    assert until(lambda: installation.is_printed(job))
    assert (hall.sheets(order_id), hall.received(order_id)) == (1, 1)


@pytest.mark.fault_row("F3")
def test_an_order_cut_off_in_mid_frame_arrives_whole_and_once(installation: Installation) -> None:
    """Half an order is no order: the broker drops it, home sends it again."""
    hall = installation.hall
    installation.network.cut_after(150_000)

    job = installation.post(with_annex(a_proof(), 400_000))

    assert until(lambda: installation.is_printed(job))
    order_id = installation.order_of(job)
    assert until(lambda: hall.sheets(order_id) == 2)  # the proof, and its list on plain paper
    assert (hall.delivered[order_id], hall.received(order_id)) == (1, 1)


@pytest.mark.fault_row("F6")
def test_with_the_broker_short_of_memory_home_takes_what_it_may_keep_and_goes_on_by_itself(
    installation: Installation,
) -> None:
    """201 while there is room in the outbox, then 503 with Retry-After; when the alarm is over everything goes, and the refused one too."""
    assert until(lambda: installation.depth() == 0)
    broker = installation.host.broker
    control(broker, "set_vm_memory_high_watermark", "0")
    try:
        taken, refused, request = take_until_refused(installation)
    finally:
        control(broker, "set_vm_memory_high_watermark", "0.4")

    assert len(taken) >= MOST_WAITING_LETTERS // 4
    assert (refused.status_code, refused.json()["code"]) == (503, "try-later")
    assert int(refused.headers["Retry-After"]) > 0
    assert str(MOST_WAITING_LETTERS) in refused.json()["detail"]
    for job in taken:
        assert until(lambda job=job: installation.is_printed(job), 60)  # type: ignore[misc]
        order_id = installation.order_of(job)
        assert installation.hall.sheets(order_id) == 1
    assert until(lambda: installation.depth() == 0)
    job = installation.post(request)
    assert until(lambda: installation.is_printed(job))


def take_until_refused(installation: Installation) -> tuple[list[dict[str, Any]], Any, dict[str, Any]]:
    taken: list[dict[str, Any]] = []
    for _ in range(2 * MOST_WAITING_LETTERS):
        request = a_proof()
        answer = installation.home.client.post("/v1/jobs", json=request)
        if answer.status_code != 201:
            return taken, answer, request
        taken.append(answer.json())
        installation.order_of(answer.json())  # its letters are in the outbox
    raise AssertionError("never refused")


@pytest.mark.fault_row("F13")
def test_an_order_that_dies_in_the_broker_is_told_to_its_job_until_the_hall_has_it(installation: Installation) -> None:
    """Dead-lettered by RabbitMQ itself, read by the home: alarm, metric, `needs-attention`; nothing is silent."""
    home, hall = installation.home, installation.hall
    hall.courier.step_aside(1.5)
    assert until(lambda: not hall.courier.is_connected)
    reader = PikaLink(installation.host.address(hall_user(HALL)), [hall_queue(HALL)], name="gives up")
    reader.open()
    job = installation.post(a_proof())
    delivery = reader.receive(30)
    assert delivery is not None

    reader.reject(delivery)
    reader.close()

    assert until(lambda: "needs-attention" in home.job(job["job_id"])["reasons"])
    assert 'certspool_dead_letters{type="order"} 1.0' in home.client.get("/metrics").text
    assert 'certspool_alarms_total{code="dead-letter"' in home.client.get("/metrics").text
    assert '"dead-letter"' in home.log
    link = PikaLink(installation.host.address("home"), name="again")
    link.open()
    link.publish(Letter(delivery.id, ORDERS, to_hall(HOME, HALL), delivery.type, delivery.body, dict(delivery.headers)))
    link.close()
    assert until(lambda: installation.is_printed(job))
    assert "needs-attention" not in home.job(job["job_id"])["reasons"]


@pytest.mark.fault_row("F14")
def test_the_largest_order_that_is_taken_crosses_the_wire_and_a_larger_one_is_refused_with_limit_and_size(
    installation: Installation,
) -> None:
    """What is answered 201 fits into a message of 12 MiB with seal, ticket and wrapping; the rest is 413 and nothing is kept."""
    hall = installation.hall
    job = installation.post(with_annex(a_proof(), MAX_ANNEX_BYTES))
    order_id = installation.order_of(job)
    assert until(lambda: hall.sheets(order_id) > 0, 60)
    assert MAX_ANNEX_BYTES < hall.wrapped_bytes(order_id) <= MAX_WRAPPED_BYTES

    too_large = installation.home.client.post("/v1/jobs", json=with_annex(a_proof(), MAX_ANNEX_BYTES + 1))
    far_too_large = installation.home.client.post("/v1/jobs", content=b" " * (MAX_BODY_BYTES + 1))

    assert (too_large.status_code, too_large.json()["limit"]) == (413, MAX_ANNEX_BYTES)
    assert str(MAX_ANNEX_BYTES + 1) in too_large.json()["detail"]
    assert (far_too_large.status_code, far_too_large.json()["limit"]) == (413, MAX_BODY_BYTES)
    assert str(MAX_BODY_BYTES + 1) in far_too_large.json()["detail"]


def with_annex(request: dict[str, Any], size: int) -> dict[str, Any]:
    """The request with a list of one page, exactly so long."""
    content = a_list(size)
    annex = {
        "role": "attachment",
        "name": "list.pdf",
        "media_type": "application/pdf",
        "sha256": sha256(content).hexdigest(),
        "bytes": len(content),
        "content": base64.b64encode(content).decode(),
    }
    return {**request, "annexes": [annex]}


def a_list(size: int) -> bytes:
    """A page with a picture of noise, which nothing makes smaller; the file is exactly so long."""
    noise = size - 1000
    while (found := len(content := _noise_page(noise))) != size:
        noise += size - found
    return content


def _noise_page(noise: int) -> bytes:
    rows = noise // 1000
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(595, 842))
        picture = pikepdf.Stream(pdf, random.Random(noise).randbytes(noise))
        picture.Type, picture.Subtype, picture.ColorSpace = (
            pikepdf.Name.XObject,
            pikepdf.Name.Image,
            pikepdf.Name.DeviceGray,
        )
        picture.Width, picture.Height, picture.BitsPerComponent = 1000, rows, 8
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Noise=picture))
        page.Contents = pdf.make_stream(b"q 500 0 0 700 40 40 cm /Noise Do Q")
        out = BytesIO()
        pdf.save(out, compress_streams=False, object_stream_mode=pikepdf.ObjectStreamMode.disable, static_id=True)
    return out.getvalue()
