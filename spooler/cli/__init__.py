"""The command `certspool`: one Typer app, each group of commands in a module of its own."""


def main() -> None:
    """Run the command line."""
    import typer

    from spooler.cli import pki, verify
    from spooler.sandbox import cli as sandbox

    app = typer.Typer(no_args_is_help=True, help="不动产证书远程打印 · Remote certificate print spooler.")
    app.add_typer(pki.app, name="pki")
    app.add_typer(sandbox.app, name="sandbox")
    app.command("verify")(verify.verify)
    app()
