"""`certspool serve`: the home daemon, in the foreground."""

from pathlib import Path
from typing import Annotated

import typer


def serve(config: Annotated[Path, typer.Option(help="home.toml")]) -> None:
    """运行主机服务 · Serve the home: API, pipeline, broker link, callbacks.

    Example: certspool serve --config /etc/certspool/home.toml
    """
    from spooler import app

    raise typer.Exit(app.run(config))
