"""`certspool verify`: is this PDF what a trusted registry sealed, every byte of it? Needs no daemon, no key, no network."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from spooler.wire import strict
from spooler.wire.errors import BadMessage
from spooler.wire.trust import Trust, load_trust

if TYPE_CHECKING:
    from spooler.wire.document import ReadDocument

# What may be shown of the ticket inside: ids, never what stands on the face.
_SHOWN = (
    *("registry", "hall", "order_id", "job_id", "kind", "template", "issued_at"),
    *("identifier", "validity", "verify"),  # of an electronic certificate
)


@dataclass(frozen=True)
class Verdict:
    """What is said about one file."""

    genuine: bool
    code: str | None
    message: str
    registry: str | None = None
    name: str | None = None
    seal: str | None = None
    ticket: dict[str, Any] | None = None


def verify(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The PDF.")],
    trust: Annotated[Path, typer.Option(exists=True, file_okay=False, help="The trust directory.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """验签 · Say which registry sealed a document or an electronic certificate, or by which rule it is refused (exit code 3).

    The document alone is judged: that a hall may print it also needs its order's ticket, hall and time.

    Example: certspool verify certificate.pdf --trust /etc/certspool/trust
    """
    try:
        trusted = load_trust(trust)
    except (OSError, ValidationError) as e:
        typer.echo(f"{trust} is not a trust directory ({type(e).__name__})", err=True)
        raise typer.Exit(1) from e
    verdict = judge(file.read_bytes(), trusted)
    typer.echo(json.dumps(asdict(verdict), ensure_ascii=False) if as_json else _sentence(verdict))
    raise typer.Exit(0 if verdict.genuine else 3)


def judge(document: bytes, trust: Trust) -> Verdict:
    """Return the verdict on a document by itself."""
    from spooler.wire.document import check_seal  # pyHanko takes 0.5 s to import
    from spooler.wire.refusal import Refusal, RefusalCode

    try:
        read = _read(document)
        ticket = _ticket(read.ticket)
        record = trust.registries.get(str(ticket["registry"]))
        if record is None:
            raise Refusal(RefusalCode.ISSUER, "it names a registry that is not trusted")
        check_seal(read, record, roots_pem=trust.roots_pem, at=_time(ticket["issued_at"]))
    except Refusal as e:
        return Verdict(False, str(e.code), str(e))
    except (BadMessage, KeyError, ValueError) as e:
        return Verdict(
            False, str(RefusalCode.TICKET_EMBEDDED), f"the ticket inside cannot be read ({type(e).__name__})"
        )
    shown = {name: ticket[name] for name in _SHOWN if name in ticket}
    return Verdict(True, None, "genuine and unchanged", record.registry, record.name, read.signer, shown)


def _read(document: bytes) -> "ReadDocument":
    """Return a print document or an electronic certificate; they differ in what is attached."""
    from spooler.wire.document import ELECTRONIC_NAME, read_document
    from spooler.wire.refusal import Refusal, RefusalCode

    try:
        return read_document(document)
    except Refusal as e:
        if e.code is not RefusalCode.TICKET_EMBEDDED:
            raise
        return read_document(document, attached=ELECTRONIC_NAME)


def _ticket(embedded: bytes) -> dict[str, Any]:
    ticket = strict.parse(embedded)
    if not isinstance(ticket, dict):
        raise BadMessage("not a ticket")
    return ticket


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _sentence(verdict: Verdict) -> str:
    if not verdict.genuine:
        return f"拒绝 · refused: {verdict.code}: {verdict.message}"
    ids = "\n".join(f"  {name}: {value}" for name, value in (verdict.ticket or {}).items())
    return f"真实 · genuine: {verdict.name} ({verdict.registry}), seal {verdict.seal}\n{ids}"
