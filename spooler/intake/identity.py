"""Identity numbers of the parties: what their check digits and dates say.

公民身份号码 GB 11643 (ISO 7064 MOD 11-2) and 统一社会信用代码 GB 32100 (MOD 31). A wrong check digit is an error. An area code
that did not exist at the birth date is only a warning: real registers hold such people.
"""

import re
from collections.abc import Iterator
from datetime import date

from stdnum.cn import ric, uscc
from stdnum.exceptions import ValidationError

from spooler.errors import Code

# 证件种类 of the registration systems: 1 身份证; 6 组织机构代码, 7 营业执照, 8 统一社会信用代码 (all three may hold the 18 characters).
RESIDENT_ID = "1"
ORGANISATIONS = frozenset({"6", "7", "8"})

_RESIDENT = re.compile(r"[0-9]{17}[0-9Xx]")
_RESIDENT_OF_OLD = re.compile(r"[0-9]{15}")
# GB 32100 leaves out I O Z S V. Its first two characters may be letters (N2 is a village's economic cooperative).
_ORGANISATION = re.compile(r"[0-9A-HJ-NP-RTUWXY]{2}[0-9]{6}[0-9A-HJ-NP-RTUWXY]{10}")


def id_number_errors(id_type: str, number: str, today: date) -> Iterator[Code]:
    """Yield what makes this number wrong."""
    if id_type == RESIDENT_ID:
        yield from _resident_errors(number, today)
    elif id_type in ORGANISATIONS and len(number) == 18:
        yield from _organisation_errors(number)


def id_number_warnings(id_type: str, number: str) -> Iterator[Code]:
    """Yield what is strange about a number that is not wrong."""
    if id_type != RESIDENT_ID:
        return
    if len(number) == 15:
        yield Code.OLD_ID_NUMBER
    elif not _area_existed(number):
        yield Code.UNKNOWN_AREA


def _resident_errors(number: str, today: date) -> Iterator[Code]:
    if _RESIDENT_OF_OLD.fullmatch(number):
        born = "19" + number[6:12]
    elif _RESIDENT.fullmatch(number):
        born = number[6:14]
        if number[-1].upper() != ric.calc_check_digit(number):
            yield Code.CHECK_DIGIT
    else:
        yield Code.BAD_FORMAT
        return
    if not _is_past_day(born, today):
        yield Code.NO_SUCH_DATE


def _organisation_errors(number: str) -> Iterator[Code]:
    if not _ORGANISATION.fullmatch(number):
        yield Code.BAD_FORMAT
    elif number[-1] != uscc.calc_check_digit(number):
        yield Code.CHECK_DIGIT


def _is_past_day(digits: str, today: date) -> bool:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])) <= today
    except ValueError:
        return False


def _area_existed(number: str) -> bool:
    try:
        ric.get_birth_place(number)
    except ValidationError:
        return False
    return True
