"""A new hall enrols with a one-time code, with both command lines; whoever has the code and is not the hall does not (S45)."""

import json
import re
import stat
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from sqlalchemy import select
from typer.testing import CliRunner

from agents import enrol as hall_side
from agents.cli import app as agent_app
from agents.enrol import EnrolmentFailed, Place, Request
from spooler.cli.halls import app as halls_app
from spooler.daemon.limit import Limit
from spooler.seal import pki
from spooler.seal.authority import SealAlgorithm
from spooler.store import tables
from spooler.wire.enrolment import BadCode, EnrolmentCode, mac, signed_request
from spooler.wire.keys import SigningKey, WrapKey
from spooler.wire.trust import load_records
from tests.spooler.api.conftest import Home, a_home, token_of

HALL, OTHER_HALL = "231282-09", "231283-09"
NOW = datetime.now(UTC)


class Clock:
    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> datetime:
        return self.time


@dataclass
class Deployment:
    """A home that serves, the PKI directory of its operator, and a new hall's empty directory."""

    home: Home
    clock: Clock
    place: Path

    @property
    def pki(self) -> Path:
        return self.place / "pki"

    @property
    def hall(self) -> Place:
        return Place(self.place / "hall")

    def operator(self, *arguments: str | Path):
        token = self.place / "approver.token"
        token.write_text(token_of("approver"))
        session = ("--api", self.home.url, "--token-file", str(token))
        return CliRunner().invoke(halls_app, [*map(str, arguments), *session])

    def code(self, hall: str = HALL, **options: str) -> EnrolmentCode:
        more = [part for name, value in options.items() for part in (f"--{name}", value)]
        given = self.operator("code", hall, "--json", *more)
        assert given.exit_code == 0, given.output
        return EnrolmentCode.parse(json.loads(given.output)["code"])

    def agent(self, code: EnrolmentCode | str, place: Place | None = None):
        where = str((place or self.hall).directory)
        enrol = ["enrol", str(code), "--home", self.home.url, "--dir", where, "--minutes", "0"]
        return CliRunner().invoke(agent_app, enrol)

    def asked(self, code: EnrolmentCode, place: Place | None = None) -> Request:
        request = hall_side.prepare(place or self.hall, code.hall, self.clock())
        hall_side.ask(self.home.url, code, request)
        return request

    def accept(self, fingerprint: str, hall: str = HALL):
        return self.operator("accept", hall, "--dir", self.pki, "--fingerprint", fingerprint)

    @property
    def alarms(self) -> list[tuple[str, str | None]]:
        """Return hall and reason of each refusal."""
        columns = tables.alarms.c
        with self.home.store.transactions.reading() as connection:
            rows = connection.execute(select(columns.hall, columns.detail, columns.code)).all()
        return [(row.hall, row.detail) for row in rows if row.code == "enrolment-refused"]

    @property
    def is_recorded(self) -> bool:
        return HALL in load_records(self.pki / "trust").halls


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> Path:
    registry = pki.NewRegistry("231221", "望奎县", "黑", "望奎县")
    place = tmp_path_factory.mktemp("keys")
    pki.init(place, [registry], [], now=NOW - timedelta(days=1), algorithm=SealAlgorithm.P_256, signed=True)
    return place


@pytest.fixture
def deployment(tmp_path, layout, keys):
    import shutil

    shutil.copytree(keys, tmp_path / "pki")
    clock = Clock()
    home = a_home(tmp_path, layout, clock=clock)
    yield Deployment(home, clock, tmp_path)
    home.close()


def test_a_hall_enrols_with_its_code_and_the_word_of_two_people(deployment):
    """The whole way: its private keys stay where they were made, its record holds the public ones, the broker knows it."""
    code = deployment.code(name="肇东市第二大厅", site="bank")

    waits = deployment.agent(code)
    fingerprint = re.search(r"[0-9a-f]{4}(-[0-9a-f]{4}){3}", waits.output)
    assert waits.exit_code == 1 and fingerprint is not None, waits.output
    accepted = deployment.accept(fingerprint[0])
    assert accepted.exit_code == 0, accepted.output
    done = deployment.agent(code)

    assert done.exit_code == 0, done.output
    hall, trust = deployment.hall, load_records(deployment.pki / "trust")
    record = trust.halls[HALL]
    assert (record.name, record.site.value) == ("肇东市第二大厅", "bank")
    assert [key.kid for key in record.report_keys] == [
        SigningKey.from_pem((hall.credentials / "report.pem").read_bytes()).kid
    ]
    assert [key.kid for key in record.wrap_keys] == [WrapKey.from_pem((hall.credentials / "wrap.pem").read_bytes()).kid]
    certificate = x509.load_pem_x509_certificate((hall.credentials / "broker.pem").read_bytes())
    assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == f"hall-{HALL}"
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate((hall.trust / "broker-ca.pem").read_bytes()))
    assert load_records(hall.trust).halls[HALL] == record
    assert load_records(hall.trust).registries == trust.registries
    assert deployment.alarms == []


