"""The characters that the law wants: GB 18030-2022 level 3, and 通用规范汉字表."""

from functools import cache
from pathlib import Path

# GB 18030-2022, level 3 (§9.4: products for government and public services): all ideographs of the standard.
LEVEL_3_RANGES = (
    (0x4E00, 0x9FEF),  # the unified ideographs
    (0x3400, 0x4DB5),  # extension A
    (0x20000, 0x2A6D6),  # B
    (0x2A700, 0x2B734),  # C
    (0x2B740, 0x2B81D),  # D
    (0x2B820, 0x2CEA1),  # E
    (0x2CEB0, 0x2EBE0),  # F
)
# The twelve of the compatibility block that are no doubles of others.
LEVEL_3_SINGLE = (0xFA0E, 0xFA0F, 0xFA11, 0xFA13, 0xFA14, 0xFA1F, 0xFA21, 0xFA23, 0xFA24, 0xFA27, 0xFA28, 0xFA29)


@cache
def level_3() -> str:
    """Return the 87,887 ideographs of level 3."""
    codes = [code for first, last in LEVEL_3_RANGES for code in range(first, last + 1)]
    return "".join(map(chr, [*codes, *LEVEL_3_SINGLE]))


@cache
def standard_characters() -> str:
    """Return the 8,105 characters of 通用规范汉字表, in the table's order."""
    text = (Path(__file__).parent / "data" / "standard-characters.txt").read_text(encoding="utf-8")
    return "".join(line for line in text.split("\n") if not line.startswith("#"))
