"""How the blocking client runs calls: ask the core, write to all at once, read until all is said.

One engine is one `instance` in the cluster: a client object has one, and a new one after fork() or
`close()`. Threads share it and each runs its own calls.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable
from math import inf
from typing import Final, TypeVar

from gateway_client.blocking.registers import Registers
from gateway_client.blocking.switchboard import Switchboard, drive
from gateway_client.blocking.talk import Talk
from gateway_client.calls.base import Call, Missing
from gateway_client.cluster import Cluster, Plan, encode_asks
from gateway_client.config import CONNECT_TIMEOUT
from gateway_client.directory import Directory
from gateway_client.tally import Losses, Miss, Request, Tally
from gateway_wire.commands import Role
from gateway_wire.hello import Party, new_instance

__all__ = ["Engine"]

R = TypeVar("R")

_clock: Final = time.monotonic


class Engine:
    """Runs calls for one client object.

    Attributes:
        cluster: What is known of the cluster.
        switchboard: The links to gateways.
        next_request_id: Returns a request id that is not in use.
    """

    def __init__(self, cluster: Cluster, losses: Losses) -> None:
        party = Party(Role.CLIENT, new_instance())
        self.cluster = cluster
        self.switchboard = Switchboard(cluster, party)
        self._losses = losses
        self._registers = Registers(cluster, party)
        self.next_request_id: Callable[[], int] = itertools.count(1).__next__
        self._looked = -inf

    def __repr__(self) -> str:
        return f"<Engine {self.cluster!r} {self.switchboard!r}>"

    def run(self, call: Call[R]) -> R:
        """Run one call.

        Raises:
            GatewayError: As the call's method says.
        """
        now = _clock()
        timeout = self.cluster.config.timeout if call.timeout is None else call.timeout
        tally, asks = self.plan(call, now, timeout)
        request_id = self.next_request_id() if call.confirm else 0
        talks: list[Talk] = []
        try:
            for (node, command), frame in zip(asks, encode_asks(asks, request_id), strict=True):
                talk = self.switchboard.connect(node, now, timeout)
                if isinstance(talk, str):
                    tally.skipped(Miss(node, talk, sent=False))
                    continue
                talks.append(talk)
                talk.say(frame, Request(tally, node, type(command)), request_id)
            drive(talks)
        except BaseException:
            self.abandon(talks)
            raise
        for talk in talks:
            self.switchboard.release(talk)
        return self.conclude(tally)

    def plan(self, call: Call[R], now: float, timeout: float, look_every: float = 0.0) -> Plan[R]:
        """Decide whom a call asks, after the registers were heard.

        Args:
            call: The call.
            now: The time.
            timeout: Seconds it may take to find out.
            look_every: Seconds for which a look at the registers holds.

        Raises:
            GatewayError: If that cannot be known, or there is nobody to ask.
        """
        cluster = self.cluster
        if now - self._looked >= look_every:
            self._look(now, timeout)
            self._looked = now  # not before, since other threads must wait for the very first look
        unknown = cluster.unknown(call, now)
        if unknown:
            self._registers.look_up(now + min(timeout, CONNECT_TIMEOUT), now)
            cluster.directory.note_absent(unknown, now)
        return cluster.plan(call, now)

    def conclude(self, tally: Tally[R]) -> R:
        """Return the result of a call, or raise what came of it."""
        if tally.misses and tally.missing is Missing.UNCONFIRMED:
            self._losses.count += len(tally.misses)
        return tally.result()

    def abandon(self, talks: Iterable[Talk]) -> None:
        """Close what an interrupted call or pipeline left unfinished."""
        for talk in talks:
            talk.abandon()
            self.switchboard.release(talk)

    def close(self) -> None:
        """Close every link."""
        self._registers.close()
        self.switchboard.close()

    def _look(self, now: float, timeout: float) -> None:
        """Take in what the registers sent, and forget who is gone."""
        directory = self.cluster.directory
        self._registers.refresh(now)
        self._registers.settle(now + min(timeout, CONNECT_TIMEOUT))
        if directory.dropped:
            self._forget(directory)

    def _forget(self, directory: Directory) -> None:
        gone = [node for node in directory.dropped if not self.switchboard.is_linked(node)]
        directory.forget(gone)
        self.switchboard.forget(gone)
