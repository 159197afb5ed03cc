"""Loopback ports for a sandbox's parts, chosen once and kept over restarts."""

import os
import random
import socket

LOOPBACK = "127.0.0.1"
# Below what Linux hands to outgoing connections: a part that is down for a moment finds its port still free.
KEPT_FREE = range(20_000, 32_000)
# Narrower, as FIRST-LAST: between choosing a port and listening on it, two starting side by side would not see each other.
RANGE_VARIABLE = "CERTSPOOL_SANDBOX_PORTS"
# Chosen by this process already: whoever they were chosen for may not listen yet, or be down for a moment.
_given: set[int] = set()


def free_ports(count: int) -> list[int]:
    """Return `count` different ports that nobody listens on; all are held until all are found.

    None that this process was given before, as long as there are others.
    """
    holders: list[socket.socket] = []
    candidates = chosen_range(os.environ.get(RANGE_VARIABLE))
    for port in sorted(random.sample(candidates, len(candidates)), key=_given.__contains__):
        if len(holders) == count:
            break
        try:
            holders.append(socket.create_server((LOOPBACK, port)))
        except OSError:
            continue
    ports: list[int] = [holder.getsockname()[1] for holder in holders]
    for holder in holders:
        holder.close()
    if len(ports) < count:
        raise OSError(f"{count} free ports are needed and {len(ports)} were found; widen {RANGE_VARIABLE}")
    _given.update(ports)
    return ports


def chosen_range(text: str | None) -> range:
    """Return the ports to choose from; text is FIRST-LAST, both included."""
    if not text:
        return KEPT_FREE
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal() and 1024 <= int(first) <= int(last) <= 65_535):
        raise ValueError(f"{RANGE_VARIABLE} is {text!r}, not FIRST-LAST with ports from 1024 to 65535")
    return range(int(first), int(last) + 1)
