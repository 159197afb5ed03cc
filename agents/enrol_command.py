"""`certspool-agent enrol`: asks, waits, and says what is to be done."""

import time
from datetime import UTC, datetime
from pathlib import Path

import typer

from agents.enrol import EnrolmentFailed, HomeUnreachable, Place, enrol
from agents.terminal import fail
from spooler.wire.enrolment import BadCode, EnrolmentCode
from spooler.wire.errors import WireError

EVERY_SECONDS = 5.0
FAILED, WRONG_USAGE, REFUSED, NOT_REACHABLE = 1, 2, 3, 4


def run(typed: str, home: str, directory: Path, minutes: int) -> None:
    """Enrol, or end the command with what is wrong."""
    give_up = time.monotonic() + 60 * minutes

    def wait() -> bool:
        if time.monotonic() >= give_up:
            return False
        time.sleep(EVERY_SECONDS)
        return True

    try:
        code = EnrolmentCode.parse(typed)
        is_done = enrol(home, code, Place(directory), datetime.now(UTC), wait=wait, tell=_tell)
    except BadCode as e:
        fail(f"注册码有误 · {e}", WRONG_USAGE)
    except (EnrolmentFailed, WireError) as e:
        fail(str(e), REFUSED)
    except HomeUnreachable as e:
        fail(str(e), NOT_REACHABLE)
    except OSError as e:
        fail(f"{e.filename}: {e.strerror}", FAILED)
    if not is_done:
        fail("尚无答复，请稍后以同一注册码再次运行 · no answer yet: run it again with the same code", FAILED)
    typer.echo(f"已注册 · enrolled: {directory}/credentials and {directory}/trust go into hall.toml;")
    typer.echo(f"{directory}/grant.pem 交授权人保管 · goes to whoever agrees on grants, and not into the agent's reach")


def _tell(fingerprint: str) -> None:
    typer.echo(f"指纹 · fingerprint: {fingerprint}")
    typer.echo("请电话告知登记机构 · read it out to the person at home; waiting for the answer")
