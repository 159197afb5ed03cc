"""The permit directory: one winner of each permit, nothing forgotten, nothing open to others."""

import json
import os
import pwd
import subprocess
import sys
import threading
import time
from pathlib import Path
from uuid import uuid4

import pytest

from agents import once
from agents.permit import Claim, Permit, PermitDirectory, PermitsUnusable, filesystem_type
from tests.agents.paper.hall import until


@pytest.fixture
def permits(open_directory) -> PermitDirectory:
    return PermitDirectory.open(open_directory / "permits", in_memory=True)


def a_permit(**varied) -> Permit:
    return Permit(**{"uuid": uuid4(), "job": 7, "queue": "booklet-1", "device": "virtual:/p", "pages": 1, **varied})


def test_an_issued_permit_is_not_claimed(permits):
    permits.issue(permit := a_permit())

    fate = permits.fate(permit.uuid)
    assert (fate.is_ours, fate.is_issued, fate.claim, fate.is_first, fate.done) == (True, True, Claim.NONE, False, None)


def test_the_backend_reads_what_the_agent_wrote(permits):
    permits.issue(permit := a_permit())

    folder = once.find_permit(str(permit.uuid), {once.PERMITS_VARIABLE: f"/nowhere:{permits.path}"})
    assert folder == permits.path
    assert json.loads((folder / "issued" / str(permit.uuid)).read_bytes())["job"] == 7


@pytest.mark.attack_row("S30")
def test_a_permit_that_others_could_write_is_none(permits):
    permits.issue(permit := a_permit())
    (permits.path / "issued" / str(permit.uuid)).chmod(0o666)

    with pytest.raises(once.Refused, match="no-permit"):
        once.find_permit(str(permit.uuid), {once.PERMITS_VARIABLE: str(permits.path)})


def test_a_uuid_is_never_issued_twice(permits):
    permits.issue(permit := a_permit())

    with pytest.raises(FileExistsError):
        permits.issue(permit)


def test_a_revoked_permit_cannot_be_claimed_and_revoking_twice_is_the_same(permits):
    permits.issue(permit := a_permit())

    assert permits.revoke(permit.uuid)
    assert permits.revoke(permit.uuid)
    with pytest.raises(once.Refused, match="claimed"):
        once.claim_permit(permits.path, str(permit.uuid))
    assert permits.fate(permit.uuid).claim is Claim.REVOKED


def test_a_claimed_permit_cannot_be_revoked_and_is_free_once_its_holder_is_gone(permits):
    permits.issue(permit := a_permit())
    held = once.claim_permit(permits.path, str(permit.uuid))

    assert not permits.revoke(permit.uuid)
    assert permits.fate(permit.uuid).claim is Claim.HELD
    os.close(held)
    assert permits.fate(permit.uuid).claim is Claim.FREE


def test_of_many_claims_and_revocations_exactly_one_wins(permits):
    for _ in range(30):
        permits.issue(permit := a_permit())
        wins, start = [], threading.Barrier(6)

        def claim(uuid=permit.uuid, wins=wins, start=start):
            start.wait()
            try:
                wins.append(("once", once.claim_permit(permits.path, str(uuid))))
            except once.Refused:
                return

        def revoke(uuid=permit.uuid, wins=wins, start=start):
            start.wait()
            if permits.fate(uuid).claim is Claim.NONE and permits.revoke(uuid):
                wins.append(("agent", None))

        # Threads of one process share a pid, which names the claim's file: one claimant, many revokers.
        threads = [threading.Thread(target=claim)] + [threading.Thread(target=revoke) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {who for who, _ in wins} == {"agent" if permits.fate(permit.uuid).claim is Claim.REVOKED else "once"}
        for _, descriptor in wins:
            if descriptor is not None:
                os.close(descriptor)


def test_a_lock_is_held_until_the_last_child_that_inherited_it_is_gone(permits):
    permits.issue(permit := a_permit())
    held = once.claim_permit(permits.path, str(permit.uuid))
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], pass_fds=[held])
    os.close(held)

    assert permits.fate(permit.uuid).claim is Claim.HELD
    child.kill()
    child.wait()
    assert permits.fate(permit.uuid).claim is Claim.FREE


def test_a_device_is_busy_while_a_sender_holds_its_lock(permits):
    permits.issue(permit := a_permit())
    held = once.lock_device(permits.path, permit.device)

    assert not permits.device_is_free(permit.device)
    assert permits.device_is_free("virtual:/another")
    os.close(held)
    assert permits.device_is_free(permit.device)


def test_the_directory_knows_itself_again_and_no_copy_in_its_place(permits):
    assert PermitDirectory.open(permits.path, in_memory=True).identity == permits.identity

    (permits.path / "id").unlink()
    assert not permits.is_ours()
    assert PermitDirectory.open(permits.path, in_memory=True).identity != permits.identity
    assert permits.fate(uuid4()).is_ours is False


