"""`certspool-agent grant`: what a registry may print at this hall: offer, accept, withdraw, list. Needs no agent (docs/grants.md)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agents.terminal import JsonOption, fail

if TYPE_CHECKING:
    from agents.settings import HallSection
    from spooler.wire.granting import GrantDesk
    from spooler.wire.keys import SigningKey

ConfigOption = Annotated[Path, typer.Option(exists=True, dir_okay=False, help="配置文件 · The hall's settings (TOML).")]
RegistryOption = Annotated[str, typer.Option(help="登记机构代码 · Six digits.")]
GrantKeyOption = Annotated[
    Path, typer.Option("--key", exists=True, dir_okay=False, help="The hall's grant key, which no daemon holds.")
]

grant = typer.Typer(
    no_args_is_help=True, help="互授权限 · What a registry may print here: signed by both, withdrawn by either."
)


@grant.command()
def offer(
    config: ConfigOption,
    registry: RegistryOption,
    key: GrantKeyOption,
    kinds: Annotated[str, typer.Option(help="种类，逗号分隔 · Kinds, comma separated.")] = "certificate,proof,record",
    begins: Annotated[str, typer.Option("--from", help="起始日 · From this day on, as 2027-01-01; default: now.")] = "",
    ends: Annotated[str, typer.Option("--until", help="截止日 · Including this day; default: five years.")] = "",
    as_json: JsonOption = False,
) -> None:
    """提出授权 · Sign that the registry may print these kinds here; it holds once the registry has signed too.

    Example: certspool-agent grant offer --config hall.toml --registry 231221 --key grant.pem --kinds proof
    """
    from spooler.wire.granting_days import BadDay, window
    from spooler.wire.granting_told import told

    now = _now()
    try:
        first, last = window(begins, ends, now)
    except BadDay as e:
        fail(str(e), 2)
    with _at_the_desk(config) as (desk, hall):
        done = desk.offer(
            (registry, hall.id),
            [kind.strip() for kind in kinds.split(",") if kind.strip()],
            not_before=first,
            not_after=last,
            at=now,
            key=_key(hall, key),
        )
    typer.echo(told(done, as_json))


@grant.command()
def accept(
    config: ConfigOption,
    registry: RegistryOption,
    key: GrantKeyOption,
    file: Annotated[
        Path | None, typer.Argument(dir_okay=False, help="The registry's offer; default: the newest in trust/grants/.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """同意授权 · Sign what the registry has offered: from then on it is a grant. Carry the file back to the registry.

    Example: certspool-agent grant accept 231221.231282-01.1.json --config hall.toml --registry 231221 --key grant.pem
    """
    from spooler.wire.granting_told import told

    with _at_the_desk(config) as (desk, hall):
        content = file.read_bytes() if file else desk.waiting((registry, hall.id))
        done = desk.agree(content, _key(hall, key), only=(registry, hall.id))
    typer.echo(told(done, as_json))


@grant.command()
def withdraw(
    config: ConfigOption,
    registry: RegistryOption,
    key: Annotated[
        Path | None, typer.Option("--key", dir_okay=False, help="The hall's grant key; default: its report key.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """撤回授权 · This registry prints nothing new here. The agent sees it within seconds and tells the registry's home.

    Example: certspool-agent grant withdraw --config hall.toml --registry 231221
    """
    from spooler.wire.granting_told import told

    with _at_the_desk(config) as (desk, hall):
        chosen = _key(hall, key)
        done = desk.withdraw((registry, hall.id), at=_now(), key=chosen)
    typer.echo(told(done, as_json))


@grant.command("list")
def list_(config: ConfigOption, as_json: JsonOption = False) -> None:
    """列出授权 · Every grant, offer and withdrawal of the trust directory: 0, or 1 if a file cannot be believed.

    Example: certspool-agent grant list --config hall.toml
    """
    from spooler.wire.granting_told import told_lines

    with _at_the_desk(config) as (desk, _hall):
        judged = desk.look()
    typer.echo("\n".join(told_lines(judged, _now(), as_json)))
    raise typer.Exit(1 if any(fault.code == "not-believed" for fault in judged.faults) else 0)


@contextmanager
def _at_the_desk(config: Path) -> "Iterator[tuple[GrantDesk, HallSection]]":
    from pydantic import ValidationError

    from agents.settings import HallSettings
    from spooler.daemon.settings import SettingsError, load_settings
    from spooler.wire.granting import CannotGrant, GrantDesk
    from spooler.wire.grants import Side

    try:
        hall = load_settings(HallSettings, config).hall
        yield GrantDesk(hall.trust_directory, Side.HALL), hall
    except SettingsError as e:
        fail(str(e), 2)
    except CannotGrant as e:
        fail(f"不能授权 · {e}", 3)
    except (OSError, ValidationError) as e:
        fail(str(e), 1)


def _key(hall: "HallSection", file: Path | None) -> "SigningKey":
    """Return the key in the file, without one the hall's report key."""
    from spooler.daemon.settings import Credentials
    from spooler.wire.errors import WireError
    from spooler.wire.granting import CannotGrant
    from spooler.wire.keys import SigningKey

    try:
        daily = Credentials(hall.credentials_directory)
        return SigningKey.from_pem(file.read_bytes() if file else daily.read(hall.report_key_credential))
    except (ValueError, WireError) as e:
        raise CannotGrant(f"{file or hall.report_key_credential} is no signing key") from e


def _now() -> datetime:
    from datetime import UTC

    return datetime.now(UTC)
