"""Bring a sandbox up: lay it, start its parts as they can be started, and return when each of them is ready."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

import httpx

from spooler.sandbox import broker, foundation, locks, part, parts, plan
from spooler.sandbox import site as sites
from spooler.sandbox.down import down
from spooler.sandbox.site import VIRTUAL_HOST, HallSite, Site
from spooler.wire.management import Management
from spooler.wire.topology import describe
from spooler.wire.ways import ways_of

READY_SECONDS = 120.0
LOG_LINES = 12
LOOK_SECONDS = 0.1

Tell = Callable[[str], None]


class NotUp(Exception):
    """A part did not come up; the sentence says which, and what it said last."""


def up(site: Site, tell: Tell) -> None:
    """Start everything of a site and wait until it is ready; if that fails, end what was started and raise NotUp."""
    is_new = not site.plan.exists()
    try:
        if is_new:
            _lay(site, tell)
        for hall in site.halls:
            foundation.calibrate(hall)
        _start(site, is_new, tell)
        plan.write(site)
    except ChildProcessError as e:
        down(site)
        raise NotUp(str(e)) from e
    except BaseException:
        down(site)
        raise


def _lay(site: Site, tell: Tell) -> None:
    tell(f"laying {len(site.registries)} registries and {len(site.halls)} halls in {site.directory}")
    foundation.lay(site)
    sites.keep(site)


def _start(site: Site, is_new: bool, tell: Tell) -> None:
    for name in ("broker", "receiver"):
        part.start(site, name)
    for hall in site.halls:
        parts.cups_of(hall).prepare()
        part.start(site, f"cups:{hall.hall}")
    tell("waiting for RabbitMQ and the print queues")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda hall: _add_queues(site, hall), site.halls))
    _open_broker(site)
    tell("starting home and agents")
    daemons = {"home": site.home_api, **{f"agent:{hall.hall}": hall.api for hall in site.halls}}
    for name in daemons:
        part.start(site, name)
    for name, api in daemons.items():
        _until_ready(site, name, partial(_answers, f"{api}/readyz"))
    if is_new:
        tell(f"loading {site.blanks} blanks into each tray")
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(_load_blanks, site.halls))
    if site.clerk == "auto":
        part.start(site, "clerk")


def _add_queues(site: Site, hall: HallSite) -> None:
    cups = parts.cups_of(hall)
    _until_ready(site, f"cups:{hall.hall}", cups.is_ready)
    for printer in hall.printers:
        cups.add_queue(foundation.queue_of(printer))


def _open_broker(site: Site) -> None:
    private = broker.prepare(site.broker)
    _until_ready(site, "broker", lambda: broker.is_ready(private))
    ways = ways_of(site.trust, datetime.now(UTC), order_days=foundation.ORDER_DAYS)
    topology = describe(site.registries, [hall.hall for hall in site.halls], home=foundation.HOME_USER, ways=ways)
    administrator = private.address()
    with Management(
        private.management_url, administrator.user, administrator.password, virtual_host=VIRTUAL_HOST
    ) as management:
        management.apply(topology, foundation.broker_passwords(site), has_certificates=private.tls_port is not None)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).is_success
    except httpx.TransportError:
        return False


def _until_ready(site: Site, name: str, is_ready: Callable[[], bool]) -> None:
    """Wait for a part; NotUp as soon as it has ended, or when it takes too long."""
    give_up = time.monotonic() + READY_SECONDS
    while not is_ready():
        if locks.holder(site.lock(name)) is None:
            raise NotUp(f"{name} ended at once; its log {site.log(name)} ends with\n{_last_lines(site, name)}")
        if time.monotonic() > give_up:
            raise NotUp(f"{name} was not ready after {READY_SECONDS:.0f} s: see {site.log(name)}")
        time.sleep(LOOK_SECONDS)


def _last_lines(site: Site, name: str) -> str:
    return "\n".join(site.log(name).read_text(errors="replace").splitlines()[-LOG_LINES:])


def _load_blanks(hall: HallSite) -> None:
    """The clerk receives a box for each numbered stock and puts it into the printer."""
    with httpx.Client(base_url=hall.api, headers={"Authorization": f"Bearer {hall.token}"}, timeout=60) as counter:
        for printer in hall.printers:
            if printer.first is not None:
                blanks = {"stock": printer.stock.value, "first": printer.first, "last": printer.last}
                _post(counter, "receive", blanks)
                _post(counter, "load", {**blanks, "printer": printer.name})


def _post(counter: httpx.Client, movement: str, body: dict[str, str | None]) -> None:
    answer = counter.post(f"/v1/stock/{movement}", json=body)
    if not answer.is_success:
        raise NotUp(f"POST /v1/stock/{movement} answered {answer.status_code}: {answer.text}")


def running(site: Site) -> dict[str, int]:
    """Return the pid of each part that runs."""
    return dict(_running(site, parts.names(site)))


def _running(site: Site, names: Iterable[str]) -> Iterable[tuple[str, int]]:
    for name in names:
        pid = locks.holder(site.lock(name))
        if pid is not None:
            yield name, pid
