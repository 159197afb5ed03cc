"""One printer's device over time: what was last seen of it, whether it takes a pass, whether it has gone quiet (step 5)."""

from collections.abc import Callable
from pathlib import Path

from agents.device import DeviceState, Standing
from agents.permit import PermitDirectory
from agents.printers import Cups, PrinterError, SizeMissing
from agents.surroundings import Surroundings
from agents.tries import ReleasedPass

Told = Callable[[str, Standing], None]


class Watch:
    """Looks at a device when asked to, and tells when it stands otherwise than before. Of one thread."""

    def __init__(
        self,
        queue: str,
        device: str,
        *,
        permits: PermitDirectory,
        probes: Path | None,
        quiet_seconds: float,
        told: Told,
        surroundings: Surroundings,
    ) -> None:
        self._queue = queue
        self._device = device
        self._permits = permits
        self._probes = probes
        self._quiet_seconds = quiet_seconds
        self._told = told
        self._monotonic = surroundings.monotonic
        self._look = surroundings.look
        self._looked_at = float("-inf")
        self._silent_since: float | None = None
        self.standing = Standing(DeviceState.UNKNOWN)
        self.seen: set[str] = set()  # all its reasons since the pass in hand was taken up

    def look(self) -> Standing:
        """Ask the device now."""
        self._looked_at = self._monotonic()
        self._tell(self._look(self._device, self._probes))
        self.seen.update(self.standing.reasons)
        return self.standing

    def look_if_older(self, seconds: float) -> Standing:
        """Ask the device unless that was done within the last `seconds`."""
        return self.look() if self._monotonic() >= self._looked_at + seconds else self.standing

    def takes(self, released: ReleasedPass, cups: Cups, *, seen_within_seconds: float) -> bool:
        """Whether a try begun now would go through; what stands in its way is told.

        `once` asks the device itself before it claims; here it is asked so that no try is begun in vain.
        """
        if hindrance := self._hindrance(released, cups):
            self._looked_at = float("-inf")
            self._tell(hindrance)
            return False
        if not self.standing.is_ready:
            return self.look().is_ready
        return self.look_if_older(seen_within_seconds).is_ready

    def is_quiet(self) -> bool:
        """Whether nothing can come out of the device any more, so that a person may be asked to look.

        A device that can be asked is quiet when idle; of another, only a set time without a sender tells.
        """
        can_see_senders = self._permits.is_ours()
        if can_see_senders and not self._permits.device_is_free(self._device):
            self.is_sending()
            return False
        self._silent_since = self._silent_since or self._monotonic()
        standing = self.look()
        if can_see_senders and standing.is_quiet is not None and "offline" not in standing.reasons:
            return standing.is_quiet
        return self._monotonic() - self._silent_since > self._quiet_seconds

    def takes_up(self) -> None:
        """Another pass is in hand: what the device said before is not about it."""
        self.seen.clear()
        self.is_sending()

    def is_sending(self) -> None:
        """Note that a sender lives: the quiet time starts anew."""
        self._silent_since = None

    def _hindrance(self, released: ReleasedPass, cups: Cups) -> Standing | None:
        """What but the device itself stands in the way."""
        if not self._permits.is_ours():
            return Standing(DeviceState.STOPPED, ("permits-lost",))
        if not self._permits.device_is_free(self._device):
            return Standing(DeviceState.PROCESSING)
        try:
            cups.queue_facts(self._queue).page_size(released.width_mm, released.height_mm)
            return Standing(DeviceState.STOPPED, ("paused",)) if cups.queue_is_stopped(self._queue) else None
        except SizeMissing:
            return Standing(DeviceState.STOPPED, ("page-size-missing",))
        except PrinterError:
            return Standing(DeviceState.STOPPED, ("cups-not-answering",))

    def _tell(self, standing: Standing) -> None:
        if standing != self.standing:
            self.standing = standing
            self._told(self._queue, standing)