@pytest.mark.parametrize("folder", ["issued", "spent", "first", "done", "locks"])
def test_a_directory_without_one_of_its_folders_is_not_the_own_one(permits, folder):
    for entry in (permits.path / folder).iterdir():
        entry.unlink()
    (permits.path / folder).rmdir()

    assert not permits.is_ours()


MOUNTS = """\
22 1 0:20 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:21 / /tmp rw - tmpfs tmpfs rw
24 23 0:22 / /tmp/one\\040disk rw - xfs /dev/vdb rw
25 22 0:23 / /var rw - ext4 /dev/vdc rw
26 22 0:24 / /var rw - ramfs ramfs rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/permits", "ext4"),
        ("/tmp/permits", "tmpfs"),
        ("/tmp/one disk/permits", "xfs"),
        ("/tmpx", "ext4"),
        ("/var/x", "ramfs"),
    ],
)
def test_the_file_system_below_a_path_is_that_of_the_nearest_and_latest_mount(path, kind):
    assert filesystem_type(Path(path), MOUNTS) == kind


def test_a_directory_in_memory_is_refused(open_directory, monkeypatch):
    """A restart of the machine would forget what was printed."""
    monkeypatch.setattr("agents.permit.filesystem_type", lambda path: "tmpfs")

    with pytest.raises(PermitsUnusable, match="in memory"):
        PermitDirectory.open(open_directory / "permits")


def test_old_entries_are_forgotten_and_open_ones_kept(permits):
    old, kept, young = a_permit(), a_permit(), a_permit()
    for permit in (old, kept, young):
        permits.issue(permit)
        permits.revoke(permit.uuid)
    long_ago = time.time() - 1000
    for permit in (old, kept):
        for folder in ("issued", "spent"):
            os.utime(permits.path / folder / str(permit.uuid), (long_ago, long_ago))

    assert permits.forget(500, frozenset({kept.uuid})) == 2
    assert [permits.fate(p.uuid).is_issued for p in (old, kept, young)] == [False, True, True]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
@pytest.mark.attack_row("S30")
def test_the_user_lp_may_read_leave_and_add_marks_and_nobody_else_may(permits):
    permits.issue(permit := a_permit())
    name, folder = str(permit.uuid), permits.path
    issued, spent = folder / "issued" / name, folder / "spent" / name

    def as_user(user: str, *command: str) -> bool:
        return subprocess.run(command, user=user, group=user, extra_groups=[], capture_output=True).returncode == 0

    permits.revoke(permit.uuid)
    assert as_user("lp", "cat", str(issued))
    assert as_user("lp", "touch", str(folder / "done" / "mark"))
    assert not as_user("lp", "touch", str(folder / "issued" / "forged"))
    assert not as_user("lp", "rm", "-f", str(issued))
    assert not as_user("lp", "rm", "-f", str(spent)), "sticky: the agent's own mark stays"
    assert not as_user("daemon", "cat", str(issued))
    assert not as_user("daemon", "touch", str(folder / "spent" / "mark"))
    assert pwd.getpwuid((folder / "done" / "mark").stat().st_uid).pw_name == "lp"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has another user to admit")
def test_opening_it_again_never_shuts_out_a_sender_at_work(permits):
    attempts = []

    def write_all_the_time():
        for number in range(40):
            command = ["touch", str(permits.path / "done" / str(number))]
            attempts.append(subprocess.run(command, user="lp", group="lp", extra_groups=[]).returncode)

    writer = threading.Thread(target=write_all_the_time)
    writer.start()
    while writer.is_alive():
        PermitDirectory.open(permits.path, in_memory=True)
    until(lambda: len(attempts) == 40)
    assert set(attempts) == {0}


def test_a_directory_that_goes_away_while_it_is_read_says_nothing(permits, monkeypatch):
    """A claim that is free, and no `first` beside it, would prove that nothing was sent. Found by the simulation."""
    permits.issue(permit := a_permit())
    os.close(once.claim_permit(permits.path, str(permit.uuid)))
    (permits.path / "first" / str(permit.uuid)).write_text("{}")
    look = permits._claim

    def look_and_lose(spent: Path) -> Claim:
        claim = look(spent)
        if permits.path.exists():
            permits.path.rename(permits.path.with_name("elsewhere"))
        return claim

    monkeypatch.setattr(permits, "_claim", look_and_lose)

    assert not permits.fate(permit.uuid).is_ours


@pytest.mark.attack_row("S30")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
@pytest.mark.parametrize("forge", ["owner", "link"])
def test_a_forged_permit_is_none(permits, forge):
    """Laid there by somebody else, or a link to what is his: the file must be the directory's owner's own."""
    permits.issue(permit := a_permit())
    issued = permits.path / "issued" / str(permit.uuid)
    lp = pwd.getpwnam("lp").pw_uid
    if forge == "owner":
        os.chown(issued, lp, -1)
    else:
        issued.rename(permits.path / "done" / "mine")
        issued.symlink_to(permits.path / "done" / "mine")
        os.lchown(issued, lp, -1)

    with pytest.raises(once.Refused, match="no-permit"):
        once.find_permit(str(permit.uuid), {once.PERMITS_VARIABLE: str(permits.path)})
