"""Each unsafe thing set for real: found, no pass reaches the device, set right, and then it prints."""

import os
import shutil
import time
from collections.abc import Callable
from uuid import uuid4

import pytest

from agents.order import PassState
from spooler.sandbox.cups import Queue
from tests.agents.doctor.ward import Ward
from tests.agents.paper.hall import until

REFUSED_SECONDS = 0.5
Harm = Callable[[Ward], None]


def in_conf(old: str, new: str) -> Harm:
    return lambda ward: ward.rewrite(ward.hall.cups.configuration, old, new)


def in_files(old: str, new: str) -> Harm:
    return lambda ward: ward.rewrite(ward.hall.cups.files_configuration, old, new)


def by_lpadmin(*arguments: str) -> Harm:
    return lambda ward: ward.lpadmin(*arguments)


def once_of_mode(mode: int) -> Harm:
    return lambda ward: (ward.hall.cups.directory / "bin/backend/once").chmod(mode)


def behind_beh(ward: Ward) -> None:
    shutil.copy("/usr/lib/cups/backend/beh", ward.hall.cups.directory / "bin/backend")
    ward.restart_cups()
    ward.lpadmin("-v", f"beh:/1/0/60/{ward.hall.booklet.device}")


def edited_once(ward: Ward) -> None:
    with (ward.hall.cups.directory / "bin/backend/once").open("a") as file:
        file.write("# edited\n")


# A queue's harm is mended at once; one in cupsd's files needs a restart, and a policy a second --fix after it.
MENDED: dict[str, tuple[Harm, bool]] = {
    "error-policy": (by_lpadmin("-o", "printer-error-policy=retry-job"), False),
    "banner": (by_lpadmin("-o", "job-sheets-default=standard,none"), False),
    "copies": (by_lpadmin("-o", "copies-default=2"), False),
    "shared": (by_lpadmin("-o", "printer-is-shared=true"), False),
    "once-not-in-front": (lambda ward: ward.lpadmin("-v", ward.hall.booklet.device), False),
    "device-differs": (by_lpadmin("-v", "once:virtual:/nowhere"), False),
    "resending-device": (behind_beh, False),
    "once-missing": (lambda ward: (ward.hall.cups.directory / "bin/backend/once").unlink(), False),
    "once-mode": (once_of_mode(0o700), False),
    "once-differs": (edited_once, False),
    "backend-mode": (lambda ward: (ward.hall.cups.directory / "bin/backend/virtual").chmod(0o744), False),
    "permits-loose": (lambda ward: os.removexattr(ward.hall.permits.path / "spent", "system.posix_acl_access"), False),
    "not-durable": (in_conf("DirtyCleanInterval 0", "DirtyCleanInterval 30"), True),
    "files-kept": (in_conf("PreserveJobFiles No\n", ""), True),
    "permits-variable": (in_files("SetEnv CERTSPOOL_PERMITS", "SetEnv CERTSPOOL_OTHER"), True),
    "policy-open": (by_lpadmin("-o", "printer-op-policy=default"), False),
}


def test_the_sandboxs_own_hall_is_sound(ward):
    assert ward.doctor() == (0, {"safe": True, "reachable": True, "findings": [], "fix": None})


@pytest.mark.parametrize("code", MENDED)
def test_what_is_unsafe_is_found_refused_mended_and_prints(ward, code):
    """A released pass waits untouched until the doctor has set it right; then it comes out once."""
    harm, needs_restart = MENDED[code]
    harm(ward)
    exit_code, found = ward.doctor()
    assert exit_code == 1 and code in {f["code"] for f in found["findings"] if f["severity"] == "unsafe"}

    ward.start()
    entry = ward.release()
    time.sleep(REFUSED_SECONDS)
    assert (entry.state, entry.tries, ward.hall.sheets()) == (PassState.READY, [], [])

    _, fixed = ward.doctor("--fix")
    assert fixed["fix"]["did"] and not fixed["fix"]["could_not"]
    if needs_restart:
        assert any("restart cups" in line for line in fixed["fix"]["then"])
        ward.restart_cups_later()
    until(lambda: entry.state is PassState.DONE, 20, why=f"for the pass; {ward.codes()}")
    assert ward.codes() == set()
    assert len(ward.hall.sheets()) == 1


@pytest.mark.attack_row("S28")
def test_a_policy_that_lets_others_meddle_is_replaced_in_two_steps(ward):
    """cupsd takes a policy only when it was started with it, so --fix writes it, and after a restart uses it."""
    ward.rewrite(ward.hall.cups.configuration, "Restart-Job Reprocess-Job CUPS-Move-Job Hold-Job", "Renew-Subscription")
    assert "policy-open" in ward.codes()

    _, fixed = ward.doctor("--fix")
    assert any("certspool" in line for line in fixed["fix"]["did"])
    backups = list(ward.hall.cups.directory.glob("cupsd.conf.certspool-*"))
    assert len(backups) == 1 and "Renew-Subscription" in backups[0].read_text()
    ward.restart_cups_later()
    ward.doctor("--fix")

    assert ward.codes() == set()


def test_settings_newer_than_cupsd_are_not_in_force(ward):
    """Right on disk is not right: cupsd still runs with what it read."""
    time.sleep(1.2)
    ward.hall.cups.configuration.touch()

    assert ward.codes() == {"settings-not-in-force"}


