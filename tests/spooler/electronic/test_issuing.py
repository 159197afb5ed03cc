"""An electronic certificate is there as soon as its job is kept, and always shows how it stands."""

import json
import subprocess
from datetime import UTC, datetime
from io import BytesIO
from uuid import uuid4

import page
import pikepdf
import pypdf
import pytest
import zxingcpp
from asn1crypto import pem
from asn1crypto.x509 import Certificate
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from spooler.cli.verify import judge
from spooler.electronic.identifier import is_identifier
from spooler.job import JobState
from spooler.metrics import StoreFigures
from spooler.seal.electronic import seal_electronic
from spooler.store.values import Refusal, Update
from spooler.wire.document import read_document
from spooler.wire.messages import Received
from spooler.wire.refusal import Refusal as Refused
from tests.spooler.api.hall_side import about, sealed
from tests.spooler.api.sending import post
from tests.spooler.electronic.conftest import ADDRESS
from tests.spooler.intake.build import changed, sample
from tests.spooler.render.builders import a_content, raster, squeezed, text_of

HOUSE = changed(sample("house"), "hall", "231282-01")
PLAIN = changed(HOUSE, "annexes", [])
ELSEWHERE = sample("no-annex")
PROOF = sample("mortgage")


def text(answer) -> str:
    return text_of(answer.content)


def failures(pdf: bytes) -> list[str]:
    report = page.validate_pdf_bytes(pdf, profile=page.ValidationProfile.PDF_A_3B)
    assert report.rules.total > 100
    return [f"{failure.rule_id}: {failure.message}" for failure in report.failures]


def move(electronics, job, **update) -> None:
    with electronics.home.store.changing() as change:
        change.move(job["job_id"], Update(**update))


def test_it_is_there_before_any_paper(issued):
    """Booked, so issued: the job is still accepted, and the certificate can be fetched."""
    answer = issued.answer

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert issued.home.client.get(f"/v1/jobs/{issued.job['job_id']}").json()["state"] == "accepted"
    assert is_identifier(answer.headers["certificate-identifier"])
    assert ".000000001.001." in answer.headers["certificate-identifier"]
    assert answer.headers["certificate-validity"] == "genuine"
    assert answer.headers["certificate-identifier"] in text(answer)


def test_it_is_a_full_face(issued):
    """Title, number, every label and value, the statement, the date; no 编号, no 监制."""
    found = text(issued.answer)

    assert "不动产权证书(电子)" in found
    for value in HOUSE["document"]["fields"].values():
        assert squeezed(value) in found
    for label in (
        "权利人",
        "共有情况",
        "坐落",
        "不动产单元号",
        "权利类型",
        "权利性质",
        "用途",
        "面积",
        "使用期限",
        "附记",
    ):
        assert label in found
    assert "黑（2025）望奎县不动产权第0000101号" in found and "2025年03月10日" in found
    assert "监制" not in found and "编号№" not in found and "编号 №" not in found
    assert found.index("权利其他状况") < found.index("附记")


def test_pypdf_reads_the_same(issued):
    first = squeezed(pypdf.PdfReader(BytesIO(issued.pdf)).pages[0].extract_text())

    for value in HOUSE["document"]["fields"].values():
        assert squeezed(value) in first


def test_maps_are_on_the_second_page(issued):
    with pikepdf.open(BytesIO(issued.pdf)) as pdf:
        sizes = [tuple(round(float(x) / 72 * 25.4) for x in list(sheet.mediabox)[2:]) for sheet in pdf.pages]
    assert sizes == [(297, 210), (297, 210)]
    assert "附图" in text_of(issued.pdf, "-f", "2")


def test_no_rule_of_pdf_a_3b_fails_and_it_is_one_revision(issued, electronics):
    for file in (issued.pdf, electronics.get(electronics.accept(PROOF)).content):
        assert failures(file) == []
        assert PdfFileReader(BytesIO(file)).total_revisions == 1


def test_the_validator_would_have_seen_it(issued):
    """It fails what we make for printers: no colour intent, no metadata."""
    home = issued.home.home
    printed = home.documents.read(home.store.jobs.work(issued.job["job_id"]).unsigned_sha256)

    assert failures(printed) != []


