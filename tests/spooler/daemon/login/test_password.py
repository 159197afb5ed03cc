"""Passwords: what is kept of them, which are refused, and how many are compared at once."""

import re
import subprocess
import sys
from threading import Barrier, Thread
from time import perf_counter

import pytest

from spooler.daemon.login import password as room
from spooler.daemon.login.password import AT_ONCE, MOST_WAITING, Comparing, TooManyAtOnce, hash_password, is_same
from spooler.daemon.login.weak import WeakPassword, check_password
from tests.spooler.daemon.login.build import HASHED, PASSWORD


def test_only_an_argon2id_hash_with_its_parameters_is_kept():
    """As OWASP says it: memory-hard, salted, never the same twice."""
    assert HASHED.startswith("$argon2id$v=19$m=47104,t=2,p=1$")
    assert PASSWORD not in HASHED
    assert hash_password(PASSWORD) != HASHED


def test_the_password_is_known_again_and_no_other_is():
    assert is_same(HASHED, PASSWORD)
    assert not is_same(HASHED, PASSWORD.upper())
    assert not is_same(HASHED, "")


def test_an_input_method_changes_no_password():
    """Full width or half: the same keys were pressed."""
    assert is_same(hash_password("ＣＢＡ六盏旧灯笼和一只船"), "CBA六盏旧灯笼和一只船")


def test_a_hash_of_nobodys_is_compared_like_any_and_never_fits():
    assert re.fullmatch(room.HASHED, room.nobodys_hash())
    assert Comparing()(None, PASSWORD) is False
    assert Comparing(lambda hashed, password: True)(None, PASSWORD) is False


@pytest.mark.attack_row("S35")
def test_an_unknown_account_takes_as_long_as_a_known_one():
    """Else a stop-watch lists the staff."""
    compare = Comparing()
    took = [(_seconds(compare, HASHED), _seconds(compare, None)) for _ in range(5)]
    known, unknown = (min(times) for times in zip(*took, strict=True))

    assert known > 0.01
    assert unknown == pytest.approx(known, rel=0.4)


def _seconds(compare, hashed):
    began = perf_counter()
    compare(hashed, "not the password")
    return perf_counter() - began


@pytest.mark.attack_row("S35")
def test_a_storm_of_log_ins_is_compared_one_after_the_other():
    """So many wait, the others are told to come again; nobody computes beside another."""
    begin, under_way, most, answers = Barrier(40), [], [], []

    def compare(hashed: str, password: str) -> bool:
        under_way.append(1)
        most.append(len(under_way))
        _pause()
        under_way.pop()
        return True

    comparing = Comparing(compare)

    def knock() -> None:
        begin.wait()
        try:
            answers.append(comparing(HASHED, PASSWORD))
        except TooManyAtOnce:
            answers.append(None)

    threads = [Thread(target=knock) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert max(most) == AT_ONCE
    assert answers.count(True) == AT_ONCE + MOST_WAITING
    assert answers.count(None) == 40 - AT_ONCE - MOST_WAITING


def _pause() -> None:
    end = perf_counter() + 0.05
    while perf_counter() < end:
        pass


STORM = """
from threading import Thread
from spooler.daemon.login.password import Comparing, TooManyAtOnce
compare = Comparing()
def knock():
    try: compare(None, "whatever it is")
    except TooManyAtOnce: pass
compare(None, "the library is loaded")
threads = [Thread(target=knock) for _ in range(100)]
for one in threads: one.start()
for one in threads: one.join()
# Not what the system says of the process: that counts whoever started it.
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.attack_row("S35")
def test_a_storm_of_log_ins_takes_no_more_memory_than_one():
    """A hundred at once: 46 MiB for the one that is compared, beside the interpreter."""
    done = subprocess.run([sys.executable, "-c", STORM], capture_output=True, text=True, timeout=60, check=True)

    assert 46 << 10 < int(done.stdout) < 140 << 10


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        "correct horse battery staple",
        "我家门前两棵枣树今年结得多",
        "vT9#kq2mX!7w",
        "jiu dian ban le hai mei chi",
    ],
)
def test_a_password_that_nobody_guesses_is_taken(password):
    check_password(password, "zhang.201")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("kX9#vT2mq!w", "12 to 128"),
        ("x9K#" * 33, "12 to 128"),
        ("aaaaaaaaaaaaaaaa", "too simple"),
        ("13912345678901", "too simple"),
        ("ababababababab", "too simple"),
        ("Password2024!", "mostly"),
        ("P@ssw0rdP@ssw0rd", "mostly"),
        ("qwertyuiop[]12", "mostly"),
        ("1qaz2wsx3edc4rfv", "mostly"),
        ("zhang.201zhang.201!!", "mostly"),
        ("Certspool@2026", "mostly"),
        ("budongchan123456", "mostly"),
        ("Suihua@20260520", "mostly"),
        ("不动产登记管理员密码口令", "mostly"),
        ("a password\nwith a line", "cannot be seen"),
        ("Ｐａｓｓｗｏｒｄ２０２４！", "mostly"),
    ],
)
def test_a_password_that_is_guessed_first_is_refused(password, why):
    """The sentence says what to do, Chinese and English, and never repeats what was typed."""
    with pytest.raises(WeakPassword, match=why) as said:
        check_password(password, "zhang.201")

    assert password not in str(said.value)
