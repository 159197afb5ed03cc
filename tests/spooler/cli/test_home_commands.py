"""`certspool submit | jobs | show | cancel | render | callbacks`: what they say, and what their exit codes mean."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pypdf
import pytest

from spooler.cli import COMMANDS, main
from spooler.cli.submit import _wait
from spooler.daemon.server import HttpServer
from spooler.render import Renderer, find_templates
from spooler.wire.messages import Issued, Printed, Received, Returned
from tests.spooler.api.conftest import a_home, token_of
from tests.spooler.api.hall_side import about, sealed
from tests.spooler.intake.build import OWN, changed, sample

HOUSE = changed(sample("house"), "hall", "231282-01")
ANNEXES = str(OWN / "annexes")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home that is served, and the environment of somebody who may use it."""
    served = a_home(tmp_path, Renderer(find_templates()))
    monkeypatch.setenv("CERTSPOOL_API", served.url)
    monkeypatch.setenv("CERTSPOOL_TOKEN", token_of("clerk"))
    yield served
    served.close()


@pytest.fixture
def run(capsys):
    """Run a command; return its exit code, what it printed and what it complained of."""

    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return ended.value.code or 0, printed.out, printed.err

    return call


@pytest.fixture
def written(tmp_path):
    """Write a request into a file."""

    def write(request):
        path = tmp_path / f"{request['request_id']}.json"
        path.write_text(json.dumps(request, ensure_ascii=False), encoding="utf-8")
        return path

    return write


def test_submit_sends_the_request_and_its_annexes(home, run, written):
    code, out, _ = run("submit", written(HOUSE), "--annex-dir", ANNEXES)

    (job,) = home.client().get("/v1/jobs").json()["jobs"]
    assert (code, job["request_id"]) == (0, HOUSE["request_id"])
    assert job["job_id"] in out and job["number"] in out


def test_submitting_a_file_twice_is_one_job(home, run, written):
    path = written(HOUSE)
    first, second = (run("submit", path, "--annex-dir", ANNEXES, "--json") for _ in range(2))

    assert [code for code, _, _ in (first, second)] == [0, 0]
    assert json.loads(first[1]) == json.loads(second[1])


def test_annexes_lie_beside_the_request_unless_told(home, run, written, tmp_path):
    path = written(HOUSE)
    for annex in HOUSE["annexes"]:
        (tmp_path / annex["name"]).write_bytes((OWN / "annexes" / annex["name"]).read_bytes())

    assert run("submit", path)[0] == 0


def test_a_refused_request_says_each_field_on_a_line(home, run, written):
    """Exit code 3: correct the request."""
    wrong = changed(changed(HOUSE, "document.fields.holder", ""), "case.colour", "red")

    code, _, err = run("submit", written(wrong), "--annex-dir", ANNEXES)

    assert code == 3
    lines = err.splitlines()
    assert any("document.fields.holder" in line and "[empty]" in line for line in lines)
    assert any("case.colour" in line and "[unknown-field]" in line for line in lines)


def test_with_json_a_refusal_is_the_problem_document(home, run, written):
    code, out, _ = run("submit", written(changed(HOUSE, "case.ordinal", 7)), "--annex-dir", ANNEXES, "--json")

    assert (code, [item["field"] for item in json.loads(out)["errors"]]) == (3, ["case.ordinal"])


def finish(home, job, kind, state, **more):
    """Play the hall: the order comes to this end."""
    order = sealed(home, job)
    about(home, job, order, Received, "waiting", identity="0" * 64)
    if state == "issued":
        about(home, job, order, Printed, "printing")
        about(home, job, order, Printed, "printed", serial="23100000001")
    about(home, job, order, kind, state, **more)


