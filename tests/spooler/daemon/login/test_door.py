"""The door: the same words whatever is wrong, our own page only, and nothing in the clear beyond this machine."""

from threading import Event

import pytest
from starlette.responses import Response

from spooler.daemon.login.door import Door, Knock
from spooler.daemon.login.password import TooManyAtOnce
from spooler.daemon.login.records import AccountsUnusable
from spooler.daemon.login.settings import check_plain
from spooler.daemon.problem import Refused
from tests.spooler.daemon.login.build import PASSWORD, Seconds, a_call, an_account


@pytest.fixture
def accounts():
    return {"zhang.201": an_account(), "gone": an_account("gone", is_disabled=True)}


@pytest.fixture
def told():
    return []


@pytest.fixture
def seconds():
    return Seconds()


@pytest.fixture
def door(accounts, told, seconds):
    return Door("hall-x", accounts=lambda: accounts, told=told.append, compare=is_right, seconds=seconds)


def is_right(hashed, password):
    """The real comparison takes a tenth of a second; what it answers is tested beside it."""
    return hashed is not None and password == PASSWORD


def refusal(call, *arguments):
    with pytest.raises(Refused) as refused:
        call(*arguments)
    return refused.value.status, refused.value.code


def logged_in(door, **call):
    opened, token = door.log_in(a_call(**call), "zhang.201", PASSWORD)
    return opened, f"{door.cookie}={token}"


def test_whoever_knows_the_password_is_let_in(door, told):
    opened, cookie = logged_in(door)

    assert opened.account.id == "zhang.201"
    assert door.session(a_call("GET", cookie=cookie)).account.id == "zhang.201"
    assert told == [Knock("logged-in", "zhang.201")]


@pytest.mark.attack_row("S34")
def test_the_cookie_goes_to_nobody_else(door):
    """Over TLS only, to this host only, to no script, and with no call that another site begins."""
    answer = Response()
    door.let_in(answer, "x" * 43)

    said = answer.headers["set-cookie"].lower()
    assert said.startswith("__host-certspool-hall-x=")
    assert {part.strip() for part in said.split(";")[1:]} == {"path=/", "secure", "httponly", "samesite=strict"}


@pytest.mark.attack_row("S35")
@pytest.mark.parametrize(("account", "password"), [("zhang.201", "wrong"), ("nobody", PASSWORD), ("gone", PASSWORD)])
def test_nobody_is_told_what_was_wrong(door, account, password):
    """Wrong password, unknown account, disabled account: the same answer, after the same work."""
    with pytest.raises(Refused) as refused:
        door.log_in(a_call(), account, password)

    assert (refused.value.status, refused.value.code) == (401, "wrong-login")
    assert str(refused.value) == "账号或口令不对 · account or password is wrong"


@pytest.mark.attack_row("S35")
def test_the_password_is_compared_also_where_there_is_no_account(accounts, told):
    compared = []
    door = Door("x", accounts=lambda: accounts, told=told.append, compare=lambda *given: compared.append(given))

    for account in ("zhang.201", "nobody", "gone"):
        refusal(door.log_in, a_call(), account, "wrong")

    assert [hashed for hashed, _ in compared] == [accounts["zhang.201"].password, None, accounts["gone"].password]


@pytest.mark.attack_row("S38")
def test_what_was_typed_as_an_account_and_is_none_is_told_nobody(door, told):
    """It may be a password in the wrong field."""
    refusal(door.log_in, a_call(), "hunter2hunter2", "x")

    door.flush()
    assert told == [Knock("refused", None)]


@pytest.mark.attack_row("S35")
def test_guessing_is_answered_429_before_anything_is_compared(door, told):
    answers = [refusal(door.log_in, a_call(), "zhang.201", "wrong") for _ in range(7)]

    assert answers == [(401, "wrong-login")] * 5 + [(429, "too-often")] * 2
    door.flush()
    assert sorted(knock.what for knock in told) == ["limited"] * 2 + ["refused"] * 5
    assert refusal(door.log_in, a_call(), "zhang.201", PASSWORD) == (429, "too-often")


