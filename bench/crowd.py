"""A crowd of browsers: one load.c process, what arrived at it, and how fast it was answered."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from bench.arguments import check_files
from bench.programs import BenchError, Program, compiled

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MESSAGE_BYTES", "Crowd", "Opened", "Rounds", "Run", "Sent", "message"]

MESSAGE_BYTES: Final = 128
"""Size of every message: a short JSON text, and what other gateways were measured with."""

INFLIGHT: Final = "200"
"""Handshakes under way at a time: a reconnect storm that a listener's backlog still takes."""


def message(sequence: int) -> str:
    """Give a message as load.c wants it: its number in the run, and when it was sent."""
    return f"{sequence:010d} {time.monotonic_ns():019d} ".ljust(MESSAGE_BYTES, "x")


@dataclass(frozen=True, slots=True)
class Opened:
    """How opening a crowd went, in microseconds from `connect()` to an open websocket.

    Attributes:
        p50_us: The median.
        p99_us: All but one in a hundred took less.
        max_us: The slowest.
        compressed: Browsers that agreed on permessage-deflate.
    """

    p50_us: int
    p99_us: int
    max_us: int
    compressed: int


@dataclass(frozen=True, slots=True)
class Run:
    """What arrived in one run.

    Attributes:
        deliveries: Messages, one per browser.
        content_bytes: Their size.
        seconds: From the first delivery to the last.
        p50_us: Median of the time from sending to arrival, in microseconds.
        p99_us: The same for all but one in a hundred.
        max_us: The same for the slowest.
        crowd_cpu_us: CPU that the crowd itself took per delivery, in microseconds.
    """

    deliveries: int
    content_bytes: int
    seconds: float
    p50_us: int
    p99_us: int
    max_us: int
    crowd_cpu_us: float


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


@dataclass(frozen=True, slots=True)
class Sent:
    """What browsers sent that nobody answered.

    Attributes:
        messages: Texts.
        seconds: Until the last was in its socket; more than the rate asks for where sockets were full.
        crowd_cpu_us: CPU that the crowd itself took per text, in microseconds.
    """

    messages: int
    seconds: float
    crowd_cpu_us: float


class Crowd:
    """Open websockets to one port; a context manager that closes them.

    Attributes:
        size: How many.
        opened: How opening them went.
    """

    def __init__(
        self, port: int, size: int, *, at_once: bool = False, options: Sequence[str] = ()
    ) -> None:
        """Connect and shake hands.

        Args:
            port: Where to, on 127.0.0.1.
            size: How many.
            at_once: Whether all connect in the same moment, instead of a few hundred at a time.
            options: Words of load.c's command line.

        Raises:
            BenchError: If not all could be opened.
        """
        check_files(size)
        self.size = size
        self._expected_sum: int | None = None
        inflight = str(size) if at_once else INFLIGHT
        command = [str(compiled("load")), f"{port}", f"{size}", inflight, *options]
        self._program = Program(f"load-{port}", command)
        ready = self._program.line("ready")
        if int(ready["connections"]) != size:
            self.close()
            raise BenchError(f"{ready['failed']} of {size} browsers could not connect")
        self.opened = Opened(
            int(ready["p50_us"]),
            int(ready["p99_us"]),
            int(ready["max_us"]),
            int(ready["compressed"]),
        )

    def __repr__(self) -> str:
        return f"<Crowd of {self.size}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def expect(self, messages: int) -> None:
        """Count from zero, until every browser has received so many messages."""
        self._expect(f"expect {messages * self.size}", None)

    def expect_some(self, receivers: Sequence[int]) -> None:
        """Count from zero, until each message has reached those browsers that it is for.

        Args:
            receivers: How many these are, for each message in the order of their numbers.
        """
        total = sum(number * count for number, count in enumerate(receivers))
        self._expect(f"expect {sum(receivers)} rising", total)

    def _expect(self, command: str, expected_sum: int | None) -> None:
        self._expected_sum = expected_sum
        self._program.tell(command)
        self._program.line("expecting")

    def result(self) -> Run:
        """Wait until what is expected has arrived.

        Raises:
            BenchError: If something was lost, repeated or out of order, or a browser was closed.
        """
        result = self._result()
        if self._expected_sum not in {None, int(result["sum"])}:
            raise BenchError(f"what arrived is not what was sent: {result}")
        deliveries = int(result["deliveries"])
        return Run(
            deliveries,
            int(result["bytes"]),
            float(result["seconds"]),
            int(result["p50_us"]),
            int(result["p99_us"]),
            int(result["max_us"]),
            int(result["cpu_us"]) / deliveries,
        )

    def quantiles_us(self) -> list[int]:
        """Return the latencies of the last run: the least, 99 that hundredths are below, the most."""
        self._program.tell("quantiles")
        return [int(value) for value in self._program.line("quantiles")["us"].split(",")]

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

    def send(self, messages: int, rate: int) -> Sent:
        """Have browsers send texts, one after the other in turn; a browser whose socket is full is left out.

        Args:
            messages: How many texts, in all.
            rate: How many a second.

        Raises:
            BenchError: If a browser was closed.
        """
        self._program.tell(f"send {messages} {rate} {MESSAGE_BYTES}")
        sent = self._program.line("sent")
        if int(sent["closed"]) or int(sent["messages"]) != messages:
            raise BenchError(f"not everything could be sent: {sent}")
        return Sent(messages, float(sent["seconds"]), int(sent["cpu_us"]) / messages)

    def _result(self) -> dict[str, str]:
        result = self._program.line("result")
        if any(int(result[wrong]) for wrong in ("disorder", "mismatch", "missing", "closed")):
            raise BenchError(f"what arrived is not what was sent: {result}")
        return result

    def close(self) -> None:
        """Disconnect all."""
        self._program.close()
