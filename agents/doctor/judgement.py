"""From facts to findings. No input or output: what is unsafe is decided here alone."""

from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

from agents.doctor.cupsd import open_operations, private_values, same_path, wrong_settings
from agents.doctor.facts import Facts, FileFacts, PrinterWish, QueueFacts
from agents.doctor.findings import NOT_CALIBRATED, Finding
from agents.once import PERMITS_VARIABLE, PROBES_VARIABLE, SCHEME
from agents.permit import IN_MEMORY

RESENDING = ("beh", "implicitclass", "class")
WAITS_TO_CONNECT = ("ipp", "ipps", "http", "https", "lpd")  # `once` connects to `socket:` itself, within seconds
LONGEST_CONTIMEOUT = 60
POINTS_PER_MM = 72 / 25.4
SAME_SIZE_POINTS = 1.0
_SEVERE_SETTINGS = {"DirtyCleanInterval": "not-durable", "PreserveJobFiles": "files-kept"}


def examine(facts: Facts) -> tuple[Finding, ...]:
    """Return everything that is wrong, the hall's own first, then printer by printer."""
    found = [*_permits(facts), *_settings(facts), *_once(facts.once)]
    for printer in facts.printers:
        found += _printer(printer, facts)
    return tuple(found)


def real_device(uri: str) -> str:
    """Return the device behind `once:`, without a password, which cupsd does not show."""
    device = uri.removeprefix(f"{SCHEME}:")
    head, separator, rest = device.partition("://")
    host, slash, path = rest.partition("/")
    return f"{head}{separator}{host.rpartition('@')[2]}{slash}{path}" if separator else device


def _printer(printer: PrinterWish, facts: Facts) -> Iterator[Finding]:
    yield from _device(printer, facts)
    if printer.uncalibrated:
        yield Finding(NOT_CALIBRATED, printer.name, ", ".join(printer.uncalibrated))
    if facts.queues is None:
        return
    queue = next((q for q in facts.queues if q.name == printer.name), None)
    if queue is None:
        yield Finding("queue-missing", printer.name)
        return
    for check in _QUEUE_CHECKS:
        detail = check(printer, queue)
        if detail is not None:
            yield Finding(check.__name__.strip("_").replace("_", "-"), printer.name, detail)
    yield from _policy(queue, facts)
    yield from _same_device(printer, facts)
    yield from _jobs(printer, facts)


def _device(printer: PrinterWish, facts: Facts) -> Iterator[Finding]:
    """What hall.toml's device and its backend are."""
    device = urlsplit(printer.device)
    if device.scheme in (*RESENDING, SCHEME):
        yield Finding("resending-device", printer.name, f"{device.scheme}:")
    timeout = parse_qs(device.query).get("contimeout", [""])[-1]
    waits = device.scheme in WAITS_TO_CONNECT or (device.scheme == "socket" and timeout)
    if waits and not (timeout.isdecimal() and 0 < int(timeout) <= LONGEST_CONTIMEOUT):
        yield Finding("contimeout", printer.name, timeout or "-")
    backend = facts.backends.get(device.scheme)
    if backend is not None and backend.mode is None:
        yield Finding("backend-missing", printer.name, backend.path)
    elif backend is not None and _mode(backend) & 0o027 != 0o005:
        yield Finding("backend-mode", printer.name, f"{backend.path} {_mode(backend):o}")


# Each check of a queue is named like its code; it returns the detail, or None when all is well.


def _class(printer: PrinterWish, queue: QueueFacts) -> str | None:
    return "" if queue.is_class else None


def _resending_device(printer: PrinterWish, queue: QueueFacts) -> str | None:
    schemes = {queue.device.partition(":")[0], real_device(queue.device).partition(":")[0]}
    found = sorted(schemes.intersection(RESENDING))
    return f"{found[0]}:" if found else None


def _once_not_in_front(printer: PrinterWish, queue: QueueFacts) -> str | None:
    return None if queue.is_class or queue.device.startswith(f"{SCHEME}:") else ""


def _device_differs(printer: PrinterWish, queue: QueueFacts) -> str | None:
    is_behind = queue.device.startswith(f"{SCHEME}:") and _resending_device(printer, queue) is None
    return "" if is_behind and real_device(queue.device) != real_device(printer.device) else None


def _error_policy(printer: PrinterWish, queue: QueueFacts) -> str | None:
    return None if queue.error_policy == "abort-job" else queue.error_policy


def _banner(printer: PrinterWish, queue: QueueFacts) -> str | None:
    return None if set(queue.banners) <= {"none"} else ",".join(queue.banners)


