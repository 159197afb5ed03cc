"""From facts to findings: the table of what is unsafe, one thing wrong at a time."""

from dataclasses import replace
from pathlib import Path

import pytest

from agents.doctor.cupsd import Configuration, open_operations, with_environment, with_policy, with_settings
from agents.doctor.facts import Facts, FileFacts, JobFacts, PermitFacts, PrinterWish, QueueFacts
from agents.doctor.findings import CODES, Severity, unsafe_for
from agents.doctor.judgement import examine

PAGE = Path(__file__).parents[3] / "docs/doctor.md"
DEVICE = "ipp://printer.example/ipp/print?contimeout=30"
CUPSD = with_policy(
    "DirtyCleanInterval 0\nPreserveJobFiles No\nPreserveJobHistory Yes\nMaxJobs 0\nMaxJobTime 0\nWebInterface No\nBrowsing Off\n",
    ["certspool"],
)
FILES = "SyncOnClose Yes\nSetEnv CERTSPOOL_PERMITS /permits\n"
STOCK_POLICY = """\
<Policy default>
  JobPrivateValues default
  <Limit Hold-Job Release-Job Restart-Job Reprocess-Job CUPS-Move-Job>
    Require user @OWNER @SYSTEM
    Order deny,allow
  </Limit>
  <Limit All>
    Order deny,allow
  </Limit>
</Policy>
"""


def queue(**varied) -> QueueFacts:
    sizes = {"Spread": (941.1, 677.5)}
    return replace(QueueFacts("booklet-1", f"once:{DEVICE}", op_policy="certspool", sizes=sizes), **varied)


def sound(device: str = DEVICE, cupsd: str | None = CUPSD, files: str | None = FILES, **varied) -> Facts:
    facts = Facts(
        printers=(PrinterWish("booklet-1", device, (332.0, 239.0)),),
        queues=(queue(device=f"once:{device}"),),
        jobs=(),
        once=FileFacts("/once", 0o755),
        backends={"ipp": FileFacts("/ipp", 0o755)},
        permits=PermitFacts("/permits"),
        probes=None,
        configuration=Configuration(cupsd, files),
        trusted_users=frozenset({"certspool"}),
    )
    return replace(facts, **varied)


def test_a_sound_hall_has_no_findings():
    assert examine(sound()) == ()


@pytest.mark.parametrize(
    ("code", "facts"),
    [
        ("queue-missing", sound(queues=())),
        ("class", sound(queues=(queue(is_class=True, device="file:///dev/null"),))),
        ("resending-device", sound(queues=(queue(device=f"once:beh:/1/0/60/{DEVICE}"),))),
        ("resending-device", sound(device="implicitclass://x")),
        ("once-not-in-front", sound(queues=(queue(device=DEVICE),))),
        ("device-differs", sound(queues=(queue(device="once:ipp://other/"),))),
        ("device-shared", sound(queues=(queue(), QueueFacts("other", DEVICE)))),
        ("error-policy", sound(queues=(queue(error_policy="stop-printer"),))),
        ("banner", sound(queues=(queue(banners=("none", "standard")),))),
        ("copies", sound(queues=(queue(copies=2),))),
        ("shared", sound(queues=(queue(is_shared=True),))),
        ("contimeout", sound(device="ipp://printer.example/ipp/print")),
        ("contimeout", sound(device="ipp://printer.example/ipp/print?contimeout=604800")),
        ("contimeout", sound(device="socket://printer.example:9100?contimeout=604800")),
        ("not-calibrated", sound(printers=(PrinterWish("booklet-1", DEVICE, (332.0, 239.0), ("A", "C")),))),
        ("page-size", sound(queues=(queue(sizes={"A4": (595, 842)}),))),
        (
            "policy-open",
            sound(
                cupsd=CUPSD + STOCK_POLICY.replace("Values default", "Values none"),
                queues=(queue(op_policy="default"),),
            ),
        ),
        ("foreign-job", sound(jobs=(JobFacts(7, "booklet-1", is_ours=False),))),
        ("foreign-uuid", sound(jobs=(JobFacts(7, "booklet-1", is_ours=False, borrows_uuid=True),))),
        ("once-missing", sound(once=FileFacts("/once", None))),
        ("once-mode", sound(once=FileFacts("/once", 0o700))),
        ("once-mode", sound(once=FileFacts("/once", 0o775))),
        ("once-mode", sound(once=FileFacts("/once", 0o755, is_owned_by_cupsd=False))),
        ("once-differs", sound(once=FileFacts("/once", 0o755, is_same=False))),
        ("backend-missing", sound(backends={"ipp": FileFacts("/ipp", None)})),
        ("backend-mode", sound(backends={"ipp": FileFacts("/ipp", 0o744)})),
        ("backend-mode", sound(backends={"ipp": FileFacts("/ipp", 0o700)})),
        ("permits-variable", sound(files="SyncOnClose Yes\n")),
        ("probes-variable", sound(probes="/probes")),
        ("permits-missing", sound(permits=PermitFacts("/permits", is_there=False))),
        ("permits-in-memory", sound(permits=PermitFacts("/permits", filesystem="tmpfs"))),
        ("permits-loose", sound(permits=PermitFacts("/permits", loose=("/permits/spent",)))),
        ("permits-out-of-reach", sound(permits=PermitFacts("/permits", closed="/root"))),
        ("permits-not-ours", sound(permits=PermitFacts("/permits", is_ours=False))),
        ("settings-unreadable", sound(cupsd=None)),
        ("settings-not-in-force", sound(stale=("cupsd.conf",))),
        ("not-durable", sound(cupsd=CUPSD.replace("DirtyCleanInterval 0\n", ""))),
        ("files-kept", sound(cupsd=CUPSD.replace("PreserveJobFiles No", "PreserveJobFiles 3600"))),
        ("setting", sound(cupsd=CUPSD.replace("MaxJobs 0", "MaxJobs 500"))),
        ("setting", sound(cupsd=CUPSD.replace("JobPrivateValues none", "JobPrivateValues default"))),
        ("setting", sound(files=FILES.replace("SyncOnClose Yes", "SyncOnClose No"))),
        ("cups-browsed", sound(is_browsed_running=True)),
        ("kill-mode", sound(kills_senders=True)),
    ],
)
def test_one_thing_wrong_is_one_code(code, facts):
    assert {finding.code for finding in examine(facts)} == {code}


