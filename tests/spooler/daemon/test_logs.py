"""One JSON line an event, and no person in any of them."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from pydantic import BaseModel, ValidationError

from spooler.daemon import logs
from spooler.wire.errors import BadSignature

CANARY = "王小明230102199001011234"


@pytest.fixture
def told() -> Iterator:
    """Return what was logged, line by line; the process's logging is put back afterwards."""
    root = logging.getLogger()
    before = (
        root.handlers[:],
        root.level,
        {name: logging.getLogger(name).level for name in ("pika", "httpx", "uvicorn.access")},
    )
    stream = io.StringIO()
    logs.set_up(stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:], root.level = before[0], before[1]
    for name, level in before[2].items():
        logging.getLogger(name).setLevel(level)
    structlog.reset_defaults()


def test_an_event_is_one_json_line(told):
    structlog.get_logger("dispatch").info("order sent", order_id="o-1", hall="231282-01")

    (line,) = told()
    assert line.items() >= {"event": "order sent", "order_id": "o-1", "hall": "231282-01", "level": "info"}.items()
    assert line["at"].endswith("Z")


@pytest.mark.attack_row("S38")
def test_a_newline_in_a_value_makes_no_second_line(told):
    """S38: nobody forges an event by what he sends."""
    structlog.get_logger().warning("refused", code='x\n{"event": "forged"}\x1b[2K')

    (line,) = told()
    assert line["code"] == 'x\n{"event": "forged"}\x1b[2K'


@pytest.mark.parametrize("field", sorted(logs.PERSONAL_FIELDS | logs.SECRET_FIELDS))
def test_a_personal_or_secret_field_is_withheld(told, field):
    structlog.get_logger().info("slip of the pen", **{field: CANARY})

    assert told()[0][field] == logs.WITHHELD


def test_an_exceptions_text_is_not_told(told):
    """Libraries put the offending value into it."""

    class Holder(BaseModel):
        mobile: int

    try:
        Holder.model_validate({"mobile": CANARY})
    except ValidationError:
        structlog.get_logger().exception("not read")

    (line,) = told()
    assert CANARY not in json.dumps(line, ensure_ascii=False)
    assert line["exception"]["type"] == "ValidationError"
    assert "test_logs.py" in line["exception"]["at"][0]


def test_an_error_of_ours_is_told_with_its_sentence_and_its_cause(told):
    """They are written for the person who must act, and hold ids only."""
    try:
        try:
            raise ValueError(CANARY)
        except ValueError as e:
            raise BadSignature("the ticket of order o-1 is not signed by 231221") from e
    except BadSignature as e:
        structlog.get_logger().error("refused", exc_info=e)

    (line,) = told()
    assert line["exception"]["message"] == "the ticket of order o-1 is not signed by 231221"
    assert line["exception"]["cause"]["type"] == "ValueError"
    assert CANARY not in json.dumps(line, ensure_ascii=False)


def test_a_librarys_log_has_the_same_form(told):
    """uvicorn, alembic and the others end in the same stream, with exceptions told the same way."""
    try:
        raise KeyError(CANARY)
    except KeyError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")

    (line,) = told()
    assert (line["logger"], line["event"], line["level"]) == ("uvicorn.error", "Exception in ASGI application", "error")
    assert line["exception"]["type"] == "KeyError"
    assert CANARY not in json.dumps(line, ensure_ascii=False)


def test_chatter_of_libraries_is_left_out(told):
    logging.getLogger("pika.adapters").warning("connection lost for the tenth time")
    logging.getLogger("httpx").info("HTTP Request: POST https://registration.example/hook")
    structlog.get_logger().debug("too fine")

    assert told() == []


@pytest.mark.attack_row("S38")
@pytest.mark.parametrize(
    "character", ["\n", "\r", "\x1b", "\x9b", "\x7f", "\x00", "\u2028", "\u202e", "\u200b", "\ufeff", "\ud800"]
)
def test_no_character_of_a_value_moves_a_terminal(character):
    """Newlines, ANSI sequences in seven and in eight bits, directions, halves of a character: all as \\u…."""
    line = logs.as_line({"job_id": f"a{character}[31mb", f"key{character}": "王"})

    assert character not in line
    assert json.loads(line) == {"job_id": f"a{character}[31mb", f"key{character}": "王"}
    assert "王" in line
