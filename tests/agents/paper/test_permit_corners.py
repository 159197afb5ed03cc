"""The permit directory where it is asked more than what became of one try: traces, reprints that were refused, what cannot be read."""

import json
import os
import pwd
import time
from uuid import uuid4

import pytest

from agents import permit as room
from agents.permit import ASKED_AGAIN, Claim, Permit, PermitDirectory, PermitsUnusable, asked_again


@pytest.fixture
def permits(tmp_path) -> PermitDirectory:
    return PermitDirectory.open(tmp_path / "permits", backend_user=None, in_memory=True)


def a_permit(**varied) -> Permit:
    return Permit(**{"uuid": uuid4(), "job": 7, "queue": "booklet-1", "device": "virtual:/p", "pages": 1, **varied})


def test_every_try_that_left_a_trace_is_listed_once(permits):
    issued, claimed = a_permit(), uuid4()
    permits.issue(issued)
    for folder in ("spent", "first", "done"):
        (permits.path / folder / str(claimed)).write_text("{}")
    (permits.path / "spent" / ".aside").write_text("")

    assert set(permits.tries()) == {issued.uuid, claimed}


def test_what_a_permit_was_for_is_known_as_long_as_it_is_there(permits):
    issued = a_permit(order=uuid4(), attempt=2, number=1)
    permits.issue(issued)

    assert permits.what_for(issued.uuid)["order"] == str(issued.order)
    assert permits.what_for(uuid4()) == {}


def test_reprints_that_were_refused_are_told_with_the_pass_they_were_for(permits):
    known, forgotten = a_permit(order=uuid4(), attempt=2, number=1), uuid4()
    permits.issue(known)
    note = permits.path / "spent" / f"{ASKED_AGAIN}{known.uuid}"
    note.write_text(json.dumps({"at": "2026-05-20T10:00:00.123+00:00"}) + "\nno line of ours\n{}\n[]\n")
    (permits.path / "spent" / f"{ASKED_AGAIN}{forgotten}").write_text('{"at": "2026-05-19T10:00:00+00:00"}\n')

    found = asked_again(permits.path, 0)

    assert [(one.queue, one.title, one.at) for one in found] == [
        *[("booklet-1", f"{known.order}/1/2", "-")] * 3,
        ("", str(forgotten), "2026-05-19T10:00:00+00:00"),
        ("booklet-1", f"{known.order}/1/2", "2026-05-20T10:00:00+00:00"),
    ]
    assert asked_again(permits.path, time.time() + 60) == []


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b"7"])
def test_a_claim_that_cannot_be_read_is_a_claim(permits, content):
    """It proves that somebody was there, and nothing else."""
    issued = a_permit()
    permits.issue(issued)
    (permits.path / "spent" / str(issued.uuid)).write_bytes(content)

    assert permits.fate(issued.uuid).claim is Claim.FREE
    assert not permits.revoke(issued.uuid)


def test_without_its_mark_or_a_folder_the_directory_is_not_ours(permits):
    issued = a_permit()
    permits.issue(issued)
    (permits.path / "done").rmdir()
    assert not permits.is_ours()
    assert permits.fate(issued.uuid).is_ours is False
    (permits.path / "done").mkdir()
    assert permits.fate(issued.uuid).is_issued

    (permits.path / "id").unlink()
    assert permits.fate(issued.uuid).is_issued is False


def test_a_directory_that_goes_while_it_is_looked_at_proves_nothing(permits, monkeypatch):
    issued = a_permit()
    permits.issue(issued)
    answers = iter([True, False])
    monkeypatch.setattr(permits, "is_ours", lambda: next(answers))

    assert permits.fate(issued.uuid).is_ours is False


def test_a_claim_that_comes_while_it_is_looked_at_is_looked_at_again(permits, monkeypatch):
    issued, looks = a_permit(), []
    permits.issue(issued)
    read = room.PermitDirectory._claim

    def claim(self, spent):
        found = read(self, spent)
        looks.append(found)
        if len(looks) == 1:
            spent.write_text("{}")
        return found

    monkeypatch.setattr(room.PermitDirectory, "_claim", claim)

    assert permits.fate(issued.uuid).claim is Claim.FREE
    assert looks == [Claim.NONE, Claim.FREE, Claim.FREE]


@pytest.mark.parametrize("user", ["nobody-of-this-name", pwd.getpwuid(os.geteuid()).pw_name])
def test_whoever_is_no_user_or_oneself_is_not_let_in_by_name(tmp_path, user):
    permits = PermitDirectory.open(tmp_path / "permits", backend_user=user, in_memory=True)

    assert os.listxattr(permits.path / "issued") == []


def test_a_file_system_without_access_lists_is_none_for_permits(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "setxattr", refuse)
    monkeypatch.setattr(os, "geteuid", lambda: -1)

    with pytest.raises(PermitsUnusable, match="no POSIX ACL"):
        PermitDirectory.open(tmp_path / "permits", backend_user="lp", in_memory=True)
