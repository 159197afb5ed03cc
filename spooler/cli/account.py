"""`certspool account`: people who log in at the home with a password. Writes the file of accounts; needs no daemon."""

from pathlib import Path
from typing import Annotated

import typer

from spooler.daemon.login.commands import (
    WRONG_USAGE,
    AccountArgument,
    ConfigOption,
    account_commands,
    desk_of,
    end,
    refusals_told,
    typed_password,
)


def _path(config: Path) -> Path:
    from spooler.daemon.settings import load_settings
    from spooler.settings import HomeSettings

    return load_settings(HomeSettings, config).home.accounts


app = account_commands("certspool", _path)


@app.command()
def add(
    account: AccountArgument,
    config: ConfigOption,
    role: Annotated[list[str], typer.Option(help="submit, read, operate, approve, hall; may be repeated.")],
    registry: Annotated[
        list[str] | None, typer.Option(help="登记机构 · Which it reaches, * for all; may be repeated.")
    ] = None,
    hall: Annotated[
        list[str] | None, typer.Option(help="大厅 · Which it reaches with the role hall; may be repeated.")
    ] = None,
) -> None:
    """新增账号 · Add an account; the password is asked for, or read from standard input.

    Example: certspool account add zhang.201 --role operate --registry 231221 --config /etc/certspool/home.toml
    """
    from spooler.api.auth import Role

    unknown = sorted(set(role) - set(Role))
    if unknown:
        end(f"--role {unknown[0]}: 应为 · must be one of {', '.join(Role)}", WRONG_USAGE)
    with refusals_told():
        desk_of(_path, config).add(
            account, typed_password(), roles=tuple(role), registries=tuple(registry or ()), halls=tuple(hall or ())
        )
    typer.echo(f"{account}: 已新增 · added")