def test_a_class_prints_nothing_and_only_a_person_can_help(ward):
    ward.hall.cups.add_queue(Queue("member", "virtual:/nowhere", {"Spread": (332, 239)}))
    ward.hall.command("lpadmin", "-x", "booklet-1")
    assert not ward.hall.command("lpadmin", "-p", "member", "-c", "booklet-1")
    ward.start()
    entry = ward.release()

    exit_code, found = ward.doctor("--fix")

    assert exit_code == 1 and "class" in {f["code"] for f in found["findings"]}
    assert not ward.rounds.may_begin("booklet-1")
    assert (entry.tries, ward.hall.sheets()) == ([], [])


def test_a_second_queue_to_the_same_device_stops_the_first(ward):
    """Anybody could send through it to the tray of numbered blanks."""
    ward.hall.command("lpadmin", "-p", "other", "-E", "-v", ward.hall.booklet.device)
    ward.start()
    entry = ward.release()
    time.sleep(REFUSED_SECONDS)

    assert (ward.codes(), entry.tries) == ({"device-shared"}, [])
    ward.hall.command("lpadmin", "-x", "other")
    until(lambda: entry.state is PassState.DONE)


def test_a_queue_without_the_stocks_size_is_found(ward):
    ward.hall.cups.add_queue(Queue("booklet-1", ward.hall.booklet.device, {"A4": (210, 297)}))

    assert ward.codes() == {"page-size"}


@pytest.mark.attack_row("S28")
def test_a_foreign_job_raises_the_alarm_and_stops_nothing(ward):
    """It never prints, so it may not keep certificates back either: else anyone could."""
    ward.start()
    ward.hall.command("lp", "-d", "booklet-1", "-H", "hold", "/etc/hostname")
    until(lambda: ward.rounds.foreign == {"booklet-1": 1}, why="for the alarm")
    entry = ward.release()
    until(lambda: entry.state is PassState.DONE)

    exit_code, found = ward.doctor()

    assert (exit_code, [f["code"] for f in found["findings"]]) == (0, ["foreign-job"])
    assert len(ward.hall.sheets()) == 1


@pytest.mark.attack_row("S40")
def test_a_document_that_cupsd_keeps_after_its_pass_is_an_alarm(ward):
    """The settings file may say otherwise, or be read by nobody here: cupsd itself says what it still has."""
    conf = ward.hall.cups.configuration
    ward.rewrite(conf, "PreserveJobFiles No\n", "")
    ward.hall.command("lp", "-d", "booklet-1", "-t", f"{uuid4()}/1/1/1", "/etc/hostname")  # without a permit: it ends

    until(lambda: "document-left" in ward.codes(), 20, why="for the finding")
    ward.start()
    until(lambda: "document-left" in {f.code for f in ward.rounds.findings}, why="for the agent's own look")
    ward.hall.command("cancel", "-a", "-x", "booklet-1")
    until(lambda: "document-left" not in ward.codes(), 20, why="for the spool to be empty")


def test_a_borrowed_uuid_is_told_from_our_own_job(ward):
    uuid, job = ward.hall.spool()
    ward.hall.permit(uuid, job)
    assert ward.codes() == set()
    ward.hall.command("lp", "-d", "booklet-1", "-H", "hold", "-o", f"job-uuid={uuid.urn}", "/etc/hostname")

    assert ward.codes() == {"foreign-uuid"}


def test_a_pass_in_flight_is_left_alone(ward):
    """What is claimed goes on to its end, whatever the queue has become."""
    ward.hall.booklet.set_fault("stall")
    ward.start()
    entry = ward.release()
    until(lambda: entry.tries and ward.hall.permits.fate(entry.tries[0].id).is_first)
    ward.lpadmin("-o", "printer-error-policy=retry-job")
    until(lambda: not ward.rounds.may_begin("booklet-1"))
    ward.hall.booklet.set_fault("clear")

    until(lambda: entry.state is PassState.DONE)
    assert len(ward.hall.sheets()) == 1


def test_cups_that_does_not_answer_has_its_exit_code(ward):
    ward.hall.kill_cups()

    exit_code, found = ward.doctor()

    assert (exit_code, found["reachable"]) == (4, False)


def test_the_drop_in_goes_below_the_prefix(ward, tmp_path):
    """In an image nothing of the running machine is touched."""
    _, fixed = ward.doctor("--fix", "--prefix", str(tmp_path))

    drop_in = tmp_path / "etc/systemd/system/cups.service.d/certspool.conf"
    assert drop_in.read_text().endswith("[Service]\nKillMode=process\n")
    assert any("daemon-reload" in line for line in fixed["fix"]["then"])
    assert fixed["findings"] == []


def test_a_machine_as_debian_leaves_it_is_made_safe(ward):
    """CUPS's own default settings and policy, and a queue as a driver's installer makes it: two times --fix, one restart."""
    ward.rewrite_as_debian_does()
    ward.lpadmin(
        "-v", ward.hall.booklet.device, "-o", "printer-op-policy=default", "-o", "printer-error-policy=retry-job"
    )
    (ward.hall.cups.directory / "bin/backend/once").unlink()
    ward.start()
    entry = ward.release()
    exit_code, found = ward.doctor()
    codes = {f["code"] for f in found["findings"]}
    assert exit_code == 1
    assert codes >= {
        "not-durable",
        "files-kept",
        "policy-open",
        "permits-variable",
        "once-missing",
        "once-not-in-front",
    }

    ward.doctor("--fix")
    ward.restart_cups_later()
    ward.doctor("--fix")

    assert ward.codes() == set()
    until(lambda: entry.state is PassState.DONE, why="for the pass")
    assert len(ward.hall.sheets()) == 1
