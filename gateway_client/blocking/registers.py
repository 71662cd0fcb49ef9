"""The blocking client's links to the registers, watched without a thread.

Each register is told to send the directory now and at every change. What it sends waits in the
kernel until a call looks, which costs one poll that does not wait. Only two calls wait here: the very
first, until every register has answered or failed, and one for a client of a gateway that nobody
knows, which has the registers asked once more.

A register that is lost is dialled again by later calls, in passing; none of them waits for it.

A consumer has registers of its own, which it polls together with its gateways: `attend` and `expire` are the two
halves of one turn.
"""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable
from math import ceil, inf
from typing import Final

from gateway_client.blocking.line import Line
from gateway_client.cluster import Cluster, who_is_no_register
from gateway_client.config import CONNECT_TIMEOUT
from gateway_client.errors import link_error, no_register
from gateway_wire.addresses import Address
from gateway_wire.commands import Nodes, Watch
from gateway_wire.errors import GatewayError, LinkError
from gateway_wire.frames import encode_frame
from gateway_wire.hello import Party
from gateway_wire.limits import NODE_SILENCE

__all__ = ["LOOKUP_TIMEOUT", "REDIAL_PAUSE", "STRAGGLERS", "Registers"]

REDIAL_PAUSE: Final = 0.2
"""Seconds before a register that was lost or refused is dialled again."""

LOOKUP_TIMEOUT: Final = 1.0
"""Seconds in which a register answers when it is asked again, or counts as lost."""

STRAGGLERS: Final = 0.25
"""Share of the remaining time for which the first call waits for further registers once one has
answered, so that a silent one leaves time for the gateways."""

_WATCH: Final = encode_frame(Watch())


class _Register:
    """One register, watched.

    Attributes:
        name: Its address as text.
        line: The link; None between a loss and the next attempt.
        failure: Why the last link or attempt ended.
        is_waiting: Whether an answer is waited for, until `deadline`.
        next_dial: When it may be dialled again.
        heard: When it was heard last.
    """

    __slots__ = (
        "_cluster",
        "_is_asked",
        "address",
        "deadline",
        "failure",
        "heard",
        "is_waiting",
        "line",
        "name",
        "next_dial",
    )

    def __init__(self, cluster: Cluster, address: Address) -> None:
        self._cluster = cluster
        self._is_asked = False
        self.address = address
        self.name = str(address)
        self.line: Line | None = None
        self.failure: GatewayError | None = None
        self.is_waiting = False
        self.deadline = inf
        self.next_dial = 0.0
        self.heard = 0.0

    def __repr__(self) -> str:
        return f"<_Register {self.name} {self.failure or 'watched'}>"

    @property
    def due(self) -> float:
        """When something is to be done here without anything being heard."""
        if self.line is None:
            return self.next_dial
        return self.deadline if self.is_waiting else self.heard + NODE_SILENCE

    def dial(self, party: Party, now: float) -> None:
        """Begin to connect."""
        self._is_asked = False
        self.is_waiting, self.deadline = True, now + CONNECT_TIMEOUT
        try:
            self.line = Line(self.address, party, self._cluster.config.secret_key)
        except OSError as error:
            self.lose(link_error(error), now)

    def ask(self, now: float) -> None:
        """Have it send the directory once more."""
        if self.line is None or self.is_waiting:
            return
        self.is_waiting, self.deadline = True, now + LOOKUP_TIMEOUT
        self.line.queue(_WATCH)
        self.line.flush()
        if self.line.failure is not None:  # it was lost since it was looked at last
            self.lose(self.line.failure, now)

    def progress(self, now: float) -> None:
        """Read what it sent."""
        line = self.line
        if line is None:
            return
        envelopes = line.progress()
        self.heard = now
        if line.is_open and not self._is_asked:
            if (stranger := who_is_no_register(line.peer)) is not None:
                self.lose(stranger, now)
                return
            self._is_asked = True
            line.queue(_WATCH)
            line.flush()
        for command, _, _ in envelopes:
            if isinstance(command, Nodes):
                self.is_waiting, self.failure = False, None
                self._cluster.directory.heard(self.name, command)
        if line.failure is not None:
            self.lose(line.failure, now)

    def expire(self, now: float) -> None:
        """Give up, if what is waited for has not come."""
        if self.line is not None and now >= self.due:
            if self.is_waiting:
                self.lose(LinkError("it did not answer in time"), now)
            else:
                self.ask(now)  # so that one that is dead without a word is found out

    def lose(self, reason: GatewayError, now: float) -> None:
        """Take note that the link is over."""
        if self.line is not None:
            self.line.close()
        self.line, self.failure, self.is_waiting = None, reason, False
        self.next_dial = now + REDIAL_PAUSE
        self._cluster.directory.lost(self.name)


