"""What a printer's worker takes from the machine around it: time, chance, a look at the device, pages cut out (step 5).

The simulation hands in its own, so that the very code that prints runs there by a virtual clock and a seed.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agents.device import Standing, look
from agents.pages import slice_pages


@dataclass(frozen=True)
class Surroundings:
    """The real ones, unless others are handed in."""

    monotonic: Callable[[], float] = time.monotonic
    uniform: Callable[[float, float], float] = random.uniform
    look: Callable[[str, Path | None], Standing] = look
    slice_pages: Callable[[bytes, Sequence[int]], bytes] = slice_pages
