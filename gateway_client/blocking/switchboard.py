"""The blocking client's links to gateways: who may use which, and the loop that drives them.

Idle lines wait in a stack per gateway, so that the one used last is used next and the others fall
out of use. A line belongs to one thread from `connect` to `release`. A thread that sent something
unconfirmed keeps that line for its next call to the same gateway, so that what it sends arrives in
order; the line goes back with the next answer, and is closed with the thread.

No lock: `list.append` and `list.pop` are atomic, and a line is in one place at a time.
"""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from math import ceil
from typing import Final
from weakref import WeakSet

from gateway_client.blocking.line import Line
from gateway_client.blocking.talk import Talk
from gateway_client.cluster import Cluster
from gateway_client.directory import Node
from gateway_wire.hello import Party

__all__ = ["Switchboard", "drive"]

_clock: Final = time.monotonic


class _Kept(threading.local):
    """The lines on which this thread sent something unconfirmed, by node id."""

    def __init__(self) -> None:
        self.lines: dict[str, Line] = {}


class Switchboard:
    """Opens, keeps and hands out lines to gateways."""

    def __init__(self, cluster: Cluster, party: Party) -> None:
        self._cluster = cluster
        self._party = party
        self._idle: dict[str, list[Line]] = {}
        self._kept = _Kept()
        self._lines: WeakSet[Line] = WeakSet()

    def __repr__(self) -> str:
        idle = sum(map(len, self._idle.values()))
        return f"<Switchboard {len(self._lines)} lines, {idle} idle>"

    def connect(
        self, node: Node, begun: float, timeout: float, *, is_long: bool = False
    ) -> Talk | str:
        """Begin a talk with a gateway.

        Args:
            node: The gateway.
            begun: When the call began.
            timeout: Seconds after which it has timed out.
            is_long: Whether that counts from the last progress, as in a pipeline.

        Returns:
            The talk, or why there can be none.
        """
        health, now = self._cluster.health, _clock()
        line = self._take(node)
        if line is None:
            why_not = health.why_not_dial(node.node_id, now)
            if why_not is not None:
                health.let_go(node.node_id)
                return why_not
            try:
                line = Line(node.address, self._party, self._cluster.config.secret_key)
            except OSError as error:
                reason = f"could not be reached: {error.strerror or error}"
                health.refused(node.node_id, reason, now)
                return reason
            self._lines.add(line)
        return Talk(node, line, health, begun, timeout, now=now, is_long=is_long)

    def release(self, talk: Talk) -> None:
        """End a talk; its line waits for the next one, if it is still good."""
        talk.finish()
        line = talk.line
        if line.is_closed:
            return
        if not talk.has_finished():
            line.close()
        elif talk.ends_unconfirmed:
            self._kept.lines[talk.node.node_id] = line
        else:
            self._idle.setdefault(talk.node.node_id, []).append(line)

    def is_linked(self, node: Node) -> bool:
        """Return whether a link to this gateway lives."""
        idle = self._idle.get(node.node_id, [])
        for line in tuple(idle):
            if not line.is_usable():
                line.close()
        return any(line.address == node.address and not line.is_closed for line in self._lines)

    def forget(self, nodes: Iterable[Node]) -> None:
        """Drop what is kept for gateways that are gone."""
        for node in nodes:
            self._idle.pop(node.node_id, None)

    def close(self) -> None:
        """Close every line."""
        for line in tuple(self._lines):
            line.close()
        self._idle.clear()

    def _take(self, node: Node) -> Line | None:
        kept = self._kept.lines
        if kept:
            line = kept.pop(node.node_id, None)
            if line is not None and line.address == node.address and line.is_usable():
                return line
        idle = self._idle.get(node.node_id)
        while idle:
            try:
                line = idle.pop()
            except IndexError:  # another thread was faster
                return None
            if line.address == node.address and line.is_usable():
                return line
            line.close()
        return None


def drive(talks: Sequence[Talk], is_enough: Callable[[Talk], bool] = Talk.has_finished) -> None:
    """Write and read until it is enough for every talk, which a finished one always is.

    Args:
        talks: With different gateways.
        is_enough: Whether nothing more need be done for a talk now.
    """
    now = _clock()
    for talk in talks:
        talk.flush(now)
    if len(talks) == 1:
        _drive_one(talks[0], is_enough)
        return
    while busy := [talk for talk in talks if not is_enough(talk)]:
        _turn(busy)


def _drive_one(talk: Talk, is_enough: Callable[[Talk], bool]) -> None:
    """The same for a single gateway, without the cost of choosing among several."""
    line = talk.line
    while not is_enough(talk):
        if line.wait(_milliseconds(talk.deadline - _clock())):
            talk.progress(_clock())
        else:
            talk.expire(_clock())


def _turn(busy: list[Talk]) -> None:
    poller = select.poll()  # looked up now: gevent may have put its own there
    by_fd: dict[int, Talk] = {}
    for talk in busy:
        fd = talk.line.fd
        if fd >= 0:  # else it was closed just now, by another thread that closes the client
            poller.register(fd, talk.line.wants)
            by_fd[fd] = talk
    soonest = min(talk.deadline for talk in busy)
    events = poller.poll(_milliseconds(soonest - _clock()))
    now = _clock()
    for fd, _ in events:
        by_fd[fd].progress(now)
    if now >= soonest:
        for talk in busy:
            talk.expire(now)


def _milliseconds(seconds: float) -> int:
    return max(0, ceil(seconds * 1000))
