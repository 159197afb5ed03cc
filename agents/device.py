"""How a device stands: whether it would take a pass, whether it is quiet, and what its people must do (step 5).

Asked the same way by `once` before it claims and by the agent before it releases: IPP, or the scheme's probe program.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from agents import once


class DeviceState(StrEnum):
    """The IPP printer-state, and that it may be impossible to ask."""

    IDLE = "idle"
    PROCESSING = "processing"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Standing:
    """One look at a device."""

    state: DeviceState
    reasons: tuple[str, ...] = ()  # IPP printer-state-reasons

    @property
    def is_ready(self) -> bool:
        """Whether it would take a pass now. One that cannot be asked may."""
        return self.state in (DeviceState.IDLE, DeviceState.UNKNOWN) and not any(map(once.hinders, self.reasons))

    @property
    def is_quiet(self) -> bool | None:
        """Whether nothing can still come out of it; None when only time can tell."""
        return None if self.state is DeviceState.UNKNOWN else self.state is DeviceState.IDLE

    @property
    def order_reasons(self) -> tuple[str, ...]:
        """What an order that waits for this device says: the words of design §4."""
        words = {_order_reason(reason) for reason in self.reasons if once.hinders(reason)}
        if not words and self.state is DeviceState.STOPPED:
            words = {"printer-offline"}
        return tuple(sorted(words))


NOT_ASKED = Standing(DeviceState.UNKNOWN)


def look(device: str, probes: Path | None) -> Standing:
    """Ask the device how it stands."""
    if device.startswith("socket:"):
        return _look_by_connecting(device)
    answer = once.probe(device, probes)
    if answer is None:
        return NOT_ASKED
    return Standing(DeviceState(answer["state"]), tuple(answer["reasons"]))


def _look_by_connecting(device: str) -> Standing:
    """A raw port tells no more than that somebody listens."""
    try:
        once.connect(device).close()
    except OSError:
        return Standing(DeviceState.STOPPED, ("offline",))
    return NOT_ASKED


def _order_reason(reason: str) -> str:
    if reason.startswith("media-jam"):
        return "printer-jam"
    if reason.startswith(("media-empty", "media-needed")):
        return "printer-out-of-stock"
    return "printer-offline"
