"""`certspool-agent account`: people who log in at the hall with a password. Writes the file of accounts; needs no agent."""

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
    from agents.settings import HallSettings
    from spooler.daemon.settings import load_settings

    return load_settings(HallSettings, config).hall.accounts


accounts = account_commands("certspool-agent", _path)


@accounts.command()
def add(
    account: AccountArgument,
    config: ConfigOption,
    role: Annotated[list[str], typer.Option(help="clerk, approve; may be repeated.")],
) -> None:
    """新增账号 · Add an account; the password is asked for, or read from standard input.

    Example: certspool-agent account add zhang.201 --role clerk --config /etc/certspool/231282-01.toml
    """
    from agents.accounts import Role

    unknown = sorted(set(role) - set(Role))
    if unknown:
        end(f"--role {unknown[0]}: 应为 · must be one of {', '.join(Role)}", WRONG_USAGE)
    with refusals_told():
        desk_of(_path, config).add(account, typed_password(), roles=tuple(role))
    typer.echo(f"{account}: 已新增 · added")
