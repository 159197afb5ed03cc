"""Reports at home and controls at a hall: read, or not to be trusted. Anything else would make the same letter come again for ever."""

from collections.abc import Iterator

from spooler.wire import strict
from spooler.wire.errors import NotTrusted
from spooler.wire.messages import REPORT_TYPE, read_control, read_report
from spooler.wire.signed import open_signed
from tests.fuzz.keys import GOLDEN, REPORT_RECORD, WHEN

REFUSES = (NotTrusted,)
MOST_MEGABYTES = 128
LONGEST = 16_384
ENVELOPE, REPORT, CONTROL = b"e", b"r", b"c"


def read(data: bytes) -> None:
    side, rest = data[:1], data[1:]
    if side == ENVELOPE:
        payload = open_signed(rest, REPORT_TYPE, keys=[REPORT_RECORD], use="report", at=WHEN)
        assert payload == _signed_once(), "a report that no hall signed was believed"
    else:
        decode = read_control if side == CONTROL else read_report
        message = decode(rest)
        written = message.to_bytes()
        assert decode(written).to_bytes() == written


def _signed_once() -> bytes:
    return strict.canonical(strict.parse((GOLDEN / "report-received.json").read_bytes()))


def seeds() -> Iterator[tuple[str, bytes]]:
    for path in sorted(GOLDEN.glob("*.json")):
        kind = path.name.partition("-")[0]
        if path.name == "report-received.signed.json":
            yield path.stem, ENVELOPE + path.read_bytes()
        elif kind in ("report", "control") and ".signed" not in path.name:
            yield path.stem, (REPORT if kind == "report" else CONTROL) + path.read_bytes()
