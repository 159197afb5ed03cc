"""The wrapped orders, on disk beside the ledger: kept as they came, opened in memory only, so that no name lies here in the clear."""

import os
from base64 import b64decode
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from agents.ledger import Order
from spooler.daemon.crash import crash_point
from spooler.wire import strict
from spooler.wire.envelope import ENCAPSULATED_BYTES, Address, Contents, unwrap
from spooler.wire.errors import BadEnvelope
from spooler.wire.keys import WrapKey
from spooler.wire.messages import Ticket, read_ticket


class Documents:
    """One file an order, named by its id. Keys stay in the credentials until no kept order needs them."""

    def __init__(self, directory: Path, *, hall: str, keys: Iterable[WrapKey]) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory = directory
        self._hall = hall
        self._keys = {key.kid: key for key in keys}

    def open(self, envelope: bytes, address: Address) -> Contents:
        """Return what is inside, or raise BadEnvelope."""
        key = self._keys.get(address.kid)
        if key is None:
            raise BadEnvelope(f"this hall has no key {address.kid}")
        return unwrap(envelope, address, key)

    def keep(self, order_id: UUID, envelope: bytes) -> None:
        """Durable when it returns: written aside, then renamed."""
        path = self._path(order_id)
        aside = path.with_suffix(".new")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(envelope)
            file.flush()
            os.fsync(file.fileno())
        crash_point("agent.before-document-rename")
        aside.replace(path)
        self._sync_directory()

    def destroy(self, order_id: UUID) -> None:
        """Overwrite what the wrap key opens the order with, and remove the file. That it is gone already is as good."""
        path = self._path(order_id)
        with suppress(FileNotFoundError), path.open("r+b") as file:
            file.write(bytes(ENCAPSULATED_BYTES))
            file.flush()
            os.fsync(file.fileno())
        path.unlink(missing_ok=True)
        path.with_suffix(".new").unlink(missing_ok=True)
        self._sync_directory()

    def left_over(self, before: datetime) -> Iterator[UUID]:
        """Return the orders whose files lie untouched since then."""
        for path in sorted(self._directory.glob("*.*")):
            with suppress(FileNotFoundError, ValueError):
                if path.stat().st_mtime < before.timestamp():
                    yield UUID(path.stem)

    def contents(self, order: Order) -> Contents:
        address = Address(registry=order.registry, hall=self._hall, order_id=order.order_id, kid=order.kid)
        return self.open(self._path(order.order_id).read_bytes(), address)

    def document(self, order: Order) -> bytes:
        """Return exactly the bytes that were verified."""
        document = self.contents(order).document
        if sha256(document).hexdigest() != order.document_sha256:
            raise BadEnvelope(f"the kept document of order {order.order_id} is not the verified one")
        return document

    def ticket(self, order: Order) -> Ticket:
        """Return the ticket with its persons; it was verified when it came."""
        envelope = strict.parse(self.contents(order).signed_ticket)
        return read_ticket(b64decode(envelope["payload"]))

    def _path(self, order_id: UUID) -> Path:
        return self._directory / f"{order_id}.order"

    def _sync_directory(self) -> None:
        descriptor = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