@pytest.mark.parametrize(
    "facts",
    [
        sound(device="socket://printer.example:9100"),  # `once` connects itself, within seconds
        sound(queues=(queue(sizes=None),)),  # a raw queue needs no description
        sound(
            device="ipp://me:secret@printer/ipp?contimeout=9",
            queues=(queue(device="once:ipp://printer/ipp?contimeout=9"),),
        ),
        sound(files="SyncOnClose on\nPassEnv CERTSPOOL_PERMITS\n"),  # given to cupsd by whoever starts it
        sound(jobs=(JobFacts(7, "office", is_ours=False),)),
        sound(queues=None),
    ],
    ids=["socket", "raw", "password", "passed-on", "other-queue", "unreachable"],
)
def test_what_is_well_is_not_complained_of(facts):
    assert examine(facts) == ()


def test_a_halls_own_fault_stops_every_printer_and_a_printers_only_that_one():
    everywhere = examine(sound(once=FileFacts("/once", None)))
    here = examine(sound(queues=(queue(copies=2),)))

    assert unsafe_for("booklet-1", everywhere) and unsafe_for("proof-1", everywhere)
    assert unsafe_for("booklet-1", here) and not unsafe_for("proof-1", here)


def test_a_name_that_a_client_only_claims_keeps_nobody_out():
    """CUPS's own default policy asks for the owner and no proof; `AuthType` makes it one."""
    proved = STOCK_POLICY.replace("Require", "AuthType Default\n    Require")

    assert open_operations(STOCK_POLICY, "default", frozenset()) != ()
    assert open_operations(proved, "default", frozenset()) == ()
    assert open_operations(proved.replace("@OWNER", "guest"), "default", frozenset()) != ()


def test_only_what_must_change_is_changed():
    text = "# mine\nMaxJobs 500\n<Location />\n  MaxJobs 3\n</Location>\nMaxJobs 7\n"

    changed = with_settings(text, {"MaxJobs": "0", "Browsing": "No"})

    assert (
        changed == "# mine\nMaxJobs 0\n<Location />\n  MaxJobs 3\n</Location>\n# certspool-agent doctor\nBrowsing No\n"
    )
    assert with_settings(changed, {"MaxJobs": "0", "Browsing": "No"}) == changed


def test_a_policy_of_ours_is_replaced_and_others_stay():
    twice = with_policy(with_policy(STOCK_POLICY, ["a"]), ["b"])

    assert twice.startswith(STOCK_POLICY) and twice.count("<Policy certspool>") == 1
    assert "@SYSTEM b" in twice and "@SYSTEM a" not in twice


def test_other_variables_stay():
    changed = with_environment("SetEnv A 1\nSetEnv CERTSPOOL_PERMITS /old\n", "CERTSPOOL_PERMITS", "/old:/new")

    assert changed == "SetEnv A 1\nSetEnv CERTSPOOL_PERMITS /old:/new\n"


def test_every_code_stands_in_the_docs_with_its_severity():
    page = PAGE.read_text()

    for name, code in CODES.items():
        word = "unsafe" if code.severity is Severity.UNSAFE else "warning"
        assert f"| `{name}` | {word} |" in page, name