class Registers:
    """All registers of one client, watched by whichever thread calls."""

    def __init__(self, cluster: Cluster, party: Party) -> None:
        self._cluster = cluster
        self._party = party
        self._lock = threading.Lock()
        self._registers = [_Register(cluster, address) for address in cluster.config.registers]
        self._is_settled = False
        self._due = 0.0
        self._poller = select.poll()

    def __repr__(self) -> str:
        return f"<Registers {self._registers!r}>"

    def refresh(self, now: float) -> None:
        """Take in what the registers sent, without waiting."""
        if not self._lock.acquire(blocking=False):
            return  # another thread is at it
        try:
            if now >= self._due or self._poller.poll(0):
                self._turn(now, 0.0)
        finally:
            self._lock.release()

    def settle(self, deadline: float) -> None:
        """Wait until every register has answered or failed; harmless once one has answered.

        Raises:
            RegisterUnavailable: If none answers.
            AuthenticationFailed: If none answers and one refused the secret key.
        """
        directory = self._cluster.directory
        if self._is_settled and (directory.nodes or directory.is_answered):
            return
        self._wait(deadline, lambda: directory.is_answered or self._are_quiet())
        patience = (deadline - time.monotonic()) * STRAGGLERS
        self._wait(time.monotonic() + patience, self._are_quiet)
        self._is_settled = directory.is_answered
        if not directory.nodes and not directory.is_answered:
            raise self._nobody()

    def look_up(self, deadline: float, now: float) -> None:
        """Have every register send the directory once more, and wait for it.

        Raises:
            RegisterUnavailable: If none answers.
            AuthenticationFailed: If none answers and one refused the secret key.
        """
        with self._lock:
            for register in self._registers:
                register.ask(now)
        self._wait(deadline, self._are_quiet)
        if not self._cluster.directory.is_answered:
            raise self._nobody()

    def close(self) -> None:
        """Close the links."""
        for register in self._registers:
            if register.line is not None:
                register.line.close()

    # One turn, around a poll; for whoever polls other things with them, in one thread.

    @property
    def failures(self) -> dict[str, GatewayError | None]:
        """Why the last link or attempt to each register ended; None for one that answered since."""
        return {each.name: each.failure for each in self._registers}

    @property
    def due(self) -> float:
        """When something is to be done without anything being heard."""
        return min(register.due for register in self._registers)

    def attend(self, poller: select.poll, now: float) -> dict[int, Callable[[float], None]]:
        """Dial whoever is to be dialled, and have every link polled.

        Returns:
            By descriptor, what is to be called with the time when it is ready.
        """
        by_fd: dict[int, Callable[[float], None]] = {}
        for register in self._registers:
            if register.line is None and now >= register.next_dial:
                register.dial(self._party, now)
            if register.line is not None:
                poller.register(register.line.fd, register.line.wants)
                by_fd[register.line.fd] = register.progress
        return by_fd

    def expire(self, now: float) -> None:
        """Give up what has not come in time."""
        for register in self._registers:
            register.expire(now)

    # Private methods

    def _wait(self, deadline: float, is_enough: Callable[[], bool]) -> None:
        now = time.monotonic()
        if not self._lock.acquire(timeout=max(0.0, deadline - now)):
            return
        try:
            self._dial_lost(now)
            while not is_enough():
                now = time.monotonic()
                if now >= deadline:
                    return
                self._turn(now, deadline - now)
        finally:
            self._lock.release()

    def _are_quiet(self) -> bool:
        """Return whether no register's answer is being waited for."""
        return not any(register.is_waiting for register in self._registers)

    def _turn(self, now: float, patience: float) -> None:
        """Dial, read and expire once, waiting at most so many seconds for something to happen."""
        poller = select.poll()  # looked up now: gevent may have put its own there
        by_fd = self.attend(poller, now)
        wait = max(0.0, min(patience, self.due - now))
        events = poller.poll(ceil(wait * 1000))
        now = time.monotonic()
        for fd, _ in events:
            by_fd[fd](now)
        self.expire(now)
        self._prepare()

    def _prepare(self) -> None:
        """Prepare the look that `refresh` takes at each call."""
        poller = select.poll()
        for register in self._registers:
            if register.line is not None:
                poller.register(register.line.fd, register.line.wants)
        self._poller = poller
        self._due = self.due

    def _dial_lost(self, now: float) -> None:
        for register in self._registers:
            if register.line is None:
                register.dial(self._party, now)

    def _nobody(self) -> GatewayError:
        return no_register(self.failures)
