"""Which passwords are refused when they are set: too short, too long, or of the kind that is guessed first.

Length, and no rule about kinds of characters: such rules make people write 1 and ! at the end. What is left after everything
guessable is taken out must still be long enough.
"""

import re

from spooler.daemon.login.password import normal

SHORTEST = 12
LONGEST = 128
_LEAST_LEFT = 8  # characters that are no word, year or row of keys
_LEAST_DIFFERENT = 6

# What is tried first, as it is written without the digits that stand for letters; pinyin as well.
_WORDS = (
    *("password", "passwd", "passphrase", "administrator", "admin", "root", "guest", "user", "login", "letmein"),
    *("welcome", "changeme", "secret", "default", "iloveyou", "master", "monkey", "dragon", "superman", "test", "demo"),
    *("certspool", "certificate", "printer", "spooler", "registry", "office", "window", "counter", "clerk", "hall"),
    *("woaini", "mima", "budongchan", "dengji", "zhengshu", "dayin", "dating", "chuangkou", "guanli", "guanliyuan"),
    *(
        "zhongguo",
        "beijing",
        "heilongjiang",
        "suihua",
        "xiamen",
        "不动产",
        "登记",
        "密码",
        "口令",
        "管理员",
        "证书",
        "打印",
    ),
)
_ROWS = (
    "01234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "!@#$%^&*()",
)
_STANDS_FOR = str.maketrans("@4031!$5", "aaoeiiss")
_REPEATED = re.compile(r"(.{1,6}?)\1{2,}")
_YEAR = re.compile(r"(?:19|20)\d\d(?:[01]\d[0-3]\d)?")


class WeakPassword(ValueError):
    """It is not taken; the sentence says what to do. It never holds the password."""


def check_password(password: str, account: str) -> None:
    """Return if it may be set for this account, or raise WeakPassword."""
    text = normal(password)
    if not SHORTEST <= len(text) <= LONGEST:
        raise WeakPassword(f"口令应为 {SHORTEST} 至 {LONGEST} 个字符 · {SHORTEST} to {LONGEST} characters are needed")
    if not text.isprintable():
        raise WeakPassword("口令含不可见字符 · it holds characters that cannot be seen")
    if len(set(text)) < _LEAST_DIFFERENT or text.isdecimal():
        raise WeakPassword(
            "口令过于简单，不能全为数字或少数几个字符 · too simple: all digits, or few different characters"
        )
    if len(_left(text, account)) < _LEAST_LEFT:
        raise WeakPassword(
            "口令多为常用词、账号名、年份或键盘顺序，请另选 · mostly common words, the account's id, years or rows of keys"
        )


def _left(text: str, account: str) -> str:
    """Return what remains when everything that is guessed first is taken out."""
    left = _YEAR.sub("", _REPEATED.sub(r"\1", text.casefold()))
    for row in _ROWS:
        left = _without_runs(left, row)
    for word in (account.casefold(), *_WORDS):
        left = _without(left, word)
    return left


def _without(text: str, word: str) -> str:
    """Take the word out, also where digits and signs stand for its letters."""
    plain, sought = text.translate(_STANDS_FOR), word.translate(_STANDS_FOR)
    while sought and (at := plain.find(sought)) >= 0:
        text, plain = text[:at] + text[at + len(word) :], plain[:at] + plain[at + len(word) :]
    return text


def _without_runs(text: str, row: str) -> str:
    """Take out four keys and more that lie side by side, in either direction."""
    for line in (row, row[::-1]):
        for size in range(len(line), 3, -1):
            for at in range(len(line) - size + 1):
                text = text.replace(line[at : at + size], "")
    return text