@pytest.mark.parametrize(
    ("kind", "state", "more", "expected"),
    [
        (Issued, "issued", {"recipient_role": "holder", "identity_method": "card", "identity_result": "match"}, 0),
        (Returned, "returned", {"reason": "坐落有误"}, 3),
    ],
)
def test_submit_waits_for_the_end(home, run, written, kind, state, more, expected):
    """0 only when it is handed over; 3 when it was refused."""
    path = written(HOUSE)
    job = json.loads(run("submit", path, "--annex-dir", ANNEXES, "--json")[1])
    timer = threading.Timer(0.3, finish, (home, job, kind, state), more)
    timer.start()

    code, out, _ = run("submit", path, "--annex-dir", ANNEXES, "--wait", "--timeout", "20")
    timer.join()

    assert code == expected
    assert "received" in out


def test_what_happens_between_two_looks_is_told_too(capsys):
    """The job ends just after its events were asked for, or just before: the last of them are shown all the same."""

    class Hasty:
        """A home whose job ends at the moment that it is looked at."""

        events: tuple[str, ...] = ("accepted",)

        def get(self, path, **query):
            if path.endswith("/events"):
                told = [{"sequence": n, "at": "now", "state": s, "reasons": []} for n, s in enumerate(self.events, 1)]
                return {"events": told[query["after"] :]}
            self.events = ("accepted", "received", "issued")
            return {"job_id": "1", "state": "issued"}

    _wait(Hasty(), {"job_id": "1"}, 0.0, tell=True)

    assert [line.split()[-1] for line in capsys.readouterr().out.splitlines()] == ["accepted", "received", "issued"]


def test_waiting_may_end_before_the_job_does(home, run, written):
    code, _, err = run("submit", written(HOUSE), "--annex-dir", ANNEXES, "--wait", "--timeout", "0")

    assert (code, "accepted" in err) == (1, True)


def test_jobs_lists_and_show_shows(home, run, written):
    job = json.loads(run("submit", written(HOUSE), "--annex-dir", ANNEXES, "--json")[1])

    listed = json.loads(run("jobs", "--registry", "231221", "--json")[1])
    table = run("jobs", "--state", "accepted")[1]
    shown = json.loads(run("show", job["job_id"], "--json")[1])
    text = run("show", job["job_id"])[1]

    assert [item["job_id"] for item in listed["jobs"]] == [job["job_id"]]
    assert job["job_id"] in table and job["number"] in table
    assert [event["state"] for event in shown["events"]] == ["accepted"]
    assert job["deadline"] in text


def test_cancel_says_what_became_of_it(home, run, written):
    job = json.loads(run("submit", written(HOUSE), "--annex-dir", ANNEXES, "--json")[1])

    code, out, _ = run("cancel", job["job_id"], "--reason", "typing error", "--json")

    assert (code, json.loads(out)["outcome"]) == (0, "cancelled")
    assert run("cancel", job["job_id"])[0] == 2


def test_exit_codes_say_whose_turn_it_is(home, run, written, monkeypatch, tmp_path):
    """1 failed · 2 wrong usage · 3 refused · 4 not reachable."""
    assert run("show", "no-such-job")[0] == 1
    assert run("jobs", "--state", "done")[0] == 3
    assert run("submit", tmp_path / "nothing.json")[0] == 2
    assert run("submit", written(HOUSE), "--annex-dir", tmp_path)[0] == 2
    assert run("jobs", "--colour", "red")[0] == 2
    assert run("jobs", "--api", "http://127.0.0.1:9")[0] == 4
    assert run("jobs", "--api", "nonsense")[0] == 4
    monkeypatch.setenv("CERTSPOOL_TOKEN", "unknown")
    assert run("jobs")[0] == 1
    monkeypatch.delenv("CERTSPOOL_TOKEN")
    assert run("jobs")[0] == 2


def test_the_token_may_come_from_a_file(home, run, monkeypatch, tmp_path):
    monkeypatch.delenv("CERTSPOOL_TOKEN")
    file = tmp_path / "token"
    file.write_text(token_of("reader") + "\n")

    assert run("jobs", "--token-file", file)[0] == 0


