"""A crowd of browsers: one load.c process, what arrived at it, and how fast it was answered."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final, Self

from bench.programs import BenchError, Program, compiled

__all__ = ["MESSAGE_BYTES", "Crowd", "Rounds", "Run", "message"]

MESSAGE_BYTES: Final = 128
"""Size of every message: a short JSON text, and what other gateways were measured with."""

INFLIGHT: Final = "200"
"""Handshakes under way at a time: a reconnect storm that a listener's backlog still takes."""


def message(sequence: int) -> str:
    """Give a message as load.c wants it: its number in the run, and when it was sent."""
    return f"{sequence:010d} {time.monotonic_ns():019d} ".ljust(MESSAGE_BYTES, "x")


@dataclass(frozen=True, slots=True)
class Run:
    """What arrived in one run.

    Attributes:
        deliveries: Messages, one per browser.
        seconds: From the first delivery to the last.
        p50_us: Median of the time from sending to arrival, in microseconds.
        p99_us: The same for all but one in a hundred.
    """

    deliveries: int
    seconds: float
    p50_us: int
    p99_us: int


@dataclass(frozen=True, slots=True)
class Rounds:
    """What came of one run of round trips.

    Attributes:
        rounds: Texts that were sent and echoed.
        seconds: From the first text to the last echo.
        p50_us: Median of the time from sending a text to the arrival of its echo, in microseconds.
        p99_us: The same for all but one in a hundred.
        crowd_cpu_us: CPU that the crowd itself took per round, in microseconds.
    """

    rounds: int
    seconds: float
    p50_us: int
    p99_us: int
    crowd_cpu_us: float

    @property
    def rate(self) -> float:
        """Rounds per second."""
        return self.rounds / self.seconds


class Crowd:
    """Open websockets to one port; a context manager that closes them.

    Attributes:
        size: How many.
        seconds: How long it took to open them.
    """

    def __init__(self, port: int, size: int) -> None:
        """Connect and shake hands.

        Raises:
            BenchError: If not all could be opened.
        """
        self.size = size
        self._program = Program(f"load-{port}", [compiled("load"), f"{port}", f"{size}", INFLIGHT])
        ready = self._program.line("ready")
        self.seconds = float(ready["seconds"])
        if int(ready["connections"]) != size:
            self.close()
            raise BenchError(f"{ready['failed']} of {size} browsers could not connect")

    def __repr__(self) -> str:
        return f"<Crowd of {self.size}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def expect(self, messages: int) -> None:
        """Count from zero, until every browser has received so many messages."""
        self._program.tell(f"expect {messages * self.size}")
        self._program.line("expecting")

    def result(self) -> Run:
        """Wait until what is expected has arrived.

        Raises:
            BenchError: If something was lost, repeated or out of order, or a browser was closed.
        """
        result = self._result()
        return Run(
            int(result["deliveries"]),
            float(result["seconds"]),
            int(result["p50_us"]),
            int(result["p99_us"]),
        )

    def rounds(self, seconds: float, *, under_way: int = 1) -> Rounds:
        """Have every browser send texts to an echo, the next as soon as an answer came.

        Args:
            seconds: For how long.
            under_way: Texts that each browser keeps unanswered.

        Raises:
            BenchError: If a text was not answered by its echo, in order, or a browser was closed.
        """
        self._program.tell(f"rounds {seconds * 1000:.0f} {under_way} {MESSAGE_BYTES}")
        result = self._result()
        rounds = int(result["deliveries"])
        if not rounds:
            raise BenchError("no text was answered")
        return Rounds(
            rounds,
            float(result["seconds"]),
            int(result["p50_us"]),
            int(result["p99_us"]),
            int(result["cpu_us"]) / rounds,
        )

    def _result(self) -> dict[str, str]:
        result = self._program.line("result")
        if any(int(result[wrong]) for wrong in ("disorder", "mismatch", "missing", "closed")):
            raise BenchError(f"what arrived is not what was sent: {result}")
        return result

    def close(self) -> None:
        """Disconnect all."""
        self._program.close()
