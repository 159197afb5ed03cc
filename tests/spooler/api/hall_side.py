"""What a hall's reports have made of a job, as `collect` would have written it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from spooler import hall_word
from spooler.store.halls import note_report
from spooler.store.orders import Prepared
from spooler.store.values import OpenOrder
from spooler.wire.messages import START_OF_CHAIN, ReportBase


def sealed(home: Any, job: dict[str, Any], pdf: bytes = b"%PDF-1.7 sealed") -> str:
    """Call the job sealed, with this document; return its order's id."""
    order_id, name = str(uuid4()), home.documents.keep(pdf)
    later = datetime.now(UTC) + timedelta(days=3)
    order = OpenOrder(order_id, job["job_id"], job["registry"], job["hall"], "prepared", later, START_OF_CHAIN)
    assert home.store.orders.prepare(Prepared(order, name, len(pdf)))
    return order_id


def report(home: Any, kind: type[ReportBase], **fields: Any) -> None:
    """Take one report of a hall."""
    common: dict[str, Any] = {"hall": "231282-01", "registry": "231221", "at": datetime.now(UTC)}
    chain = {"epoch": uuid4(), "sequence": 1, "previous": START_OF_CHAIN, "instance": uuid4()}
    said = kind(**chain, **{**common, **fields})
    with home.store.changing() as change:
        note_report(change, said.hall)
        hall_word.apply(change, said)


def about(home: Any, job: dict[str, Any], order_id: str, kind: type[ReportBase], state: str, **fields: Any) -> None:
    """Take one report about an order."""
    ids = {"order_id": UUID(order_id), "job_id": UUID(job["job_id"]), "hall": job["hall"], "registry": job["registry"]}
    report(home, kind, **ids, state=state, **{"attempt": 1, **fields})
