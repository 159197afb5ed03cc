"""A printer of metal: it takes data, feeds blanks, marks them, and gets into every trouble that printers get into."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from agents.device import NOT_ASKED, DeviceState, Standing
from tests.simulation.world import Actor, World

UNITS = 4  # a document is taken in so many pieces
PREFIX, FIRST, LAST = "D", 23000000101, 23000000140


@dataclass(frozen=True)
class Sheet:
    """Paper in the output tray."""

    uuid: UUID
    title: str  # order/pass/attempt/try
    content: bytes
    is_whole: bool
    serial: str | None
    at: float

    @property
    def order_id(self) -> str:
        return self.title.split("/")[0]

    @property
    def number(self) -> int:
        return int(self.title.split("/")[1])

    @property
    def attempt(self) -> int:
        return int(self.title.split("/")[2])


@dataclass
class Stream:
    """What the device has of one job."""

    uuid: UUID
    title: str
    content: bytes
    units: int = 0
    is_ended: bool = False  # the sender has said that this was all, or has gone
    is_whole: bool = False
    state: str = "processing"  # what an IPP printer would say of its job


@dataclass
class Device:
    """One printer. `uri` is the real one, behind `once:`."""

    world: World
    name: str
    uri: str
    has_serials: bool
    printed: Callable[[Sheet], None]
    streams: list[Stream] = field(default_factory=list)
    is_online: bool = True
    trouble: str | None = None  # media-jam · media-empty
    is_stalled: bool = False
    swallows: bool = False  # it takes data and prints nothing
    tray: list[int] = field(default_factory=lambda: list(range(FIRST, LAST + 1)))
    _last_title: str = ""
    _last_serial: str | None = None

    def __post_init__(self) -> None:
        self._actor = self.world.add(Actor(f"device {self.name}", self._act, due=None))

    @property
    def is_ipp(self) -> bool:
        return self.uri.startswith("ipp:")

    @property
    def is_mute(self) -> bool:
        """It cannot be asked how it stands."""
        return self.uri.startswith("socket:")

    # how it stands

    def probe(self) -> dict[str, object]:
        if not self.is_online:
            return {"state": "stopped", "reasons": ["offline"]}
        if self.trouble is not None:
            return {"state": "stopped", "reasons": [self.trouble]}
        return {"state": "processing" if self.streams else "idle", "reasons": []}

    def look(self, device: str, probes: Path | None) -> Standing:
        """Stand in for `agents.device.look`."""
        seen = self.probe()
        if self.is_mute:
            return NOT_ASKED if self.is_online else Standing(DeviceState.STOPPED, ("offline",))
        reasons: object = seen["reasons"]
        assert isinstance(reasons, list)
        return Standing(DeviceState(str(seen["state"])), tuple(reasons))

    # what senders do

    def open(self, uuid: UUID, title: str, content: bytes) -> Stream | None:
        """Begin a job; None when nobody answers."""
        if not self.is_online:
            return None
        return Stream(uuid, title, content)

    def take(self, stream: Stream) -> bool | None:
        """Take one more piece: True; False: the connection broke; None: not now."""
        if not self.is_online or stream.state != "processing":
            return False
        if self.is_stalled:
            return None
        if self.swallows:
            stream.units += 1
            return True
        if stream not in self.streams:
            self.streams.append(stream)
        stream.units += 1
        self._actor.wake(self.world.now + self.world.later(0.1, 2))
        return True

    def end(self, stream: Stream, *, is_whole: bool) -> None:
        """No more comes of it."""
        stream.is_ended, stream.is_whole = True, is_whole and stream.units == UNITS
        if self.swallows or stream.units == 0:
            stream.state = "aborted"

    # what it does by itself

    def _act(self) -> float | None:
        if not self.streams:
            return None
        stream = self.streams[0]
        if self.trouble is not None or (not self.is_online and not self.world.happens(0.5)):
            return 1.0
        if not stream.is_ended:
            return 0.5
        if self.has_serials and not self.tray and self._needs_blank(stream):
            self.trouble = "media-empty"
            return 1.0
        self.streams.pop(0)
        self._print(stream)
        return self.world.later(0.2, 3) if self.streams else None

    def _print(self, stream: Stream) -> None:
        if self.world.fault("paper jam", 0.03):
            self.trouble = "media-jam"
            self._mark(stream, is_whole=False)
        elif stream.is_whole:
            self._mark(stream, is_whole=True)
        elif self.world.happens(0.6):
            self._mark(stream, is_whole=False)
        else:
            stream.state = "aborted"

    def _mark(self, stream: Stream, *, is_whole: bool) -> None:
        stream.state = "completed" if is_whole else "aborted"
        serial = self._feed(stream) if self.has_serials else None
        self.printed(Sheet(stream.uuid, stream.title, stream.content, is_whole, serial, self.world.now))

    def _needs_blank(self, stream: Stream) -> bool:
        return _blank_of(stream.title) != self._last_title

    def _feed(self, stream: Stream) -> str | None:
        """The same blank for the passes of one attempt, the next one otherwise."""
        if self._needs_blank(stream):
            self._last_title = _blank_of(stream.title)
            self._last_serial = f"{PREFIX}{self.tray.pop(0):011d}"
        return self._last_serial

    def power_cycle(self) -> None:
        """Switched off and on: what it had in memory is gone, and perhaps a torso of it on paper."""
        for stream in self.streams:
            if stream.units and self.world.happens(0.5):
                self._mark(stream, is_whole=False)
            stream.state = "aborted"
        self.streams.clear()

    def mend(self) -> None:
        """Somebody clears the jam, fills the tray, switches it on."""
        self.trouble, self.is_online, self.is_stalled, self.swallows = None, True, False, False
        if self.streams:
            self._actor.wake(self.world.now + 0.5)


def _blank_of(title: str) -> str:
    order_id, _, attempt, _ = title.split("/")
    return f"{order_id}/{attempt}"
