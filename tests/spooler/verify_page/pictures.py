"""Takes the pictures of the public page: `python -m tests.spooler.verify_page.pictures DIRECTORY` (`make pictures` runs it).

A real browser shows a certificate of each standing, at a time that stands still, on a phone's and a desk's screen.
"""

import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from fastapi import FastAPI
from PIL import Image

from spooler import migrations
from spooler.daemon.limit import Limit
from spooler.daemon.server import HttpServer
from spooler.electronic.opening import new_code
from spooler.electronic.validity import Validity
from spooler.store import Database, Store
from spooler.store.electronic_changes import set_validity
from spooler.verify_page.certificates import OfStore
from spooler.verify_page.router import verify_router
from tests.spooler.verify_page.browser import Page, browsing
from tests.spooler.verify_page.conftest import a_certificate

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
PHONE, DESK = (390, 720), (1280, 800)
SHOWN = {  # picture: whose standing, the language, the screen
    "verify-genuine-phone": ("genuine", "zh", PHONE),
    "verify-withdrawn-phone": ("withdrawn", "zh", PHONE),
    "verify-unknown-phone": ("unknown", "zh", PHONE),
    "verify-english-phone": ("genuine", "en", PHONE),
    "verify-genuine-desk": ("genuine", "zh", DESK),
    "verify-superseded-desk": ("superseded", "zh", DESK),
    "verify-english-desk": ("superseded", "en", DESK),
}
COLOURS = 160


@contextmanager
def served(directory: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Serve the page over a store with a certificate of each standing; yield its address, and their codes."""
    database = Database(f"sqlite:///{directory}/home.db")
    migrations.upgrade(database.engine)
    store = Store(database, lambda: NOW)
    codes = {"unknown": new_code()}
    for number, validity in enumerate(Validity, start=1):
        job_id, codes[validity.value] = a_certificate(store, number)
        with store.changing() as change:
            set_validity(change.connection, job_id, validity, change.now)
    app = FastAPI()
    limit = Limit(a_minute=1000, at_once=100, all_a_second=100)
    app.include_router(verify_router(OfStore(store.electronics), limit=limit, clock=lambda: NOW))
    server = HttpServer(app, "127.0.0.1", 0)
    server.start()
    try:
        yield f"http://127.0.0.1:{server.port}", codes
    finally:
        server.stop()
        store.close()


def taken(page: Page, address: str, size: tuple[int, int]) -> bytes:
    is_phone = size is PHONE
    page.size(*size, phone=is_phone)
    page.visit(address)
    picture = Image.open(BytesIO(page.picture())).convert("RGB")
    shown = size if is_phone else (size[0] * 5 // 8, size[1] * 5 // 8)
    picture = picture.resize(shown, Image.Resampling.LANCZOS)
    out = BytesIO()
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def main(directory: Path) -> None:
    with (
        tempfile.TemporaryDirectory() as scratch,
        served(Path(scratch)) as (address, codes),
        browsing(Path(scratch) / "profile") as page,
    ):
        for name, (standing, language, size) in SHOWN.items():
            told = taken(page, f"{address}/verify/{codes[standing]}?lang={language}", size)
            (directory / f"{name}.png").write_bytes(told)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
