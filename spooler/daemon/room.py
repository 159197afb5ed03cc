"""Threads of their own for a kind of call: whoever sends slow ones waits for his own kind, and all others are answered at once.

Without it all calls share forty threads, and as many hostile annexes as that keep even a supervisor's question waiting.
"""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from anyio import CapacityLimiter, to_thread


def in_a_room_of(threads: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator for endpoints that block: so many of those that carry it run at once, whatever else runs."""
    room = CapacityLimiter(threads)

    def moved(call: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(call)
        async def answered(*args: Any, **named: Any) -> Any:
            return await to_thread.run_sync(partial(call, *args, **named), limiter=room)

        return answered

    return moved
