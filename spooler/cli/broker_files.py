"""`certspool broker config`: the files of a broker's machine. They are made here and carried there; nothing is overwritten."""

import secrets
from pathlib import Path
from typing import Annotated

import typer

from spooler.cli.client import Exit, fail
from spooler.wire.files import PRIVATE, PUBLIC, AlreadyThere, write_new
from spooler.wire.rabbitmq_conf import BrokerFiles, definitions, plugins

READABLE_BY_GROUP = 0o640


def config(
    out: Annotated[Path, typer.Option("--out", file_okay=False, help="Where the files are written.")],
    place: Annotated[
        Path, typer.Option("--place", help="Where they will lie on the broker's machine.", file_okay=False)
    ] = Path("/etc/rabbitmq"),
    keys: Annotated[
        Path | None,
        typer.Option("--keys", help="Where ca.pem, server.pem, server.key will lie there; default: PLACE/certspool."),
    ] = None,
    revoked: Annotated[
        Path | None,
        typer.Option("--revoked", help="Where trust/broker/revoked will lie there; default: PLACE/certspool/revoked."),
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Of AMQP over TLS.")] = 5671,
    address: Annotated[str, typer.Option(help="Where it listens; default: every address.")] = "",
    management_port: Annotated[int, typer.Option(min=1, max=65535, help="Of the management API, on loopback.")] = 15672,
) -> None:
    """配置文件 · The files of a broker that is spoken to over TLS and by certificate alone, with an administrator.

    No plaintext listener, no guest, management on loopback. The administrator's password is made into administrator.password. The broker's
    own keys come from certspool pki issue --broker NODE (docs/broker.md).

    Example: certspool broker config --out mq-1
    """
    password = secrets.token_urlsafe(24)
    files = BrokerFiles(
        keys=keys or place / "certspool",
        revoked=revoked or place / "certspool/revoked",
        port=port,
        address=address,
        management_port=management_port,
        definitions=place / "certspool.json",
    )
    try:
        write_new(out / "administrator.password", password.encode() + b"\n", PRIVATE)
        defined = definitions("administrator", password, secrets.token_bytes(4))
        write_new(out / "certspool.json", defined.encode(), READABLE_BY_GROUP)
        write_new(out / "rabbitmq.conf", files.configuration().encode(), PUBLIC)
        write_new(out / "advanced.config", files.advanced().encode(), PUBLIC)
        write_new(out / "enabled_plugins", plugins().encode(), PUBLIC)
    except (AlreadyThere, OSError) as e:
        fail(str(e), Exit.FAILED)
    typer.echo(
        f"{out}: rabbitmq.conf, enabled_plugins and certspool.json go to {place}, for the group rabbitmq to read;"
    )
    typer.echo(
        f"broker/NODE/* of the PKI directory goes to {files.keys}; administrator.password stays with the operator"
    )
