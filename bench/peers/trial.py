"""One contestant beside the C loop: the same crowd at each, measured in turns.

A trial has a C loop of its own, with as many browsers as the contestant bears, so that both see
caches, sockets and the machine's mood of the same minute. What is compared is the contestant's ratio to
that loop.
"""

from __future__ import annotations

import math
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from bench.crowd import MESSAGE_BYTES, message
from bench.programs import Program, compiled
from bench.stage import open_crowd
from bench.turns import BATCH, TURNS, Turn, Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.crowd import Crowd
    from bench.peers.contestants import Running

__all__ = ["Figures", "Pace", "measure"]


@dataclass(frozen=True, slots=True)
class Pace:
    """How much is sent.

    Attributes:
        interval: Seconds between two spaced messages.
        spaced: Spaced messages a turn.
        stream_seconds: How long a turn of the stream is to last; whole batches are sent.
        floor_rounds: Messages a turn of the C loop's stream: one costs it as much as any other.
    """

    interval: float = 0.1
    spaced: int = 20
    stream_seconds: float = 1.5
    floor_rounds: int = 60


@dataclass(frozen=True, slots=True)
class Figures:
    """What came out for one server.

    Attributes:
        spaced_us: CPU per delivery of messages at an even pace, in microseconds.
        spaced_p99_ms: From before a message was published to all but the last hundredth of arrivals.
        stream_us: CPU per delivery where batches of messages follow each other.
        stream_rate: Deliveries a second there.
        stream_p99_ms: As above. The C loop stamps each message when it sends it, so it waits less.
        handshake_us: CPU per connection that is taken in.
        resident_kb: Growth of the resident memory per connection.
    """

    spaced_us: float
    spaced_p99_ms: float
    stream_us: float
    stream_rate: float
    stream_p99_ms: float
    handshake_us: float
    resident_kb: float


class _Server:
    """A server and its crowd, and the turns that it had."""

    def __init__(self, program: Program, port: int, size: int, options: Sequence[str] = ()) -> None:
        self._program = program
        self.crowd, self._opening = open_crowd(program, port, size, options)
        self._spaced: list[Turn] = []
        self._stream: list[Turn] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.crowd.close()

    def spaced(self, messages: int, publish: Callable[[], None]) -> None:
        self._spaced.append(self._turn(messages, publish))

    def stream(self, messages: int, publish: Callable[[], None]) -> None:
        self._stream.append(self._turn(messages, publish))

    def _turn(self, messages: int, publish: Callable[[], None]) -> Turn:
        self.crowd.expect(messages)
        cpu = self._program.cpu_ns()
        publish()
        run = self.crowd.result()
        return Turn(run, (self._program.cpu_ns() - cpu) / 1000 / run.deliveries)

    def figures(self) -> Figures:
        spaced, stream = Turns(self._spaced), Turns(self._stream)
        return Figures(
            spaced_us=spaced.cpu_us,
            spaced_p99_ms=spaced.p99_ms,
            stream_us=stream.cpu_us,
            stream_rate=stream.rate,
            stream_p99_ms=stream.p99_ms,
            handshake_us=self._opening.cpu_us,
            resident_kb=self._opening.resident_bytes / 1024,
        )


def measure(
    running: Running, size: int, options: Sequence[str] = (), pace: Pace | None = None
) -> tuple[Figures, Figures]:
    """Measure a contestant and the C loop.

    Args:
        running: The contestant.
        size: Browsers at each.
        options: What the contestant's browsers tell load.c to speak.
        pace: How much is sent.

    Raises:
        BenchError: If a browser could not connect, or anything was lost, doubled or out of order.
    """
    pace = pace or Pace()
    with ExitStack() as stack:
        program = stack.enter_context(Program("floor", [compiled("floor")]))
        port = int(program.line("ready")["port"])
        floor = stack.enter_context(_Server(program, port, size))
        server = stack.enter_context(_Server(running.program, running.port, size, options))
        running.gather()
        batches = _batches(running, server.crowd, pace)
        for _ in range(TURNS):
            _turns_of_floor(floor, program, pace)
            server.spaced(pace.spaced, lambda: _publish_spaced(running, pace))
            server.stream(batches * BATCH, lambda: _publish_batches(running, batches))
        return server.figures(), floor.figures()


def _batches(running: Running, crowd: Crowd, pace: Pace) -> int:
    """Send one batch, which warms a server up, and see how many a turn can have."""
    begin = time.monotonic()
    crowd.expect(BATCH)
    _publish_batches(running, 1)
    crowd.result()
    return math.ceil(pace.stream_seconds / (time.monotonic() - begin))


def _turns_of_floor(floor: _Server, program: Program, pace: Pace) -> None:
    def rounds(messages: int, interval: float) -> None:
        program.tell(f"rounds {messages} {interval * 1e6:.0f} {MESSAGE_BYTES} 1")
        program.line("done")

    floor.spaced(pace.spaced, lambda: rounds(pace.spaced, pace.interval))
    floor.stream(pace.floor_rounds, lambda: rounds(pace.floor_rounds, 0))


def _publish_spaced(running: Running, pace: Pace) -> None:
    due = time.monotonic()
    for sequence in range(pace.spaced):
        running.send([message(sequence)])
        due += pace.interval
        time.sleep(max(0.0, due - time.monotonic()))


def _publish_batches(running: Running, batches: int) -> None:
    for first in range(0, batches * BATCH, BATCH):
        running.send([message(sequence) for sequence in range(first, first + BATCH)])