@pytest.mark.attack_row("S35")
def test_whoever_is_in_stays_in_while_somebody_guesses(door, seconds):
    _, cookie = logged_in(door, address="10.0.0.1")
    for n in range(100):
        with pytest.raises(Refused):
            door.log_in(a_call(address=f"192.0.2.{n}"), "zhang.201", "wrong")

    assert door.session(a_call("GET", cookie=cookie))
    assert logged_in(door, address="10.0.0.1")


@pytest.mark.attack_row("S35")
def test_where_too_many_wait_one_is_told_to_come_again(accounts, told):
    def compare(hashed, password):
        raise TooManyAtOnce

    door = Door("x", accounts=lambda: accounts, told=told.append, compare=compare)

    with pytest.raises(Refused) as refused:
        door.log_in(a_call(), "zhang.201", PASSWORD)
    assert (refused.value.status, refused.value.retry_seconds) == (429, 1)


@pytest.mark.attack_row("S35")
def test_a_refusal_is_answered_before_it_is_written_down(accounts):
    """Else the disk's time would tell an account that there is from one that there is not."""
    answered, written = Event(), []

    def told(knock):
        assert answered.wait(10)
        written.append(knock.account)

    door = Door("x", accounts=lambda: accounts, told=told, compare=is_right)
    refusal(door.log_in, a_call(), "zhang.201", "wrong")
    assert written == []
    answered.set()
    door.flush()
    assert written == ["zhang.201"]


def test_a_refusal_that_cannot_be_written_down_is_still_one(accounts):
    def told(knock):
        raise OSError("no space left")

    door = Door("x", accounts=lambda: accounts, told=told, compare=is_right)

    assert refusal(door.log_in, a_call(), "zhang.201", "wrong") == (401, "wrong-login")
    door.flush()


def test_nobody_is_let_in_who_cannot_be_written_down(accounts):
    """The audit log first: a disk that is full lets nobody in unseen."""

    def told(knock):
        raise OSError("no space left")

    door = Door("x", accounts=lambda: accounts, told=told, compare=is_right)

    with pytest.raises(OSError, match="no space"):
        door.log_in(a_call(), "zhang.201", PASSWORD)
    assert door.count() == 0


@pytest.mark.attack_row("S34")
@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH"])
@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "csrf"),
        ({"x_csrf_token": "A" * 43}, "csrf"),
        ({"x_csrf_token": "é"}, "csrf"),
        ({"own": "yes", "sec_fetch_site": "cross-site"}, "cross-site"),
        ({"own": "yes", "sec_fetch_site": "same-site"}, "cross-site"),
        ({"own": "yes", "origin": "https://evil.example"}, "cross-site"),
        ({"own": "yes", "origin": "null"}, "cross-site"),
        ({"own": "yes", "origin": "https://hall.example:8443"}, "cross-site"),
        ({"own": "yes", "sec_fetch_site": "cross-site", "origin": "https://hall.example"}, "cross-site"),
    ],
)
def test_another_site_changes_nothing_with_the_cookie(door, method, headers, code):
    """A form or a script of another site, a page of a neighbouring host, a sandboxed frame."""
    opened, cookie = logged_in(door)
    headers = dict(headers)
    if headers.pop("own", None):
        headers["x_csrf_token"] = opened.csrf

    assert refusal(door.session, a_call(method, cookie=cookie, **headers)) == (403, code)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "same-origin", "origin": "https://behind.a.proxy"},
        {"origin": "https://hall.example"},
    ],
)
def test_our_own_page_changes_what_it_may(door, headers):
    opened, cookie = logged_in(door)

    assert door.session(a_call("POST", cookie=cookie, x_csrf_token=opened.csrf, **headers))


