"""The `once` backend and the real one behind it, as programs that can be killed at every step.

Step for step what `agents/once.py` does, over the simulated disk; what it decides (`check`, `is_ready`, `is_good`) is the real code.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import Any
from uuid import UUID

from agents import once
from tests.simulation.device import UNITS, Device, Stream
from tests.simulation.disk import Disk
from tests.simulation.world import Program, Steps, World


@dataclass(frozen=True)
class Start:
    """How cupsd starts the backend for a job."""

    call: once.Call
    content: bytes
    device: Device  # where the queue leads


class Sender(Program):
    """The child in a session of its own; it outlives cupsd and the wrapper."""

    child: "RealBackend | None" = None

    def kill_with_group(self) -> None:
        self.kill()
        if self.child is not None:
            self.child.kill()


class RealBackend(Program):
    """`socket`, `ipp` or any other: it takes the document from a file, and tells by its exit what it wants to."""

    offset = 0
    signal: int | None = None
    terminated = False
    remote: str | None = None


class Wrapper(Program):
    """What cupsd started: it reads, checks, and waits for the sender."""

    sender: Sender | None = None


@dataclass
class Backends:
    """Starts programs; all that live are listed."""

    world: World
    disk: Disk
    on_first: Callable[[str], None]  # the sender is about to write `first`, and then to start the real backend
    on_claim: Callable[[str, Start], None]
    on_said: Callable[[str, once.Outcome], None]  # it is about to write `done`
    on_done: Callable[[str, once.Outcome], None]  # `done` is durable

    def __post_init__(self) -> None:
        self.living: list[Program] = []
        self._count = 0

    def start(self, start: Start, on_exit: Callable[[int | None], None]) -> Wrapper:
        wrapper = Wrapper(self.world, self._name("wrapper", start))
        self._run(wrapper, self._wrap(wrapper, start), lambda: on_exit(wrapper.code))
        return wrapper

    def kill_all(self) -> None:
        for program in list(self.living):
            program.kill()

    def _name(self, kind: str, start: Start) -> str:
        self._count += 1
        return f"{kind} {self._count} of {start.call.uuid[-4:]}"

    def _run(self, program: Program, steps: Steps, on_exit: Callable[[], None] = lambda: None) -> None:
        self.living.append(program)

        def ended() -> None:
            self.living.remove(program)
            on_exit()

        program.run(steps, ended)

    # the wrapper

    def _wrap(self, wrapper: Wrapper, start: Start) -> Steps:
        yield self.world.later(0, 0.2)  # it reads the whole document
        permit = self._permit(start)
        if permit is None:
            return once.EXIT_REFUSED
        yield 0.0
        sender = wrapper.sender = Sender(self.world, self._name("sender", start))
        self._run(sender, self._send(sender, start, permit))
        while sender.is_alive:
            yield 0.2
        return sender.code if sender.code is not None else once.EXIT_REFUSED

    def _permit(self, start: Start) -> dict[str, Any] | None:
        try:
            permit: dict[str, Any] = json.loads(self.disk.read(f"issued/{start.call.uuid}"))
            if self.world.remedies.checks_job:
                once.check(start.call, permit, BytesIO(start.content), self.world.clock())
        except (once.Refused, OSError, ValueError, KeyError, TypeError) as e:
            self.world.note(f"once refuses {start.call.uuid[-4:]}: {e}")
            return None
        return permit

    # the sender

    def _send(self, sender: Sender, start: Start, permit: dict[str, Any]) -> Steps:
        lock, patience = f"locks/{permit['device']}", self.world.now + once.LOCK_PATIENCE_SECONDS
        while self.world.remedies.locks_device and not self.disk.lock(lock, sender):
            if self.world.now > patience:
                return once.EXIT_REFUSED
            yield 0.5
        yield 0.0
        connection = None
        if start.device.is_mute:
            connection = start.device.open(_uuid(start), start.call.arguments[2], start.content)
            if connection is None:
                return once.EXIT_REFUSED
        elif not once.is_ready(start.device.probe()):
            return once.EXIT_REFUSED
        yield 0.0
        claim = f"spent/{start.call.uuid}"
        try:
            self.disk.link(claim, json.dumps({"by": "once"}).encode())
        except FileExistsError:
            return once.EXIT_REFUSED
        if not self.disk.lock(claim, sender):
            self.disk.locks[claim] = {sender}  # overwritten by a rename: the mutation
        self.on_claim(start.call.uuid, start)
        yield 0.0
        self.disk.sync("spent")
        yield 0.0
        self.on_first(start.call.uuid)
        if self.world.remedies.has_first:
            yield from self._note("first", start, {})
        if connection is not None:
            outcome = yield from self._send_by_socket(connection, start)
        else:
            outcome = yield from self._run_backend(sender, start, permit, (lock, claim))
        self.on_said(start.call.uuid, outcome)
        yield from self._note("done", start, asdict(outcome))
        self.on_done(start.call.uuid, outcome)
        return once.EXIT_DONE if outcome.is_good else once.EXIT_REFUSED

    def _note(self, folder: str, start: Start, content: dict[str, Any]) -> Steps:
        self.disk.link(f"{folder}/{start.call.uuid}", json.dumps(content).encode())
        yield 0.0
        self.disk.sync(folder)
        yield 0.0
        return None

    def _send_by_socket(self, stream: Stream, start: Start) -> Any:
        device, sent, deadline = start.device, 0, self.world.now + 300
        try:
            while sent < UNITS:
                taken = device.take(stream)
                if taken is False or self.world.now > deadline:
                    break
                sent += taken is True
                yield 0.1 if taken else 5.0
        finally:
            device.end(stream, is_whole=sent == UNITS)
        yield 0.0
        return once.Outcome(0 if sent == UNITS else 1, None, False, sent, UNITS, None)

    def _run_backend(self, sender: Sender, start: Start, permit: dict[str, Any], locks: tuple[str, ...]) -> Any:
        child = sender.child = RealBackend(self.world, self._name("backend", start))
        if self.world.remedies.passes_locks_on:
            for lock in locks:
                self.disk.locks.setdefault(lock, set()).add(child)
        self._run(child, self._real(child, start))
        deadline = self.world.now + permit["limit_seconds"]
        while child.is_alive:
            if self.world.now > deadline:
                child.terminated = True
                child.kill()
            yield 0.3
        code = child.code
        taken = child.offset if self.world.remedies.counts_by_offset else 0
        remote = (child.remote or "unknown") if start.device.is_ipp and code == 0 else None
        signal = None if code is not None else child.signal or 9
        return once.Outcome(code, signal, child.terminated, taken, UNITS, remote)

    # the real backend

    def _real(self, child: RealBackend, start: Start) -> Steps:
        child.offset = 1  # it reads before it connects
        yield 0.05
        device = start.device
        stream = device.open(_uuid(start), start.call.arguments[2], start.content)
        if stream is None:
            return 1
        try:
            while stream.units < UNITS:
                taken = device.take(stream)
                if taken is False:
                    return self.world.random.choice((0, 1, 4, 7)) if device.is_ipp else 1
                child.offset = max(child.offset, min(UNITS, stream.units + 1))
                yield 0.1 if taken else 5.0
            device.end(stream, is_whole=True)
            if device.is_ipp:
                yield from self._until_printed(child, stream)
        finally:
            if not stream.is_ended:
                device.end(stream, is_whole=False)
        return 1 if self.world.fault("backend fails after all was sent", 0.02) else 0

    def _until_printed(self, child: RealBackend, stream: Stream) -> Steps:
        for _ in range(200):
            if stream.state != "processing":
                break
            yield 0.5
        child.remote = None if self.world.fault("printer's answer lost", 0.03) else stream.state
        return None


def _uuid(start: Start) -> UUID:
    return UUID(start.call.uuid)
