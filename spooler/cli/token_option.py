"""`--pkcs11`, `--token`, `--pin-file`: the token in which `certspool pki issue` makes a key."""

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from spooler.seal.token import Place, Token

ModuleOption = Annotated[
    Path | None,
    typer.Option("--pkcs11", help="令牌驱动库 · A seal or ticket key in a token: its maker's PKCS#11 library."),
]
LabelOption = Annotated[str, typer.Option("--token", help="With --pkcs11: the token's label.")]
PinFileOption = Annotated[Path | None, typer.Option("--pin-file", help="With --pkcs11: a file with the user PIN.")]


def token_of(module: Path | None, label: str, pin_file: Path | None) -> Token | None:
    """Return the token that the options name, or None without them."""
    if module is None and not label and pin_file is None:
        return None
    if module is None or not label or pin_file is None:
        _fail("--pkcs11, --token and --pin-file belong together")
    for file in (module, pin_file):
        if not file.is_file():
            _fail(f"{file} is not there")
    return Token(Place(module, label, lambda: pin_file.read_text().rstrip("\r\n")))


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)