def test_its_private_keys_are_private_and_go_nowhere(deployment):
    code = deployment.code()
    request = deployment.asked(code)
    deployment.accept(request.fingerprint)
    deployment.agent(code)

    private = [*deployment.hall.credentials.glob("*.pem"), deployment.hall.directory / "grant.pem"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}
    assert not (deployment.pki / f"halls/{HALL}").exists()
    kept = (deployment.place / "home.db").read_bytes()
    assert b"PRIVATE" not in kept and b"PRIVATE" not in request.text.encode()


def test_a_new_hall_is_granted_nothing(deployment):
    """What may be printed there both sides agree on first (docs/grants.md)."""
    request = deployment.asked(deployment.code())

    deployment.accept(request.fingerprint)

    assert list((deployment.pki / "trust/grants").glob(f"*{HALL}*")) == []


def test_the_code_stands_nowhere(deployment):
    """Home keeps a hash; the code is told once."""
    code = deployment.code()
    deployment.asked(code)

    kept = (deployment.place / "home.db").read_bytes() + b"".join(
        path.read_bytes() for path in deployment.place.glob("home.db-*")
    )
    assert code.secret.encode() not in kept and str(code).encode() not in kept
    assert code.secret not in repr(code)


@pytest.mark.attack_row("S45")
def test_a_code_is_good_for_one_hall_once(deployment):
    """S45: the second request under it is refused and alarmed, whoever was first."""
    code = deployment.code()
    first = deployment.asked(code)

    with pytest.raises(EnrolmentFailed):
        deployment.asked(code, Place(deployment.place / "second"))

    assert deployment.alarms == [(HALL, "code-used")]
    assert hall_side.fetch(deployment.home.url, code, first) is None


@pytest.mark.attack_row("S45")
def test_a_thief_who_was_faster_is_met_by_the_fingerprint(deployment):
    """S45: the hall reads out its own, the operator compares with what came: nothing is recorded. The hall's try is an alarm."""
    code = deployment.code()
    theirs = deployment.asked(code, Place(deployment.place / "thief"))
    ours = hall_side.prepare(deployment.hall, HALL, NOW)
    with pytest.raises(EnrolmentFailed):
        hall_side.ask(deployment.home.url, code, ours)

    told = deployment.accept(ours.fingerprint)

    assert told.exit_code == 3 and not deployment.is_recorded
    assert deployment.alarms == [(HALL, "code-used")]
    assert deployment.operator("refuse", HALL).exit_code == 0
    with pytest.raises(EnrolmentFailed):
        hall_side.fetch(deployment.home.url, code, theirs)
    assert (HALL, "refused-by-a-person") in deployment.alarms


@pytest.mark.attack_row("S45")
def test_a_code_of_another_hall_is_refused(deployment):
    """S45: also with its own hall's name on the outside and another's within."""
    code, other = deployment.code(), deployment.code(OTHER_HALL)
    posing = EnrolmentCode(HALL, other.secret)
    with pytest.raises(EnrolmentFailed):
        deployment.asked(posing)

    place = Place(deployment.place / "other")
    request = hall_side.prepare(place, OTHER_HALL, NOW)
    with pytest.raises(EnrolmentFailed):
        hall_side.ask(deployment.home.url, code, request)

    assert deployment.alarms == [(HALL, "wrong-code"), (HALL, "wrong-hall")]


@pytest.mark.attack_row("S45")
def test_a_code_that_has_expired_or_was_replaced_is_refused(deployment):
    """S45."""
    old = deployment.code()
    new = deployment.code()
    with pytest.raises(EnrolmentFailed):
        deployment.asked(old)
    deployment.clock.time += timedelta(hours=24, seconds=1)
    with pytest.raises(EnrolmentFailed):
        deployment.asked(new)

    assert deployment.alarms == [(HALL, "wrong-code"), (HALL, "code-expired")]


@pytest.mark.attack_row("S45")
def test_a_guess_is_refused_like_everything_else(deployment):
    """S45: what home says tells nobody whether a code is out for this hall."""
    request = hall_side.prepare(deployment.hall, HALL, NOW)
    said = []
    for hall_has_one in (False, True):
        if hall_has_one:
            deployment.code()
        with pytest.raises(EnrolmentFailed) as refused:
            hall_side.ask(deployment.home.url, EnrolmentCode.make(HALL), request)
        said.append(str(refused.value))

    assert said[0] == said[1]
    assert deployment.alarms == [(HALL, "no-code"), (HALL, "wrong-code")]


