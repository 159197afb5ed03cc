"""What the doctor judges: plain values, as read by `look`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agents.doctor.cupsd import Configuration


@dataclass(frozen=True)
class QueueFacts:
    """A CUPS queue as cupsd has it."""

    name: str
    device: str
    is_class: bool = False
    is_shared: bool = False
    error_policy: str = "abort-job"
    op_policy: str = "default"
    banners: tuple[str, ...] = ("none", "none")
    copies: int = 1
    sizes: Mapping[str, tuple[float, float]] | None = None  # points; None on a raw queue, or where nobody asked


@dataclass(frozen=True)
class JobFacts:
    """A CUPS job, and what the agent's own books say of it."""

    number: int
    queue: str
    is_ours: bool
    borrows_uuid: bool = False  # its job-uuid is ours, its number is not
    is_left: bool = False  # it has ended, and cupsd still has its document


@dataclass(frozen=True)
class Blocked:
    """A pass that was asked for again after it was sent."""

    queue: str
    what: str


@dataclass(frozen=True)
class FileFacts:
    """A program: None as mode when it is not there."""

    path: str
    mode: int | None
    is_owned_by_cupsd: bool = True
    is_same: bool = True  # the very bytes that they should be


@dataclass(frozen=True)
class PermitFacts:
    """The permit directory."""

    path: str
    is_there: bool = True
    filesystem: str = "ext4"
    loose: tuple[str, ...] = ()  # folders whose mode or ACL is not what it must be
    closed: str | None = None  # the folder on the way that cupsd's user cannot enter
    is_ours: bool | None = None  # None: nobody here knows the journal


@dataclass(frozen=True)
class PrinterWish:
    """A printer as hall.toml has it."""

    name: str
    device: str
    size_mm: tuple[float, float]
    uncalibrated: tuple[str, ...] = ()  # sides of its stock


@dataclass(frozen=True)
class Facts:
    """One look at everything."""

    printers: tuple[PrinterWish, ...]
    queues: tuple[QueueFacts, ...] | None  # all of this cupsd; None when it does not answer
    jobs: tuple[JobFacts, ...]
    once: FileFacts
    backends: Mapping[str, FileFacts]  # by scheme
    permits: PermitFacts
    probes: str | None
    configuration: Configuration
    blocked: tuple[Blocked, ...] = ()
    stale: tuple[str, ...] = ()  # settings files newer than the running cupsd
    is_browsed_running: bool = False
    kills_senders: bool = False  # cupsd runs under systemd without KillMode=process
    trusted_users: frozenset[str] = field(default_factory=frozenset)  # besides @SYSTEM and @OWNER
