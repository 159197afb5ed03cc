"""`certspool hall code | enrolments | accept | refuse`: a new hall that makes its keys itself (docs/enrolment.md)."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from spooler.cli.client import DEFAULT_API, Api, ApiOption, Exit, JsonOption, TokenFileOption, fail
from spooler.seal.enrol import NewcomerRequest, OtherFingerprint, take_in
from spooler.wire.errors import WireError
from spooler.wire.files import AlreadyThere
from spooler.wire.trust import SiteKind

HallArgument = Annotated[str, typer.Argument(help="大厅 · <county>-NN.")]
FingerprintOption = Annotated[
    str, typer.Option("--fingerprint", help="指纹 · As the person at the hall reads it out, not as it stands here.")
]


def code(
    hall: HallArgument,
    name: Annotated[str, typer.Option(help="名称 · Its name.")] = "",
    site: Annotated[
        SiteKind, typer.Option(help="场所类别 · What it is, and so what may be printed there.")
    ] = SiteKind.HALL,
    hours: Annotated[int, typer.Option(min=1, max=168, help="有效期 · How long the code is good.")] = 24,
    api: ApiOption = DEFAULT_API,
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """一次性注册码 · A one-time code for a new hall: certspool-agent enrol CODE. Told once; a new one ends the one before.

    Example: certspool hall code 231282-02 --name 肇东市第二大厅
    """
    wanted = {"hall": hall, "name": name, "site": site.value, "hours": hours}
    _, given = Api(api, token_file, as_json=as_json).post("/v1/enrolments/codes", wanted)
    if as_json:
        typer.echo(json.dumps(given, ensure_ascii=False))
    else:
        typer.echo(f"{given['code']}\n有效至 · good until {given['expires_at']}, for one request")


def waiting(api: ApiOption = DEFAULT_API, token_file: TokenFileOption = None, as_json: JsonOption = False) -> None:
    """待核对的大厅 · Halls that have asked, and wait for their fingerprint to be compared.

    Example: certspool hall enrolments
    """
    found = Api(api, token_file, as_json=as_json).get("/v1/enrolments")
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    for one in () if as_json else found["enrolments"]:
        typer.echo(f"{one['hall']}  {one['name']}  {one['site']}  {one['asked_at']}")


def accept(
    hall: HallArgument,
    directory: Annotated[Path, typer.Option("--dir", help="密钥目录 · Where keys and trust records are kept.")],
    fingerprint: FingerprintOption,
    api: ApiOption = DEFAULT_API,
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """接纳大厅 · Take a hall in whose person has read out the same fingerprint: its trust record, its certificate at the broker.

    Another fingerprint is somebody else who has the code: nothing is done, exit code 3. Run it where the authority is.

    Example: certspool hall accept 231282-02 --dir /etc/certspool/pki --fingerprint 3f2a-91c0-77de-0b12
    """
    home = Api(api, token_file, as_json=as_json)
    try:
        answer = take_in(directory, _asked(home, hall), fingerprint, datetime.now(UTC))
    except (OtherFingerprint, WireError) as e:
        fail(f"拒绝 · {e}", Exit.REFUSED)
    except (AlreadyThere, OSError) as e:
        fail(str(e), Exit.FAILED)
    decided = {"fingerprint": answer.fingerprint, "answer": answer.to_bytes().decode()}
    home.post(f"/v1/enrolments/{quote(hall, safe='')}/decision", decided)
    _tell(
        {"hall": hall, "state": "accepted", "next": "trust/ goes to every machine; certspool broker apply; grants"},
        as_json,
    )


def refuse(
    hall: HallArgument, api: ApiOption = DEFAULT_API, token_file: TokenFileOption = None, as_json: JsonOption = False
) -> None:
    """拒绝大厅 · Refuse what has asked under this hall's name; it needs another code.

    Example: certspool hall refuse 231282-02
    """
    home = Api(api, token_file, as_json=as_json)
    _, decided = home.post(
        f"/v1/enrolments/{quote(hall, safe='')}/decision", {"fingerprint": _waiting_one(home, hall)["fingerprint"]}
    )
    _tell(decided, as_json)


def _asked(home: Api, hall: str) -> NewcomerRequest:
    one = _waiting_one(home, hall)
    return NewcomerRequest(
        hall=one["hall"],
        name=one["name"],
        site=SiteKind(one["site"]),
        request=one["request"].encode(),
        signature=bytes.fromhex(one["signature"]),
    )


def _waiting_one(home: Api, hall: str) -> dict[str, Any]:
    found = [one for one in home.get("/v1/enrolments")["enrolments"] if one["hall"] == hall]
    if not found:
        fail(f"{hall} 没有待核对的请求 · has not asked, or was decided about", Exit.REFUSED)
    return dict(found[0])


def _tell(told: dict[str, Any], as_json: bool) -> None:
    typer.echo(json.dumps(told, ensure_ascii=False) if as_json else "  ".join(str(value) for value in told.values()))
