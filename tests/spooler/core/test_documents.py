"""What is kept is whole, and what is read is what was kept."""

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from spooler.documents import DocumentDamaged, Documents, Private
from spooler.wire.messages import Party


def test_what_was_kept_is_read_by_its_hash(tmp_path: Path) -> None:
    documents = Documents(tmp_path / "documents")

    assert documents.read(documents.keep(b"a document")) == b"a document"


def test_keeping_twice_keeps_once(tmp_path: Path) -> None:
    documents = Documents(tmp_path / "documents")
    documents.keep(b"a document")
    documents.keep(b"a document")

    assert len([path for path in (tmp_path / "documents").rglob("*") if path.is_file()]) == 1


def test_a_document_that_changed_on_disk_is_not_read(tmp_path: Path) -> None:
    """A flipped bit must not be sealed, sent or shown."""
    documents = Documents(tmp_path / "documents")
    name = documents.keep(b"a document")
    (tmp_path / "documents" / name[:2] / name).write_bytes(b"b document")

    with pytest.raises(DocumentDamaged):
        documents.read(name)


def test_what_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(DocumentDamaged):
        Documents(tmp_path / "documents").read("0" * 64)


def test_nobody_else_may_read_them(tmp_path: Path) -> None:
    documents = Documents(tmp_path / "documents")
    name = documents.keep(b"a document")

    modes = {path.stat().st_mode & 0o077 for path in (tmp_path / "documents").rglob("*")}
    assert name and modes == {0}


def test_persons_are_kept_apart_and_come_back_as_they_were(tmp_path: Path) -> None:
    documents = Documents(tmp_path / "documents")
    party = Party(role="holder", name="赵㛃", id_type="id-card", id_number="231221190001010007")
    private = Private(holder="赵㛃", parties=(party,), request={"fields": {"location": "某路1号"}})

    assert documents.read_private(documents.keep_private(private)) == private


def test_what_lies_on_disk_passes_the_locker(tmp_path: Path) -> None:
    """The place for encryption at rest."""

    class Reverse:
        def lock(self, content: bytes) -> bytes:
            return content[::-1]

        def unlock(self, stored: bytes) -> bytes:
            return stored[::-1]

    documents = Documents(tmp_path / "documents", Reverse())
    name = documents.keep(b"a document")

    assert (tmp_path / "documents" / name[:2] / name).read_bytes() == b"tnemucod a"
    assert documents.read(name) == b"a document"


def test_what_a_batch_wrote_and_nobody_wants_is_deleted(tmp_path: Path) -> None:
    documents = Documents(tmp_path / "documents")
    older = documents.keep(b"an older job's annex")
    with documents.batch() as batch:
        mine = batch.keep(b"of this request alone")
        batch.keep(b"an older job's annex")

        batch.drop(lambda name: False)

    assert documents.read(older)
    with pytest.raises(DocumentDamaged):
        documents.read(mine)


def test_what_another_request_has_in_hand_or_a_job_uses_stays(tmp_path: Path) -> None:
    """Two requests with the same annex at once: the one that is refused does not take it from the other."""
    documents = Documents(tmp_path / "documents")
    with documents.batch() as refused, documents.batch() as accepted:
        shared, used = refused.keep(b"shared"), refused.keep(b"used")
        accepted.keep(b"shared")

        refused.drop(lambda name: name == used)

    assert documents.read(shared) and documents.read(used)


@pytest.mark.fault_row("F45")
def test_what_another_home_has_in_hand_stays(tmp_path: Path) -> None:
    """Another home had just been told that the document is there already, and was about to keep its job."""
    directory = tmp_path / "documents"
    one = Documents(directory, is_shared=True)
    asks = "import sys; from pathlib import Path; from spooler.documents import Documents\n" + dedent(
        f"""
        with Documents(Path({str(directory)!r}), is_shared=True).batch() as batch:
            print(batch.keep(b"wanted by two"), flush=True)
            sys.stdin.readline()
        """
    )
    with one.batch() as refused:
        name = refused.keep(b"wanted by two")
        with subprocess.Popen(
            [sys.executable, "-c", asks], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
        ) as other:
            assert other.stdout is not None and other.stdin is not None
            assert other.stdout.readline().strip() == name
            refused.drop(lambda name: False)
            assert one.read(name) == b"wanted by two"
            other.communicate("end\n")
        refused.drop(lambda name: False)

    with pytest.raises(DocumentDamaged):
        one.read(name)