def ending_in_cr(pdf: bytes) -> bytes:
    """The file with a stream behind its last page whose own last byte is CR, as one deflated in 256 has."""
    out = BytesIO()
    with pikepdf.open(BytesIO(pdf)) as document:
        document.pages[-1].contents_add(document.make_stream(b"q Q\r"))
        document.save(out, compress_streams=False)
    return out.getvalue()


def test_a_stream_may_end_in_any_byte(faces, office, monkeypatch):
    """CR and then LF would be one end of a line: pyHanko's own would fail the rule of lengths."""
    face = ending_in_cr(faces.draw(a_content("certificate")))

    assert failures(seal_electronic(face, {"v": 1}, office.seal_key())) == []
    monkeypatch.setattr("spooler.seal.seal._Output", BytesIO)
    (failure,) = failures(seal_electronic(face, {"v": 1}, office.seal_key()))
    assert failure.startswith("PDFA3B-STREAM-LENGTH-001")


def test_the_code_leads_to_the_page(issued):
    """What a phone reads off the first page is the public page's address with this certificate's code."""
    (read,) = zxingcpp.read_barcodes(raster(issued.pdf, 1, 200))

    assert read.text == f"{ADDRESS}/verify/{issued.home.home.store.electronics.of_job(issued.job['job_id']).code}"


def test_the_seal_is_the_registrys_and_a_changed_byte_breaks_it(issued, office):
    sealed = issued.pdf

    verdict = judge(sealed, office.trust)

    assert verdict.genuine and verdict.registry == "231221"
    assert is_identifier(verdict.ticket["identifier"])
    at = sealed.index(b"stream") + 40
    broken = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
    assert not judge(broken, office.trust).genuine
    assert not judge(sealed + b"\n", office.trust).genuine


def test_poppler_and_pyhanko_call_it_valid(issued, office, tmp_path):
    """Two readers that are not ours agree: one signature, valid, over the whole file, by somebody trusted."""
    document = tmp_path / "certificate.pdf"
    document.write_bytes(issued.pdf)
    roots = [Certificate.load(der) for _, _, der in pem.unarmor(office.trust.roots_pem, multiple=True)]
    (signature,) = PdfFileReader(BytesIO(issued.pdf)).embedded_signatures

    said = subprocess.run(["pdfsig", "-nocert", str(document)], capture_output=True, text=True, check=True).stdout
    status = validate_pdf_signature(signature, ValidationContext(trust_roots=roots, allow_fetching=False))

    assert "Signature is Valid" in said and "Total document signed" in said and said.count("Signature #") == 1
    assert "ETSI.CAdES.detached" in said
    assert status.bottom_line and status.coverage is SignatureCoverageLevel.ENTIRE_FILE


def test_a_hall_would_never_print_it(issued):
    """It holds no ticket."""
    sealed = issued.pdf

    with pytest.raises(Refused) as caught:
        read_document(sealed)
    assert caught.value.code == "ticket-embedded"


def test_what_is_attached_names_no_person(issued):
    sealed = issued.pdf

    with pikepdf.open(BytesIO(sealed)) as pdf:
        attached = json.loads(pdf.attachments["electronic.json"].get_file().read_bytes())

    assert set(attached) == {
        *("v", "identifier", "registry", "kind", "number", "version", "booked_on", "validity", "issued_at", "verify"),
    }
    assert HOUSE["document"]["fields"]["holder"] not in json.dumps(attached, ensure_ascii=False)


