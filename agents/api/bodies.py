"""What a person sends: each act's body. An unknown field is a mistake to be told, never ignored."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from agents.people import Identity, Recipient
from spooler.wire.messages import Stock

MOST = 1 << 31  # beyond any attempt, pass or version, and within what the ledger can be asked

Attempt = Annotated[
    int, Field(ge=0, le=MOST, description="The attempt that the caller saw; another answers 409 `stale`.")
]
Blank = Annotated[str, Field(min_length=1, max_length=16)]
Blanks = Annotated[list[Blank], Field(max_length=20)]
Reason = Annotated[str, Field(max_length=200)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReleaseBody(Body):
    """Release the first pass."""

    attempt: Attempt
    printer: Annotated[str | None, Field(max_length=63)] = None
    serial: Blank | None = None


class ReleasePassBody(Body):
    """Release a later pass, after the page is turned."""

    attempt: Attempt
    try_id: Annotated[UUID | None, Field(alias="try")] = None


class PrintCheckSheetBody(Body):
    """Print the sheet that the applicant reads over."""

    attempt: Attempt
    printer: Annotated[str | None, Field(max_length=63)] = None


class SignCheckSheetBody(Body):
    """The applicant signed this printing of it: `try` is that of `check_sheet.pass`."""

    attempt: Attempt
    try_id: Annotated[UUID, Field(alias="try")]


class ConfirmBody(Body):
    """The serials read off the paper: none on a plain sheet (then with a reason), several after a double feed."""

    attempt: Attempt
    serials: Blanks
    reason: Reason | None = None


class SpoilBody(Body):
    """The paper is wrong. `passes` says which, where it is not all that is on the numbered blank: a plain sheet goes alone."""

    attempt: Attempt
    blanks: Blanks
    reason: Reason
    passes: Annotated[list[Annotated[int, Field(ge=1, le=99)]], Field(max_length=99)] = []


class ReturnBody(Body):
    """The content is wrong."""

    attempt: Attempt
    reason: Reason
    fields: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=40)] = []
    blanks: Blanks = []


class ResolveBody(Body):
    """What became of a pass whose outcome is unknown."""

    attempt: Attempt
    number: Annotated[int, Field(alias="pass", ge=1, le=MOST)]
    try_id: Annotated[UUID, Field(alias="try")]
    outcome: Literal["printed", "spoiled", "nothing_printed"]
    blanks: Blanks = []
    reason: Reason | None = None


class RecipientBody(Body):
    """Who takes it. The four digits are compared with the ticket's and not kept."""

    role: Literal["holder", "agent", "courier"]
    party: int | Annotated[str, Field(max_length=64)] | None = None
    id_last4: Annotated[str | None, Field(pattern=r"^[0-9A-Za-z]{4}$")] = None


class IdentityBody(Body):
    """How the recipient was identified."""

    method: Annotated[str, Field(min_length=1, max_length=32)]
    result: Annotated[str, Field(min_length=1, max_length=32)]


class OldReturnedBody(Body):
    """The paper that this one replaces is taken back; its serial where it was read."""

    attempt: Attempt
    serial: Annotated[str | None, Field(pattern=r"^[A-Z]{0,2}[0-9]{11}$")] = None


class IssueBody(Body):
    """Hand over."""

    recipient: RecipientBody
    identity: IdentityBody
    attempt: Attempt | None = None

    def to_recipient(self) -> Recipient:
        return Recipient(role=self.recipient.role, party=self.recipient.party, id_last4=self.recipient.id_last4)

    def to_identity(self) -> Identity:
        return Identity(method=self.identity.method, result=self.identity.result)


class PointBody(Body):
    """The middle of one cross on the calibration sheet, mm from the left and the top edge of the paper."""

    cross: Annotated[int, Field(ge=1, le=99)]
    x: Annotated[float, Field(ge=-1000, le=2000, allow_inf_nan=False)]
    y: Annotated[float, Field(ge=-1000, le=2000, allow_inf_nan=False)]


class CalibrationBody(Body):
    """One act of calibrating a printer. `sheet` and `proof` say what paper lies in it now: plain, never a blank."""

    act: Literal["sheet", "solve", "enter", "proof", "accept"] = "enter"
    spread: Annotated[str, Field(max_length=16, description="The side: A, B, C of a booklet, P of a proof.")]
    paper: Literal["plain"] | None = None
    points: Annotated[list[PointBody], Field(max_length=20)] = []
    version: Annotated[int | None, Field(ge=1, le=MOST, description="Without it the newest.")] = None
    reason: Reason | None = None


class AnswerBody(Body):
    """A second person's answer."""

    accept: bool
    reason: Reason = ""


class FoundBody(Body):
    """One blank that was called void by a stop from home and lies in the tray, blank."""

    stock: Stock
    serial: Blank
    reason: Reason


class MoveBody(Body):
    """A range of blanks, both ends included."""

    stock: Stock
    first: Blank
    last: Blank
    printer: Annotated[str | None, Field(max_length=63)] = None
    reason: Reason | None = None
