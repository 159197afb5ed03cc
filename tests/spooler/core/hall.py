"""A hall that is played by the test: it opens orders with its own key, and signs and chains its reports; it can misbehave on request."""

from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from spooler.wire import signed
from spooler.wire.envelope import Address, unwrap
from spooler.wire.keys import SigningKey, WrapKey
from spooler.wire.letters import Delivery, Letter
from spooler.wire.messages import (
    REPORT_TYPE,
    START_OF_CHAIN,
    TICKET_TYPE,
    Issued,
    PassReport,
    Printed,
    Received,
    ReportBase,
    Standing,
    Ticket,
    read_ticket,
)
from spooler.wire.topology import registry_queue
from tests.sealing import HALL, HOME, NOW, Office

SERIAL = "23100000001"


class FakeHall:
    """One hall, as one registry sees it."""

    def __init__(self, office: Office, hall: str = HALL, registry: str = HOME, *, now: datetime = NOW) -> None:
        credentials = office.directory / "halls" / hall / "credentials"
        self.hall, self.registry = hall, registry
        self.key = SigningKey.from_pem((credentials / "report.pem").read_bytes())
        self._wrap_key = WrapKey.from_pem((credentials / "wrap.pem").read_bytes())
        self._office = office
        self._now = now
        self.start_again(epoch=uuid4())

    def start_again(self, epoch: UUID | None = None, instance: UUID | None = None) -> None:
        """Restart the agent; a new epoch is what a lost journal makes."""
        self.instance = instance or uuid4()
        if epoch is not None:
            self.epoch, self.sequence, self.previous = epoch, 0, START_OF_CHAIN

    def open(self, letter: Letter | Delivery) -> tuple[Ticket, bytes]:
        """Return the ticket and the document, as only this hall can."""
        headers = letter.headers
        address = Address(
            str(headers["registry"]), str(headers["hall"]), UUID(str(headers["order_id"])), str(headers["kid"])
        )
        contents = unwrap(letter.body, address, self._wrap_key)
        keys = self._office.trust.registries[self.registry].ticket_keys
        payload = signed.open_signed(contents.signed_ticket, TICKET_TYPE, keys=keys, use="ticket", at=self._now)
        return read_ticket(payload), contents.document

    def says(self, kind: type[ReportBase], **fields: Any) -> Delivery:
        """Return the next report of the chain, on its way to the registry."""
        self.sequence += 1
        report = kind(
            hall=self.hall,
            registry=self.registry,
            epoch=self.epoch,
            sequence=self.sequence,
            previous=self.previous,
            instance=self.instance,
            at=fields.pop("at", self._now),
            **fields,
        )
        self.previous = sha256(report.to_bytes()).hexdigest()
        return delivery_of(signed.sign(report.to_bytes(), REPORT_TYPE, self.key), self.hall, self.registry)

    def about(self, ticket: Ticket, kind: type[ReportBase], state: str, **fields: Any) -> Delivery:
        """Return the next report about an order."""
        about = {"order_id": ticket.order_id, "job_id": ticket.job_id, "attempt": 1}
        return self.says(kind, state=state, **{**about, **fields})

    def received(self, ticket: Ticket) -> Delivery:
        return self.about(ticket, Received, "waiting", identity="0" * 64, reasons=("waiting-release",))

    def released(self, ticket: Ticket, *, number: int = 1, attempt: int = 1) -> Delivery:
        return self.about(
            ticket, PassReport, "printing", number=number, outcome="released", printer="proof-1", attempt=attempt
        )

    def printed(self, ticket: Ticket) -> Delivery:
        return self.about(ticket, Printed, "printed", serial=SERIAL)

    def issued(self, ticket: Ticket) -> Delivery:
        taker = {"recipient_role": "holder", "identity_method": "id-card", "identity_result": "match"}
        return self.about(ticket, Issued, "issued", serial=SERIAL, **taker)

    def stands(self, ticket: Ticket, state: str, *reasons: str, attempt: int = 1) -> Delivery:
        return self.about(ticket, Standing, state, reasons=reasons, attempt=attempt)


def delivery_of(body: bytes, hall: str = HALL, registry: str = HOME, type_: str = "report") -> Delivery:
    return Delivery(
        id=str(uuid4()),
        type=type_,
        body=body,
        headers={"v": 1, "registry": registry, "hall": hall},
        queue=registry_queue(registry),
        routing_key=f"{hall}.{registry}",
        redelivered=False,
        receipt=(None, 0),
    )