@pytest.mark.attack_row("S45")
@pytest.mark.parametrize("what", ["a key of its own", "no signature", "another hall's certificate request"])
def test_what_is_changed_on_the_way_is_refused(deployment, what):
    """S45: without the code no byte can be changed; with it, nobody asks for keys that he does not have."""
    code = deployment.code()
    request = hall_side.prepare(deployment.hall, HALL, NOW)
    text, signature, shown = request.text, request.signature, mac(code.key, "request", request.text.encode())
    if what == "a key of its own":
        text = json.dumps(
            {**json.loads(text), "report_key": SigningKey.generate().record("report", NOW, NOW).public_key}
        )
    elif what == "no signature":
        signature = "00" * 64
    else:
        fields = json.loads(text)
        stolen = hall_side.prepare(Place(deployment.place / "stolen"), OTHER_HALL, NOW)
        pem = json.loads(stolen.text)["certificate_request"]
        fields["certificate_request"] = pem.replace(pem.splitlines()[3], pem.splitlines()[3].swapcase())
        report = SigningKey.from_pem((deployment.hall.credentials / "report.pem").read_bytes())
        text = json.dumps(fields)
        signature, shown = report.sign(signed_request(text.encode())).hex(), mac(code.key, "request", text.encode())

    body = {"hall": HALL, "request": text, "signature": signature, "mac": shown}
    with deployment.home.client(None) as anybody:
        answer = anybody.post("/v1/enrolments", json=body)

    assert answer.status_code == 403
    assert deployment.alarms == [(HALL, "wrong-code" if what == "a key of its own" else "not-a-request")]


@pytest.mark.attack_row("S45")
def test_an_answer_of_somebody_who_does_not_know_the_code_is_not_believed(deployment):
    """S45: else whoever stands between would choose whom the hall believes."""
    code = deployment.code()
    request = deployment.asked(code)
    assert deployment.accept(request.fingerprint).exit_code == 0
    posing = EnrolmentCode.make(HALL)

    told = hall_side._post(
        deployment.home.url,
        "/v1/enrolments/answer",
        {"hall": HALL, "fingerprint": request.fingerprint, "mac": mac(code.key, "ask", request.fingerprint.encode())},
    )
    assert mac(posing.key, "answer", told["answer"].encode()) != told["mac"]
    with pytest.raises(EnrolmentFailed):
        hall_side.fetch(deployment.home.url, posing, request)
    assert hall_side.fetch(deployment.home.url, code, request) is not None


@pytest.mark.parametrize("name", ["../home.toml", "/etc/passwd", "halls/../../x", ""])
def test_an_answer_writes_nothing_outside_the_trust_directory(deployment, name):
    code = deployment.code()
    request = deployment.asked(code)
    deployment.accept(request.fingerprint)
    answer = hall_side.fetch(deployment.home.url, code, request)
    assert answer is not None

    with pytest.raises(EnrolmentFailed):
        hall_side.lay_down(deployment.hall, answer.model_copy(update={"trust": {name: "x"}}))


def test_who_tries_on_and_on_is_slowed_down(tmp_path, layout):
    home = a_home(tmp_path, layout, enrolment_limit=Limit(a_minute=6, at_once=3, all_a_second=50))
    body = {"hall": HALL, "fingerprint": "0000-0000-0000-0000", "mac": "0" * 64}
    with home.client(None) as anybody:
        said = [anybody.post("/v1/enrolments/answer", json=body).status_code for _ in range(5)]
    home.close()

    assert said == [403, 403, 403, 429, 429]


@pytest.mark.parametrize("typed", ["", "231282-09", "231282-09/ABC", "231282-09/" + "=" * 32])
def test_what_is_no_code_is_told_before_anything_is_made(deployment, typed):
    told = deployment.agent(typed)

    assert told.exit_code == 2
    assert not deployment.hall.directory.exists()
    with pytest.raises(BadCode):
        EnrolmentCode.parse(typed)


def test_a_code_is_read_as_people_type_it():
    code = EnrolmentCode.make(HALL)

    assert EnrolmentCode.parse(f"  {str(code).lower()} ") == code
    assert EnrolmentCode.parse(str(code).replace("-", "").replace("231282", "231282-")) == code


def test_a_hall_that_is_there_is_not_enrolled_over(deployment):
    """Its keys would be replaced under its feet: they are renewed by pki issue."""
    request = deployment.asked(deployment.code())
    deployment.accept(request.fingerprint)
    again = deployment.asked(deployment.code(), Place(deployment.place / "again"))
    before = (deployment.pki / f"trust/halls/{HALL}.json").read_bytes()

    assert deployment.accept(again.fingerprint).exit_code == 1
    assert (deployment.pki / f"trust/halls/{HALL}.json").read_bytes() == before


@pytest.mark.parametrize("command", ["code", "enrolments", "accept", "refuse"])
def test_each_command_has_an_example(command):
    assert "Example: certspool hall" in CliRunner().invoke(halls_app, [command, "--help"]).output
