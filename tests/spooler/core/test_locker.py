"""What lies on the home's disk is read by whoever has the key, and by nobody else."""

from pathlib import Path

import pytest

from spooler.documents import DocumentDamaged, Documents, Private
from spooler.locker import KeyLocker, read_key

KEY, FORMER = bytes(range(32)), bytes(range(1, 33))
CANARY = "王金丝雀"
PRIVATE = Private(holder=CANARY, request={"fields": {"holder": CANARY}})


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "documents"


def on_disk(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


def kept_open(directory: Path) -> str:
    """As a home without a key wrote it."""
    return Documents(directory).keep_private(PRIVATE)


def test_what_was_locked_is_read_with_the_key(directory: Path) -> None:
    documents = Documents(directory, KeyLocker([KEY]))

    assert documents.read_private(documents.keep_private(PRIVATE)) == PRIVATE
    assert documents.read(documents.keep(b"")) == b""


@pytest.mark.attack_row("S40")
def test_a_stolen_backup_tells_nothing_without_the_key(directory: Path) -> None:
    name = Documents(directory, KeyLocker([KEY])).keep_private(PRIVATE)

    assert CANARY.encode() not in on_disk(directory)
    for thief in (Documents(directory), Documents(directory, KeyLocker([FORMER]))):
        with pytest.raises(DocumentDamaged, match="locked"):
            thief.read(name)


def test_without_a_key_it_would_be_seen(directory: Path) -> None:
    kept_open(directory)

    assert CANARY.encode() in on_disk(directory)


@pytest.mark.attack_row("S40")
def test_each_document_has_a_key_of_its_own(directory: Path) -> None:
    """The same content locked twice has nothing in common but its head."""
    locker = KeyLocker([KEY])
    first, second = locker.lock(b"0" * 64), locker.lock(b"0" * 64)

    assert len(set(first[-80:]) & set(second[-80:])) < 80 and first[40:] != second[40:]


@pytest.mark.parametrize("place", [0, 20, 30, 60, 100, -1])
def test_a_locked_document_with_one_bit_changed_is_damaged(place: int) -> None:
    stored = bytearray(KeyLocker([KEY]).lock(b"a document"))
    stored[place] ^= 1

    try:
        read = KeyLocker([KEY]).unlock(bytes(stored))
    except DocumentDamaged:
        return
    assert read == bytes(stored)  # its mark is gone: then its hash is not its name


def test_what_an_earlier_release_left_open_is_read_and_locked_at_start(directory: Path) -> None:
    name = kept_open(directory)
    documents = Documents(directory, KeyLocker([KEY]))
    assert documents.read_private(name) == PRIVATE

    assert (documents.lock_all(), documents.lock_all()) == (1, 0)

    assert CANARY.encode() not in on_disk(directory)
    assert documents.read_private(name) == PRIVATE


def test_a_new_key_locks_what_the_former_one_locked(directory: Path) -> None:
    """After which the former one is needed no more."""
    name = Documents(directory, KeyLocker([FORMER])).keep_private(PRIVATE)

    assert Documents(directory, KeyLocker([KEY, FORMER])).lock_all() == 1

    assert Documents(directory, KeyLocker([KEY])).read_private(name) == PRIVATE


def test_a_damaged_document_keeps_no_home_from_starting(directory: Path) -> None:
    name = kept_open(directory)
    (directory / name[:2] / name).write_bytes(b"flipped")
    other = Documents(directory).keep(b"another")
    documents = Documents(directory, KeyLocker([KEY]))

    assert documents.lock_all() == 1
    assert documents.read(other) == b"another"


@pytest.mark.parametrize("text", ["", "not base64", "AAAA"])
def test_what_is_no_key_is_told(text: str) -> None:
    with pytest.raises(ValueError):
        read_key(text)