def test_an_answer_that_is_no_problem_document_is_told_too(run, monkeypatch):
    """A proxy in between may answer by itself."""

    async def proxy(scope, receive, send):
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 502, "headers": [(b"content-type", b"text/html")]})
            await send({"type": "http.response.body", "body": b"<html>"})

    server = HttpServer(proxy, "127.0.0.1", 0)
    server.start()
    monkeypatch.setenv("CERTSPOOL_TOKEN", "any")
    code, _, err = run("jobs", "--api", f"http://127.0.0.1:{server.port}")
    server.stop()

    assert (code, "502" in err) == (1, True)


@pytest.mark.parametrize(("face", "pages"), [("print", 3), ("preview", 3), ("check-sheet", 1)])
def test_render_needs_no_daemon_and_no_key(run, written, tmp_path, face, pages):
    out = tmp_path / f"{face}.pdf"

    code, _, _ = run("render", written(HOUSE), "--annex-dir", ANNEXES, "--face", face, "-o", out)

    assert code == 0
    assert len(pypdf.PdfReader(out).pages) == pages


def test_render_refuses_what_would_not_print(run, written, tmp_path):
    wrong = changed(HOUSE, "document.fields.usage", "住宅" * 180)

    code, _, err = run("render", written(wrong), "--annex-dir", ANNEXES, "-o", tmp_path / "x.pdf")

    assert code == 3
    assert "document.fields.usage" in err and "[does-not-fit]" in err
    assert not (tmp_path / "x.pdf").exists()


CONFIG = """
[home]
data_directory = "{directory}"
trust_directory = "{directory}/trust"
[broker]
user = "home"
password_credential = "broker.password"
[[registries]]
id = "231221"
[[callbacks]]
name = "records-office"
url = "http://127.0.0.1:9/callback"
secret_credential = "callback.secret"
addresses = ["127.0.0.1/32"]
plain_http = true
"""


def test_callbacks_are_listed_and_tried_again(run, tmp_path):
    """Parked ones hold back their job's later ones until somebody replays them."""
    from spooler.daemon.settings import load_settings
    from spooler.ground import now, open_store
    from spooler.settings import HomeSettings
    from tests.spooler.store.builders import CLERK, a_new_job

    config = tmp_path / "home.toml"
    config.write_text(CONFIG.format(directory=tmp_path))
    store = open_store(load_settings(HomeSettings, config), now)
    store.jobs.accept(a_new_job(), CLERK)
    (delivery,) = store.callbacks.due("records-office", now())
    store.callbacks.park(delivery.place, "timeout")

    parked = json.loads(run("callbacks", "list", "--config", config, "--json")[1])["callbacks"]
    replayed = json.loads(run("callbacks", "replay", "--config", config, "--endpoint", "records-office", "--json")[1])
    waiting = json.loads(run("callbacks", "list", "--config", config, "--json")[1])["callbacks"]
    store.close()

    assert [(item["state"], item["last_error"]) for item in parked] == [("parked", "timeout")]
    assert replayed == {"replayed": 1}
    assert [item["state"] for item in waiting] == ["pending"]
    assert run("callbacks", "replay", "--config", config, "--endpoint", "nobody")[0] == 2


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(run, name):
    code, out, _ = run(name, "--help")

    assert code == 0
    if COMMANDS[name][1] != "app":
        assert "Example: certspool" in " ".join(out.split())


def test_the_overview_is_quick():
    """It loads none of the commands: 'certspool --help' is typed while somebody waits."""
    program = "import sys; from spooler.cli import command; command(''); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    heavy = {"reportlab", "pydantic", "sqlalchemy", "httpx", "fastapi", "cryptography", "pika"}
    assert heavy.isdisjoint(loaded)


def test_the_overview_names_every_command(run):
    code, out, _ = run("--help")

    assert code == 0
    assert all(f" {name} " in out for name in COMMANDS)


def test_the_script_is_installed():
    script = Path(sys.executable).with_name("certspool")

    assert subprocess.run([script, "--help"], capture_output=True, check=False).returncode == 0
