"""Loopback ports for a sandbox's parts, chosen once and kept over restarts."""

import random
import socket

LOOPBACK = "127.0.0.1"
# Below what Linux hands to outgoing connections: a part that is down for a moment finds its port still free.
KEPT_FREE = range(20_000, 32_000)


def free_ports(count: int) -> list[int]:
    """Return `count` different ports that nobody listens on; all are held until all are found."""
    holders: list[socket.socket] = []
    for port in random.sample(KEPT_FREE, len(KEPT_FREE)):
        if len(holders) == count:
            break
        try:
            holders.append(socket.create_server((LOOPBACK, port)))
        except OSError:
            continue
    ports: list[int] = [holder.getsockname()[1] for holder in holders]
    for holder in holders:
        holder.close()
    return ports