def test_a_withdrawn_one_says_so_across_every_page(electronics):
    """注销: the next edition, under the next identifier; nobody gets the old file any more."""
    job = electronics.accept(HOUSE)
    before = electronics.get(job).headers["certificate-identifier"]
    assert "已注销" not in text(electronics.get(job))

    withdrawn = electronics.client.post(f"/v1/jobs/{job['job_id']}/withdraw", json={"reason": "注销"})
    assert withdrawn.json()["outcome"] == "withdrawn"
    stale = electronics.get(job)
    electronics.issuer.work_off()
    answer = electronics.get(job)

    assert (stale.status_code, stale.json()["code"]) == (409, "not-ready")
    assert answer.headers["certificate-validity"] == "withdrawn"
    assert answer.headers["certificate-identifier"] != before
    assert is_identifier(answer.headers["certificate-identifier"])
    for number in ("1", "2"):
        assert "已注销" in text_of(answer.content, "-f", number, "-l", number)
    assert failures(answer.content) == []
    assert [file.shows for file in electronics.home.store.electronics.files(job["job_id"])] == ["genuine", "withdrawn"]


def test_a_hold_leaves_it_valid(electronics):
    """查封 forbids a transfer; the right and its certificate stand."""
    job = electronics.accept(PLAIN)
    electronics.client.post(f"/v1/jobs/{job['job_id']}/hold", json={"reason": "查封"})
    electronics.issuer.work_off()

    answer = electronics.get(job)

    assert (answer.status_code, answer.headers["certificate-validity"]) == (200, "genuine")
    assert "查封" not in electronics.page(job)


def test_cancelling_the_paper_leaves_it_valid_and_the_right_may_still_end(electronics):
    """A registered right stays; the job's paper was cancelled. When the right ends later, so does the certificate."""
    job = electronics.accept(PLAIN)
    electronics.client.post(f"/v1/jobs/{job['job_id']}/cancel", json={"reason": "不打印"})
    electronics.issuer.work_off()
    assert electronics.get(job).headers["certificate-validity"] == "genuine"

    ended = electronics.client.post(f"/v1/jobs/{job['job_id']}/withdraw", json={"reason": "注销"})
    electronics.issuer.work_off()

    again = electronics.client.post(f"/v1/jobs/{job['job_id']}/withdraw", json={"reason": "注销"})
    assert (ended.json()["outcome"], ended.json()["state"]) == ("withdrawn", "cancelled")
    assert (again.status_code, again.json()["outcome"]) == (200, "withdrawn")
    assert "已注销" in text(electronics.get(job))
    events = electronics.client.get(f"/v1/jobs/{job['job_id']}/events").json()["events"]
    assert events[-1]["actor"]["id"] == "clerk" and events[-1]["detail"] == "electronic certificate withdrawn"


def test_the_same_number_requested_anew_takes_its_place(electronics):
    """Of one right there is one certificate that is genuine, also after its paper was cancelled."""
    job = electronics.accept(PLAIN)
    electronics.client.post(f"/v1/jobs/{job['job_id']}/cancel", json={"reason": "重发"})

    again = electronics.accept(changed(PLAIN, "request_id", "again-1"))

    assert (electronics.validity(job), electronics.validity(again)) == ("superseded", "genuine")
    assert "已被取代" in text(electronics.get(job))
    assert "已被取代" in electronics.page(job) and "真实有效" in electronics.page(again)


def test_what_a_hall_returned_as_wrong_is_withdrawn_and_a_refused_grant_is_not(electronics):
    returned, ungranted = electronics.accept(PLAIN), electronics.accept(PROOF)

    move(electronics, returned, state=JobState.REFUSED, refusal=Refusal("returned-by-hall", ""))
    move(electronics, ungranted, state=JobState.REFUSED, refusal=Refusal("grant-withdrawn", ""))

    assert (electronics.validity(returned), electronics.validity(ungranted)) == ("withdrawn", "genuine")


def test_a_job_that_is_superseded_takes_its_certificate_with_it(electronics):
    job = electronics.accept(PLAIN)
    for state in (JobState.SEALED, JobState.RECEIVED, JobState.PRINTING, JobState.PRINTED, JobState.ISSUED):
        move(electronics, job, state=state)
    assert electronics.validity(job) == "genuine"

    move(electronics, job, state=JobState.SUPERSEDED)

    assert electronics.validity(job) == "superseded"


