"""The account commands that both sides share: list, password, disable. Adding one is each side's own, since roles are."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from spooler.daemon.login.records import AccountDesk, LoginRecord

FAILED, WRONG_USAGE, REFUSED = 1, 2, 3
_LONGEST_LINE = 4096

ConfigOption = Annotated[
    Path, typer.Option(exists=True, dir_okay=False, help="配置文件 · The settings (TOML), on the daemon's machine.")
]
AccountArgument = Annotated[
    str, typer.Argument(help="账号 · Its id, a staff number say: it stands in logs and in the audit log.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]


def account_commands(program: str, path_of: Callable[[Path], Path]) -> typer.Typer:
    """Return the group of commands; `path_of` says where the file of accounts is by these settings."""
    app = typer.Typer(no_args_is_help=True, help="登录账号 · People who log in with a password (docs/accounts.md).")

    @app.command("list", help=_help("列出账号 · List accounts, never a password.", f"{program} account list"))
    def list_(config: ConfigOption, as_json: JsonOption = False) -> None:
        with refusals_told():
            found = desk_of(path_of, config).all()
        if as_json:
            typer.echo(json.dumps({"accounts": [_as_json(one) for one in found]}, ensure_ascii=False))
            return
        for one in found:
            typer.echo(_line(one))

    says = "更换口令 · Set another password; whoever is logged in as this account is so no longer."

    @app.command("password", help=_help(says, f"{program} account password zhang.201"))
    def password(account: AccountArgument, config: ConfigOption) -> None:
        with refusals_told():
            desk_of(path_of, config).set_password(account, typed_password())
        typer.echo(f"{account}: 口令已更换 · has another password")

    says = "停用账号 · Let it log in no more, and end its sessions at once. An account is never removed."

    @app.command("disable", help=_help(says, f"{program} account disable zhang.201"))
    def disable(
        account: AccountArgument,
        config: ConfigOption,
        undo: Annotated[bool, typer.Option("--undo", help="恢复 · Let it log in again.")] = False,
    ) -> None:
        with refusals_told():
            desk_of(path_of, config).disable(account, not undo)
        typer.echo(f"{account}: {'已恢复 · may log in' if undo else '已停用 · may not log in'}")

    return app


def desk_of(path_of: Callable[[Path], Path], config: Path) -> "AccountDesk":
    from spooler.daemon.login.records import AccountDesk

    return AccountDesk(path_of(config), lambda: datetime.now(UTC))


def typed_password() -> str:
    """Return what is typed twice alike, unseen, or the first line of standard input; a password is never an argument."""
    if not sys.stdin.isatty():
        return sys.stdin.readline(_LONGEST_LINE).rstrip("\r\n")
    first = getpass("口令 · password: ")
    if first != getpass("再输一次 · once more: "):
        end("两次输入不同 · the two are not the same", WRONG_USAGE)
    return first


@contextmanager
def refusals_told() -> Iterator[None]:
    """End the command where nothing is changed: 2 wrong settings, 3 refused, 1 the file cannot be used."""
    from spooler.daemon.login.records import AccountRefused, AccountsUnusable
    from spooler.daemon.login.weak import WeakPassword
    from spooler.daemon.settings import SettingsError

    try:
        yield
    except SettingsError as e:
        end(str(e), WRONG_USAGE)
    except (WeakPassword, AccountRefused) as e:
        end(str(e), REFUSED)
    except AccountsUnusable as e:
        end(str(e), FAILED)
    except OSError as e:
        end(f"{e.filename}: {e.strerror}", FAILED)


def end(said: str, code: int) -> NoReturn:
    typer.echo(said, err=True)
    raise typer.Exit(code)


def _help(says: str, example: str) -> str:
    return f"{says}\n\nExample: {example} --config /etc/certspool/settings.toml"


def _line(account: "LoginRecord") -> str:
    reach = " ".join((*account.registries, *account.halls)) or "-"
    state = "停用 disabled" if account.is_disabled else "启用 enabled"
    since = account.changed_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{account.id:<24} {state:<14} {','.join(account.roles) or '-':<24} {reach}  {since}"


def _as_json(account: "LoginRecord") -> dict[str, Any]:
    return account.model_dump(mode="json", exclude={"password"})
