"""编号№ of blanks: up to two letters and eleven digits. Each stock has a number space of its own."""

import re
from dataclasses import dataclass

from agents.errors import Invalid

_PATTERN = re.compile(r"([A-Z]{0,2})(\d{11})")
LARGEST_RANGE = 1_000_000


@dataclass(frozen=True, order=True)
class Serial:
    """One number: letters, and digits as a number."""

    prefix: str
    number: int

    def __str__(self) -> str:
        return f"{self.prefix}{self.number:011d}"


def parse_serial(text: str, field: str = "serial") -> Serial:
    """Return the serial, or raise Invalid naming the field."""
    found = _PATTERN.fullmatch(text)
    if found is None:
        raise Invalid(field, "serial", f"编号格式不对 · {field} is not up to two letters and eleven digits")
    return Serial(found[1], int(found[2]))


def parse_range(first: str, last: str) -> tuple[Serial, Serial]:
    """Return both ends of a range of one pattern, or raise Invalid."""
    low, high = parse_serial(first, "first"), parse_serial(last, "last")
    if low.prefix != high.prefix or high < low:
        raise Invalid("last", "range", "起止编号不成区间 · last must follow first, with the same letters")
    if high.number - low.number >= LARGEST_RANGE:
        raise Invalid("last", "range", f"区间过大 · at most {LARGEST_RANGE} blanks move at once")
    return low, high
