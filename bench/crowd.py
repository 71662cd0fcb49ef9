"""A crowd of browsers: one load.c process, and what arrived at it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final, Self

from bench.programs import BenchError, Program, compiled

__all__ = ["MESSAGE_BYTES", "Crowd", "Run", "message"]

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
        result = self._program.line("result")
        if int(result["disorder"]) or int(result["closed"]):
            raise BenchError(f"what arrived is not what was sent: {result}")
        return Run(
            int(result["deliveries"]),
            float(result["seconds"]),
            int(result["p50_us"]),
            int(result["p99_us"]),
        )

    def close(self) -> None:
        """Disconnect all."""
        self._program.close()
