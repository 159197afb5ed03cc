"""Step 2c: what passes between us and the process that parses foreign files: one question, one answer, nothing that could run.

The answer may come from a process that its file has taken over. It is read as data of a strict shape, never unpickled.
"""

import socket
from dataclasses import dataclass
from time import monotonic
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from spooler.render.annex.values import BadAnnex, Lot, Neighbours, NormalAnnex, Parcel, Role, Side
from spooler.render.codes import RenderCode

MOST_ANSWER_BYTES = 512 << 20  # the largest picture we take, uncompressed, stays below
_PIECE = 1 << 20
_HEAD = 8  # the length of the head comes first
_MOST_POINTS = 3000
_MOST_RINGS = 1000
_Length = Annotated[float, Field(gt=0, lt=1e6)]
_Metres = Annotated[FiniteFloat, Field(gt=-1e9, lt=1e9)]
_Ring = Annotated[tuple[tuple[_Metres, _Metres], ...], Field(min_length=3, max_length=_MOST_POINTS)]
_Polygon = Annotated[tuple[_Ring, ...], Field(min_length=1, max_length=_MOST_RINGS)]
_Text = Annotated[str, Field(max_length=200)]


class BadAnswer(Exception):
    """The process ended, or said what none of ours says."""


@dataclass(frozen=True)
class Question:
    """One file to read, and what its reader may use."""

    role: str
    media_type: str
    content: bytes
    memory_bytes: int
    seconds: float


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    role: str
    media_type: str
    memory_bytes: int
    seconds: float


class _Lot(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    polygons: Annotated[tuple[_Polygon, ...], Field(min_length=1, max_length=_MOST_RINGS)]
    code: _Text
    stated_area: FiniteFloat | None
    neighbours: tuple[_Text, _Text, _Text, _Text]


class _Parcel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    lots: Annotated[tuple[_Lot, ...], Field(min_length=1, max_length=_MOST_RINGS)]
    system: _Text

    def read(self) -> Parcel:
        lots = tuple(Lot(lot.polygons, lot.code, lot.stated_area, Neighbours(*lot.neighbours)) for lot in self.lots)
        parcel = Parcel(lots, self.system)
        if sum(map(len, parcel.rings)) > _MOST_POINTS:
            raise BadAnswer("its parcel has more points than are ever drawn")
        return parcel


class _Good(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    is_good: Literal[True]
    role: Role
    sides: tuple[tuple[_Length, _Length], ...]
    is_picture: bool
    parcel: _Parcel | None
    notes: tuple[tuple[RenderCode, str], ...]
    own_size: tuple[_Length, _Length] | None
    is_grey: bool
    lettering: tuple[_Length | None, ...]


class _Bad(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    is_good: Literal[False]
    code: RenderCode
    message: str
    part: str


class _Answer(BaseModel):
    said: _Good | _Bad = Field(discriminator="is_good")


def write_question(to: socket.socket, question: Question) -> None:
    asked = _Asked(
        role=question.role,
        media_type=question.media_type,
        memory_bytes=question.memory_bytes,
        seconds=question.seconds,
    )
    _write(to, asked.model_dump_json().encode(), question.content)


def read_question(asked: socket.socket) -> Question:
    head, content = _read(asked, deadline=None)
    said = _Asked.model_validate_json(head)
    return Question(said.role, said.media_type, content, said.memory_bytes, said.seconds)


def write_answer(to: socket.socket, answer: NormalAnnex | BadAnnex) -> None:
    said = _bad(answer) if isinstance(answer, BadAnnex) else _good(answer)
    content = b"" if isinstance(answer, BadAnnex) else answer.pdf
    _write(to, _Answer(said=said).model_dump_json().encode(), content)


def read_answer(answered: socket.socket, deadline: float) -> NormalAnnex:
    """Return what was read; raise BadAnnex as the reader did, TimeoutError at the deadline, or BadAnswer."""
    head, pdf = _read(answered, deadline)
    try:
        said = _Answer.model_validate_json(head).said
    except ValidationError as e:
        raise BadAnswer("its answer has another shape") from e
    if isinstance(said, _Bad):
        raise BadAnnex(said.code, said.message, said.part)
    return NormalAnnex(
        said.role,
        sides=tuple(Side(*side) for side in said.sides),
        pdf=pdf,
        is_picture=said.is_picture,
        parcel=None if said.parcel is None else said.parcel.read(),
        notes=said.notes,
        own_size=None if said.own_size is None else Side(*said.own_size),
        is_grey=said.is_grey,
        lettering=said.lettering,
    )


def _good(annex: NormalAnnex) -> _Good:
    return _Good(
        is_good=True,
        role=annex.role,
        sides=tuple((side.width, side.height) for side in annex.sides),
        is_picture=annex.is_picture,
        parcel=_parcel(annex.parcel) if annex.parcel else None,
        notes=annex.notes,
        own_size=(annex.own_size.width, annex.own_size.height) if annex.own_size else None,
        is_grey=annex.is_grey,
        lettering=annex.lettering,
    )


def _parcel(parcel: Parcel) -> _Parcel:
    lots = tuple(
        _Lot(
            polygons=lot.polygons,
            code=lot.code,
            stated_area=lot.stated_area,
            neighbours=(lot.neighbours.north, lot.neighbours.east, lot.neighbours.south, lot.neighbours.west),
        )
        for lot in parcel.lots
    )
    return _Parcel(lots=lots, system=parcel.system)


def _bad(error: BadAnnex) -> _Bad:
    return _Bad(is_good=False, code=error.code, message=error.message, part=error.part)


def _write(to: socket.socket, head: bytes, content: bytes) -> None:
    to.sendall(len(head).to_bytes(_HEAD, "big") + head)
    to.sendall(content)
    to.shutdown(socket.SHUT_WR)


def _read(source: socket.socket, deadline: float | None) -> tuple[bytes, bytes]:
    """Return head and content, all that comes until the other side has said its last."""
    said = bytearray()
    while piece := _piece(source, deadline):
        said += piece
        if len(said) > MOST_ANSWER_BYTES:
            raise BadAnswer("its answer has no end")
    end = _HEAD + int.from_bytes(said[:_HEAD], "big")
    if len(said) < max(end, _HEAD + 1):
        raise BadAnswer("it ended without an answer")
    return bytes(said[_HEAD:end]), bytes(said[end:])


def _piece(source: socket.socket, deadline: float | None) -> bytes:
    if deadline is not None:
        source.settimeout(max(0.001, deadline - monotonic()))
    return source.recv(_PIECE)