@pytest.mark.attack_row("S34")
def test_what_one_session_says_is_of_no_use_to_another(door):
    mine, _ = logged_in(door)
    _, cookie = logged_in(door)

    assert refusal(door.session, a_call("POST", cookie=cookie, x_csrf_token=mine.csrf)) == (403, "csrf")


@pytest.mark.attack_row("S34")
def test_another_site_logs_nobody_in(door, told):
    """Else she works under an account of the attacker's, and does not see it."""
    call = a_call(sec_fetch_site="cross-site", origin="https://evil.example")

    assert refusal(door.log_in, call, "zhang.201", PASSWORD) == (403, "cross-site")
    assert told == []


@pytest.mark.parametrize("value", ["", "x", "x" * 43, "x" * 5000, "ü" * 43])
def test_a_cookie_that_nobody_has_is_nobody(door, value):
    assert door.session(a_call("POST", cookie=f"{door.cookie}={value}")) is None


def test_logging_out_ends_the_session_and_is_told(door, told):
    opened, cookie = logged_in(door)

    assert door.log_out(a_call("DELETE", cookie=cookie, x_csrf_token=opened.csrf))
    assert door.session(a_call("GET", cookie=cookie)) is None
    assert not door.log_out(a_call("DELETE", cookie=cookie, x_csrf_token=opened.csrf))
    assert [knock.what for knock in told] == ["logged-in", "logged-out"]


def test_when_the_accounts_cannot_be_read_nobody_is_in(accounts, capsys):
    """Said once in the log, not with every call of every page."""
    broken = []

    def read():
        if broken:
            raise AccountsUnusable("accounts.json: not a file of accounts")
        return accounts

    door = Door("x", accounts=read, compare=is_right)
    _, cookie = logged_in(door)
    broken.append(True)

    assert door.session(a_call("GET", cookie=cookie)) is None
    assert refusal(door.log_in, a_call(), "zhang.201", PASSWORD) == (503, "try-later")
    broken.clear()
    assert door.session(a_call("GET", cookie=cookie))


@pytest.mark.parametrize("host", ["127.0.0.1:8700", "localhost", "[::1]:8700"])
def test_without_tls_this_machine_may_log_in(accounts, host):
    door = Door("x", accounts=lambda: accounts, compare=is_right, is_plain=True)
    opened, cookie = logged_in(door, host=host)
    answer = Response()
    door.let_in(answer, "x" * 43)

    assert opened and door.session(a_call("GET", cookie=cookie, host=host))
    assert answer.headers["set-cookie"].startswith("certspool-x=")
    assert "secure" not in answer.headers["set-cookie"].lower()


@pytest.mark.attack_row("S34")
@pytest.mark.parametrize("host", ["hall.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "10.0.0.1:8700"])
def test_without_tls_nobody_logs_in_by_another_name(accounts, host):
    """A forgotten proxy, or a name that was turned to this machine (DNS rebinding)."""
    door = Door("x", accounts=lambda: accounts, compare=is_right, is_plain=True)
    _, cookie = logged_in(door, host="127.0.0.1:8700")

    assert refusal(door.log_in, a_call(host=host), "zhang.201", PASSWORD) == (403, "cross-site")
    assert refusal(door.session, a_call("GET", cookie=cookie, host=host)) == (403, "cross-site")


@pytest.mark.parametrize("listen", ["0.0.0.0:8600", "10.0.0.1:8600", "[::]:8600", "home.example:8600"])
def test_without_tls_only_this_machine_is_listened_to(listen):
    check_plain(listen, False)

    with pytest.raises(ValueError, match="plain_http_sessions"):
        check_plain(listen, True)


@pytest.mark.parametrize("listen", ["127.0.0.1:8600", "[::1]:8600", "localhost:8600", "127.0.0.53:0"])
def test_this_machine_is_this_machine(listen):
    check_plain(listen, True)
