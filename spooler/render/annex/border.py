"""Step 2c: what passes between us and the process that parses foreign files: one question, one answer, nothing that could run.

The answer may come from a process that its file has taken over. It is read as data of a strict shape, never unpickled.
"""

import socket
from dataclasses import dataclass
from time import monotonic
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spooler.render.annex.values import BadAnnex, NormalAnnex, Parcel, Role, Side
from spooler.render.codes import RenderCode

MOST_ANSWER_BYTES = 512 << 20  # the largest picture we take, uncompressed, stays below
_PIECE = 1 << 20
_HEAD = 8  # the length of the head comes first
_Point = tuple[float, float]


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


class _Good(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    is_good: Literal[True]
    role: Role
    sides: tuple[tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]], ...]
    is_picture: bool
    parcel: tuple[tuple[_Point, ...], ...] | None
    notes: tuple[tuple[RenderCode, str], ...]


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
    sides = tuple(Side(*side) for side in said.sides)
    parcel = None if said.parcel is None else Parcel(said.parcel)
    return NormalAnnex(said.role, sides, pdf, said.is_picture, parcel, said.notes)


def _good(annex: NormalAnnex) -> _Good:
    return _Good(
        is_good=True,
        role=annex.role,
        sides=tuple((side.width, side.height) for side in annex.sides),
        is_picture=annex.is_picture,
        parcel=annex.parcel.rings if annex.parcel else None,
        notes=annex.notes,
    )


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
