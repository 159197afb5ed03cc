"""不动产单元号 (GB/T 37346): the codes, and the printed text that names them."""

import re
from collections.abc import Iterator, Sequence

from spooler.errors import Code, Finding, finding

# county 6 · area 3 · sub-area 3 · ownership · kind · 5 digits · W00000000 (no building) or fixture letter and 8 digits
_CODE = r"[0-9]{12}[GJZ][ABCDEFGHLNSWXY][0-9]{5}(?:W00000000|[FLQ][0-9]{8})"
_UNIT = re.compile(_CODE)
_LIST = re.compile(rf"(?:{_CODE}[、，,；;]?)+")
_AND_OTHERS = re.compile(r"等(?:([0-9]+|[一二三四五六七八九十百千]+)个)?(?:单元)?$")


def unit_findings(units: Sequence[str], registry: str) -> Iterator[Finding]:
    """Check each code: its form, its county, and that it stands once."""
    seen: set[str] = set()
    for index, unit in enumerate(units):
        if not _UNIT.fullmatch(unit):
            yield finding(f"document.units.{index}", Code.UNIT_NUMBER)
        elif not unit.startswith(registry):
            yield finding(f"document.units.{index}", Code.ANOTHER_COUNTY)
        elif unit in seen:
            yield finding(f"document.units.{index}", Code.REPEATED)
        seen.add(unit)


def names_the_units(printed: str, units: Sequence[str]) -> bool:
    """Say whether the printed text names these units: all of them, or some and 等 or 等N个 of the right N."""
    text = re.sub(r"\s", "", printed)
    others = _AND_OTHERS.search(text)
    listed = text[: others.start()] if others else text
    if not _LIST.fullmatch(listed):
        return False
    named = set(_UNIT.findall(listed))
    if others is None:
        return named == set(units)
    count = others.group(1)
    return named <= set(units) and (count is None or not count.isdecimal() or int(count) == len(units))
