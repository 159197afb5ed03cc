"""`certspool grant`: which registry may print what at which hall, signed by both sides, withdrawn by either (docs/grants.md)."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from spooler.cli.client import Exit, JsonOption, fail
from spooler.seal import grants as signed_grants
from spooler.wire.errors import WireError
from spooler.wire.files import AlreadyThere
from spooler.wire.granting import CannotGrant, GrantDesk
from spooler.wire.granting_days import BadDay, window
from spooler.wire.granting_told import told, told_lines
from spooler.wire.grants import Side
from spooler.wire.keys import SigningKey

KINDS = "certificate,proof,record"

app = typer.Typer(no_args_is_help=True, help="互授权限 · Grants, signed by both sides.")

DirectoryOption = Annotated[Path, typer.Option("--dir", help="密钥目录 · Where keys and trust records are kept.")]
RegistryOption = Annotated[str, typer.Option(help="登记机构代码 · Six digits.")]
HallOption = Annotated[str, typer.Option(help="大厅 · <county>-NN.")]
KeyOption = Annotated[
    Path | None,
    typer.Option("--key", dir_okay=False, help="The registry's grant key; default: grants/<registry>.pem."),
]


@app.callback()
def group() -> None:
    """互授权限 · Which registry may print which kinds at which hall: signed by both, withdrawn by either."""


@app.command()
def offer(
    directory: DirectoryOption,
    registry: RegistryOption,
    hall: HallOption,
    kinds: Annotated[str, typer.Option(help="种类，逗号分隔 · Kinds, comma separated.")] = KINDS,
    begins: Annotated[str, typer.Option("--from", help="起始日 · From this day on, as 2027-01-01; default: now.")] = "",
    ends: Annotated[str, typer.Option("--until", help="截止日 · Including this day; default: five years.")] = "",
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """提出授权 · Sign a grant for the registry. It holds once the hall has agreed; until then the one before does.

    Example: certspool grant offer --dir pki --registry 231221 --hall 231282-01 --kinds certificate,proof --until 2029-12-31
    """
    now = datetime.now(UTC)
    try:
        first, last = window(begins, ends, now)
    except BadDay as e:
        fail(str(e), Exit.WRONG_USAGE)
    with _failures_told():
        done = GrantDesk(directory / "trust", Side.REGISTRY).offer(
            (registry, hall),
            [kind.strip() for kind in kinds.split(",") if kind.strip()],
            not_before=first,
            not_after=last,
            at=now,
            key=_key(directory, registry, key),
        )
    typer.echo(told(done, as_json))


@app.command()
def accept(
    directory: DirectoryOption,
    registry: RegistryOption,
    hall: HallOption,
    file: Annotated[
        Path | None, typer.Argument(dir_okay=False, help="The hall's offer; default: the newest in trust/grants/.")
    ] = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """同意授权 · Sign what the hall has offered: from then on it is a grant. Carry the file to both sides.

    Example: certspool grant accept --dir pki --registry 231221 --hall 231282-01
    """
    with _failures_told():
        desk = GrantDesk(directory / "trust", Side.REGISTRY)
        content = file.read_bytes() if file else desk.waiting((registry, hall))
        done = desk.agree(content, _key(directory, registry, key), only=(registry, hall))
    typer.echo(told(done, as_json))


@app.command()
def withdraw(
    directory: DirectoryOption,
    registry: RegistryOption,
    hall: HallOption,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """撤回授权 · Nothing that was granted up to now holds any more. The home that sees the file tells the hall within a minute.

    The registry's ticket key does as well (--key): to take away needs no key that is locked up somewhere.

    Example: certspool grant withdraw --dir pki --registry 231221 --hall 231282-01
    """
    with _failures_told():
        done = GrantDesk(directory / "trust", Side.REGISTRY).withdraw(
            (registry, hall), at=datetime.now(UTC), key=_key(directory, registry, key)
        )
    typer.echo(told(done, as_json))


@app.command("list")
def list_(
    directory: Annotated[Path | None, typer.Option("--dir", help="密钥目录 · Its trust/ is looked at.")] = None,
    trust: Annotated[Path | None, typer.Option("--trust", file_okay=False, help="Or a trust directory.")] = None,
    as_json: JsonOption = False,
) -> None:
    """列出授权 · Every grant, offer and withdrawal, and every file that is none: 0, or 1 if one cannot be believed.

    Example: certspool grant list --dir pki
    """
    if (directory is None) == (trust is None):
        fail("one of --dir and --trust", Exit.WRONG_USAGE)
    with _failures_told():
        judged = GrantDesk(trust or (directory or Path()) / "trust", Side.REGISTRY).look()
    typer.echo("\n".join(told_lines(judged, datetime.now(UTC), as_json)))
    raise typer.Exit(Exit.FAILED if any(fault.code == "not-believed" for fault in judged.faults) else Exit.DONE)


@app.command("sign-all")
def sign_all(directory: DirectoryOption, as_json: JsonOption = False) -> None:
    """全部签署 · Move over from the plain list: sign for both sides what trust/grants.json grants, whose keys lie in this directory.

    Makes the grant keys that are missing. Then trust/ goes to every machine, and each daemon is started again: docs/grants.md.

    Example: certspool grant sign-all --dir pki
    """
    with _failures_told():
        pairs = signed_grants.sign_all(directory, datetime.now(UTC))
    if as_json:
        typer.echo(json.dumps({"signed": [{"registry": registry, "hall": hall} for registry, hall in pairs]}))
    else:
        typer.echo(f"已签署 · {len(pairs)} grants signed; trust/ goes to every machine, then each daemon is restarted")


@contextmanager
def _failures_told() -> Iterator[None]:
    try:
        yield
    except CannotGrant as e:
        fail(f"不能授权 · {e}", Exit.REFUSED)
    except (OSError, ValidationError, AlreadyThere) as e:
        fail(str(e), Exit.FAILED)


def _key(directory: Path, registry: str, file: Path | None) -> SigningKey:
    path = file or signed_grants.credential(directory, Side.REGISTRY, registry)
    try:
        return SigningKey.from_pem(path.read_bytes())
    except (ValueError, WireError) as e:
        raise CannotGrant(f"{path} is no signing key") from e