def _copies(printer: PrinterWish, queue: QueueFacts) -> str | None:
    return None if queue.copies == 1 else str(queue.copies)


def _shared(printer: PrinterWish, queue: QueueFacts) -> str | None:
    return "" if queue.is_shared else None


def _page_size(printer: PrinterWish, queue: QueueFacts) -> str | None:
    if queue.sizes is None or any(_is_same_size(size, printer.size_mm) for size in queue.sizes.values()):
        return None
    return "{:g} × {:g} mm".format(*printer.size_mm)


_QUEUE_CHECKS: tuple[Callable[[PrinterWish, QueueFacts], str | None], ...] = (
    _class,
    _resending_device,
    _once_not_in_front,
    _device_differs,
    _error_policy,
    _banner,
    _copies,
    _shared,
    _page_size,
)


def _is_same_size(points: tuple[float, float], size_mm: tuple[float, float]) -> bool:
    return all(abs(a - b * POINTS_PER_MM) <= SAME_SIZE_POINTS for a, b in zip(points, size_mm, strict=True))


def _policy(queue: QueueFacts, facts: Facts) -> Iterator[Finding]:
    text = facts.configuration.cupsd
    if text is None:
        return
    if operations := open_operations(text, queue.op_policy, facts.trusted_users):
        yield Finding("policy-open", queue.name, ", ".join(operations))
    if (values := private_values(text, queue.op_policy)).lower() != "none":
        yield Finding("setting", queue.name, f"JobPrivateValues {values}")


def _same_device(printer: PrinterWish, facts: Facts) -> Iterator[Finding]:
    mine = real_device(printer.device)
    for queue in facts.queues or ():
        if queue.name != printer.name and real_device(queue.device) == mine:
            yield Finding("device-shared", printer.name, queue.name)


def _jobs(printer: PrinterWish, facts: Facts) -> Iterator[Finding]:
    for job in facts.jobs:
        if job.queue == printer.name and job.borrows_uuid:
            yield Finding("foreign-uuid", printer.name, str(job.number))
        elif job.queue == printer.name and not job.is_ours:
            yield Finding("foreign-job", printer.name, str(job.number))
    left = [job.number for job in facts.jobs if job.queue == printer.name and job.is_left]
    if left:
        yield Finding("document-left", printer.name, str(min(left)))
    yield from (Finding("blocked-reprint", printer.name, b.what) for b in facts.blocked if b.queue == printer.name)


def _once(once: FileFacts) -> Iterator[Finding]:
    if once.mode is None:
        yield Finding("once-missing", detail=once.path)
        return
    if _mode(once) != 0o755 or not once.is_owned_by_cupsd:
        yield Finding("once-mode", detail=f"{once.path} {_mode(once):o}")
    if not once.is_same:
        yield Finding("once-differs")


def _mode(program: FileFacts) -> int:
    return (program.mode or 0) & 0o7777


def _permits(facts: Facts) -> Iterator[Finding]:
    permits = facts.permits
    if permits.is_ours is False:
        yield Finding("permits-not-ours")
    elif not permits.is_there:
        yield Finding("permits-missing", detail=permits.path)
    if permits.is_there and permits.filesystem in IN_MEMORY:
        yield Finding("permits-in-memory", detail=permits.filesystem)
    if permits.is_there and permits.loose:
        yield Finding("permits-loose", detail=", ".join(permits.loose))
    if permits.closed is not None:
        yield Finding("permits-out-of-reach", detail=permits.closed)


def _settings(facts: Facts) -> Iterator[Finding]:
    configuration = facts.configuration
    for text, path in (
        (configuration.cupsd, configuration.cupsd_path),
        (configuration.files, configuration.files_path),
    ):
        if text is None:
            yield Finding("settings-unreadable", detail=path)
    for name, value in wrong_settings(configuration):
        yield Finding(_SEVERE_SETTINGS.get(name, "setting"), detail=f"{name} {value}")
    if configuration.files is not None:
        yield from _environment(facts)
    for path in facts.stale:
        yield Finding("settings-not-in-force", detail=path)
    if facts.is_browsed_running:
        yield Finding("cups-browsed")
    if facts.kills_senders:
        yield Finding("kill-mode")


def _environment(facts: Facts) -> Iterator[Finding]:
    told = facts.configuration.environment(PERMITS_VARIABLE)
    if told is not None and not any(same_path(name, facts.permits.path) for name in told.split(":") if name):
        yield Finding("permits-variable")
    probes = facts.configuration.environment(PROBES_VARIABLE)
    if facts.probes is not None and probes is not None and not same_path(probes or "-", facts.probes):
        yield Finding("probes-variable")
