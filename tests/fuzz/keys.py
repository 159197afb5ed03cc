"""The keys of the golden files, by which targets get behind a signature: what a home or hall in other hands could send."""

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from spooler.wire.envelope import Address
from spooler.wire.keys import KeyRecord, SigningKey, WrapKey

GOLDEN = Path(__file__).parents[1] / "spooler" / "wire" / "golden"
_KEYS = json.loads((GOLDEN / "keys.json").read_bytes())
_TICKET = json.loads((GOLDEN / "ticket.json").read_bytes())

WHEN = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
WRAP = WrapKey.from_pem(_KEYS["wrap"]["private"].encode())
WRAP_RECORD = KeyRecord.model_validate(_KEYS["wrap"]["record"])
TICKET = SigningKey.from_pem(_KEYS["ticket"]["private"].encode())
TICKET_RECORD = KeyRecord.model_validate(_KEYS["ticket"]["record"])
REPORT = SigningKey.from_pem(_KEYS["report"]["private"].encode())
REPORT_RECORD = KeyRecord.model_validate(_KEYS["report"]["record"])
ADDRESS = Address(_TICKET["registry"], _TICKET["hall"], UUID(_TICKET["order_id"]), WRAP_RECORD.kid)
