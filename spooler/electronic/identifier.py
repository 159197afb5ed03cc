"""What names an electronic certificate: its identifier (电子证照标识), and the issuer's credit code in it.

    1.2.156.3005.2.<type>.<issuer's credit code>.<9 digits>.<3-digit edition>.<check>

The check character is ISO 7064 MOD 37,36 over type, issuer, serial and edition without the dots; the root is not in it.
"""

from dataclasses import dataclass

from stdnum.cn import uscc
from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_37_36

ROOT = "1.2.156.3005.2"
# The credit code of the ministry that governs both documents, and their numbers in its catalogue.
TYPES = {"certificate": "11100000MB03271699001", "proof": "11100000MB03271699022"}
LAST_SERIAL = 999_999_999
LAST_EDITION = 999


class NotACreditCode(ValueError):
    """Not a unified social credit code by GB 32100."""


@dataclass(frozen=True)
class Identity:
    """Which certificate, by which issuer; its editions are files of the same certificate."""

    kind: str
    issuer: str
    serial: int

    def identifier(self, edition: int) -> str:
        """Return the identifier of that edition with its check character."""
        if not (0 < self.serial <= LAST_SERIAL and 0 < edition <= LAST_EDITION):
            raise ValueError(f"serial {self.serial}, edition {edition}: an identifier has 9 and 3 digits for them")
        parts = [TYPES[self.kind], self.issuer, f"{self.serial:09d}", f"{edition:03d}"]
        return ".".join([ROOT, *parts, mod_37_36.calc_check_digit("".join(parts))])


@dataclass(frozen=True)
class NewElectronic:
    """What an electronic certificate is opened with."""

    code: str
    registry_name: str
    issuer: str
    first_serial: int = 1


def is_identifier(text: str) -> bool:
    """Say whether the text is an identifier whose check character is right."""
    parts = text.removeprefix(f"{ROOT}.").split(".")
    return text.startswith(f"{ROOT}.") and len(parts) == 5 and bool(mod_37_36.is_valid("".join(parts)))


def credit_code(text: str) -> str:
    """Return the code in its one spelling, or raise NotACreditCode."""
    try:
        return str(uscc.validate(text))
    except ValidationError:
        raise NotACreditCode("not a unified social credit code (18 characters, GB 32100)") from None
