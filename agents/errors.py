"""What can go wrong in a hall, split by who must act.

HallError
├── NotFound         the caller: no such order, approval, printer, blank
├── Invalid          the caller: a field is not what it must be
├── DoesNotFit       the clerk: the state is another; `fits` says what would do
│   └── Stale        the clerk: somebody was faster, look again
├── Destroyed        nobody: it was kept as long as it was to be
└── NotAllowed       another account: this one may not

Why an order is not trusted is the wire's word: `spooler.wire.refusal`.
"""

from collections.abc import Sequence


class HallError(Exception):
    """Something that a person reads: what happened, to what, and what to do."""

    code = "hall"


class NotFound(HallError):
    code = "not-found"


class Invalid(HallError):
    """A field of the call is wrong, whatever the state is."""

    def __init__(self, field: str, code: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.code = code


class DoesNotFit(HallError):
    """The call does not fit the state; `fits` names the acts that would."""

    code = "does-not-fit"

    def __init__(self, message: str, *, fits: Sequence[str] = (), code: str | None = None) -> None:
        super().__init__(message)
        self.fits = tuple(fits)
        self.code = code or type(self).code


class Stale(DoesNotFit):
    """The caller saw an older attempt or try."""

    code = "stale"


class Destroyed(HallError):
    """The order has ended, and what concerned persons is destroyed."""

    code = "document-destroyed"


class NotAllowed(HallError):
    """This account may not do it: a role is missing, or a second person is needed."""

    code = "not-allowed"