def test_serials_count_on_within_issuer_and_kind(electronics):
    first = electronics.accept(PLAIN)
    electronics.client.post(f"/v1/jobs/{first['job_id']}/cancel", json={"reason": "重发"})
    second = electronics.accept(changed(PLAIN, "request_id", "again-1"))
    proof = electronics.accept(PROOF)

    serials = [electronics.get(job).headers["certificate-identifier"].split(".")[-3] for job in (first, second, proof)]

    assert serials == ["000000001", "000000002", "000000001"]


def test_it_is_409_until_made_and_404_where_there_is_none(electronics):
    waiting = post(electronics.client, PLAIN).json()
    assert (electronics.get(waiting).status_code, electronics.get(waiting).json()["code"]) == (409, "not-ready")

    of_a_registry_that_issues_none = post(electronics.client, ELSEWHERE).json()
    for job, code in ((of_a_registry_that_issues_none, "no-electronic"), ({"job_id": str(uuid4())}, "not-found")):
        assert (electronics.get(job).status_code, electronics.get(job).json()["code"]) == (404, code)


@pytest.mark.parametrize(
    ("who", "status"), [("reader", 200), ("north", 200), ("hall", 403), ("submitter", 404), (None, 401)]
)
def test_only_readers_of_the_registry_fetch_it(electronics, who, status):
    job = electronics.accept(PLAIN)

    with electronics.home.client(who) as client:
        assert client.get(f"/v1/electronic/{job['job_id']}").status_code == status


def test_one_that_cannot_be_made_stands_in_no_others_way(electronics, monkeypatch):
    """It is alarmed once and tried again; its job goes on, and so do others."""
    broken = post(electronics.client, PLAIN).json()
    draw = electronics.issuer._draw

    def failing(content, facts):
        if content.kind == "certificate":
            raise OSError("disk")
        return draw(content, facts)

    monkeypatch.setattr(electronics.issuer, "_draw", failing)
    proof = electronics.accept(PROOF)
    assert (electronics.get(proof).status_code, electronics.get(broken).status_code) == (200, 409)

    monkeypatch.setattr(electronics.issuer, "_draw", draw)
    monkeypatch.setattr(electronics.issuer, "_clock", lambda: datetime(2100, 1, 1, tzinfo=UTC))
    electronics.issuer.work_off()

    assert electronics.get(broken).status_code == 200


def test_making_it_twice_keeps_one(electronics):
    """A crash between making and noting repeats the work: one edition, one file."""
    job = post(electronics.client, PLAIN).json()
    (due,) = electronics.home.store.electronics.due(datetime.now(UTC))

    for _ in range(2):
        electronics.issuer._issue(due)

    assert [file.edition for file in electronics.home.store.electronics.files(job["job_id"])] == [1]
    assert electronics.get(job).status_code == 200


def test_how_many_there_are_is_a_metric(electronics):
    job = electronics.accept(PLAIN)
    electronics.client.post(f"/v1/jobs/{job['job_id']}/cancel", json={"reason": "重发"})
    post(electronics.client, changed(PLAIN, "request_id", "again-1"))
    figures = StoreFigures(store=electronics.home.store, clock=lambda: datetime.now(UTC))

    found = {
        (sample.name, sample.labels.get("validity", "")): sample.value
        for metric in figures.collect()
        for sample in metric.samples
    }

    assert found["certspool_electronic", "genuine"] == found["certspool_electronic", "superseded"] == 1
    assert found["certspool_electronic_waiting", ""] == 2  # the new one, and the old one anew
    assert 0 <= found["certspool_electronic_wait_age_seconds", ""] < 60


def test_a_withdrawal_shows_before_the_hall_has_answered(electronics):
    """The right is gone by the registry's own word; a hall that is silent for days keeps no certificate genuine."""
    job = electronics.accept(PLAIN)
    order = sealed(electronics.home, job)
    about(electronics.home, job, order, Received, "waiting", identity="0" * 64)

    asked = electronics.client.post(f"/v1/jobs/{job['job_id']}/withdraw", json={"reason": "注销"})
    electronics.issuer.work_off()

    assert (asked.status_code, asked.json()["outcome"]) == (202, "pending")
    assert electronics.validity(job) == "withdrawn"
    assert "已注销" in electronics.page(job) and "已注销" in text(electronics.get(job))
