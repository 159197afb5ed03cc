"""The file of accounts: written by commands alone, read again when it is another, and believed only when nobody else can read it."""

import os
from datetime import UTC, datetime
from threading import Thread

import pytest

from spooler.daemon.login.password import is_same
from spooler.daemon.login.records import AccountDesk, AccountFile, AccountRefused, AccountsUnusable
from spooler.daemon.login.weak import WeakPassword
from tests.spooler.daemon.login.build import HASHED, PASSWORD

OTHER = "seven new lanterns, no boat"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "accounts.json"


@pytest.fixture
def desk(path):
    return AccountDesk(path, lambda: datetime.now(UTC))


def add(desk, account="zhang.201", password=PASSWORD):
    return desk.add(account, password, roles=("operate",), registries=("231221",))


def test_where_there_is_no_file_there_are_no_accounts(path):
    assert AccountFile(path)() == {}


def test_an_account_that_was_added_is_read_without_a_restart(path, desk):
    accounts = AccountFile(path)
    assert accounts() == {}

    add(desk)

    assert accounts()["zhang.201"].roles == ("operate",)
    assert accounts()["zhang.201"].registries == ("231221",)
    assert is_same(accounts()["zhang.201"].password, PASSWORD)
    assert path.stat().st_mode & 0o777 == 0o600
    assert PASSWORD not in path.read_text()


def test_a_new_password_and_disabling_are_read_too(path, desk):
    accounts = AccountFile(path)
    add(desk)
    before = accounts()["zhang.201"]

    desk.set_password("zhang.201", OTHER)
    assert is_same(accounts()["zhang.201"].password, OTHER)
    assert accounts()["zhang.201"] != before
    desk.disable("zhang.201")
    assert accounts()["zhang.201"].is_disabled
    desk.disable("zhang.201", False)
    assert not accounts()["zhang.201"].is_disabled


@pytest.mark.parametrize("account", ["", "张三", "a b", "../x", "x" * 65, "-x"])
def test_an_id_is_an_id(desk, account):
    with pytest.raises(AccountRefused, match="not an account"):
        add(desk, account)
    assert desk.all() == ()


def test_an_account_is_added_once_and_changed_only_if_it_is_there(desk):
    add(desk)

    with pytest.raises(AccountRefused, match="already"):
        add(desk)
    with pytest.raises(AccountRefused, match="no account"):
        desk.set_password("li.7", OTHER)
    with pytest.raises(AccountRefused, match="no account"):
        desk.disable("li.7")


def test_a_weak_password_changes_nothing(desk):
    add(desk)
    before = desk.all()

    with pytest.raises(WeakPassword):
        desk.set_password("zhang.201", "password1234")
    with pytest.raises(WeakPassword):
        add(desk, "li.7", "zaq12wsx")
    assert desk.all() == before


def test_two_operators_at_once_lose_nothing(desk, monkeypatch):
    monkeypatch.setattr("spooler.daemon.login.records.hash_password", lambda password: HASHED)
    threads = [Thread(target=add, args=(desk, f"clerk-{n}")) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(desk.all()) == 20


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_may_read_is_not_believed(path, desk, mode):
    add(desk)
    path.chmod(mode)

    with pytest.raises(AccountsUnusable, match="chmod 0600"):
        AccountFile(path)()


def test_what_root_writes_belongs_to_whoever_the_directory_does(path, desk):
    """The command is run by an administrator, the daemon by its own user."""
    if os.geteuid() == 0:
        os.chown(path.parent, 65534, 65534)

    add(desk)

    for written in (path, path.with_suffix(".lock")):
        owner, wanted = written.stat(), path.parent.stat()
        assert (owner.st_uid, owner.st_gid) == (wanted.st_uid, wanted.st_gid)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"version": 2, "accounts": []}',
        '{"version": 1, "accounts": [{"id": "x"}]}',
        "\x00",
        '{"accounts": 1}',
    ],
)
def test_a_file_that_is_none_of_ours_is_no_file_of_accounts(path, text):
    path.write_text(text)
    path.chmod(0o600)

    with pytest.raises(AccountsUnusable, match="not a file of accounts"):
        AccountFile(path)()


@pytest.mark.parametrize("asks", ["m=4194304,t=2", "m=47104,t=999"])
def test_a_hash_that_asks_for_more_than_we_ever_do_is_not_believed(path, desk, asks):
    add(desk)
    path.write_text(path.read_text().replace("m=47104,t=2", asks))

    with pytest.raises(AccountsUnusable):
        AccountFile(path)()


def test_a_file_that_becomes_unreadable_is_said_to_be_so_until_it_is_mended(path, desk):
    accounts = AccountFile(path)
    add(desk)
    good = path.read_text()
    accounts()

    path.write_text("{")
    for _ in range(2):
        with pytest.raises(AccountsUnusable):
            accounts()
    path.write_text(good)
    assert "zhang.201" in accounts()
