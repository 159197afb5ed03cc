"""Whether two URIs lead to the same device: options that say how it is spoken to do not count. No input or output."""

from urllib.parse import parse_qsl, urlsplit

# CUPS' own options of its backends; what else stands there may tell devices apart, as `serial` of usb: does.
MANNERS = frozenset(
    {"contimeout", "waiteof", "waitjob", "waitprinter", "snmp", "version", "compression", "encryption", "timeout"}
)


def is_same_device(one: str, other: str) -> bool:
    return _device(one) == _device(other)


def _device(uri: str) -> tuple[str, frozenset[tuple[str, str]]]:
    options = parse_qsl(urlsplit(uri).query, keep_blank_values=True)
    return uri.partition("?")[0], frozenset((name, value) for name, value in options if name not in MANNERS)
