"""`certspool verify-page`: the public page, as a process of its own."""

from pathlib import Path
from typing import Annotated

import typer


def verify_page(config: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="verify.toml")]) -> None:
    """公众查验页 · Serve the page that the QR codes of electronic certificates lead to. Needs no key; reads the store only.

    Example: certspool verify-page --config /etc/certspool/verify.toml
    """
    from spooler.verify_page import app

    raise typer.Exit(app.run(config))
