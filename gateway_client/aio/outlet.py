"""The way out to one gateway, on one loop: one link, shared by all tasks.

Commands leave in the order in which they were given, and answers find their requests by id. While
the link is dialled they wait here; when it is lost it is dialled again by the next command. A gateway
that does not read fails what is given to it at once, when too much waits.

Links of another kind (`kept_outlet.py`) do otherwise what stands under "What another kind of link does
otherwise" in here, and what the link tells.
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from gateway_client.cluster import Cluster
from gateway_client.config import CONNECT_TIMEOUT
from gateway_client.directory import Node
from gateway_client.tally import Request
from gateway_wire.aio.dialer import dial
from gateway_wire.aio.link import AioLink
from gateway_wire.commands import ReplyPart
from gateway_wire.errors import (
    AuthenticationFailed,
    ErrorCode,
    GatewayError,
    LinkError,
    RemoteProtocolError,
)
from gateway_wire.frames import Envelope
from gateway_wire.hello import Party
from gateway_wire.limits import MAX_UNSENT

__all__ = ["Asking", "Outlet", "why_no_link"]

_GOODBYE_PAUSES: Final = (0, 0, 0, *[0.01] * 100)
"""Seconds to wait for what was sent to be written: mostly a turn of the loop, at most a second."""

_NO_ROOM: Final = f"does not read: {MAX_UNSENT // 1024**2} MiB wait for it"


class Asking(Protocol):
    """A request whose answer is awaited; `tally.Request` is one."""

    def receive(self, answer: object) -> bool:
        """Take an answer, or a part of one; return whether it was the last.

        Raises:
            RemoteProtocolError: If the answer is not one to this command.
        """

    def fail(self, reason: str, *, sent: bool, error: GatewayError | None = None) -> None:
        """Take note that no answer will come."""


class Outlet:
    """The link to one gateway, and what travels on it.

    Attributes:
        node: The gateway.
    """

    __slots__ = (
        "_cluster",
        "_dialing",
        "_link",
        "_open",
        "_party",
        "_waiting",
        "_waiting_size",
        "node",
    )

    def __init__(self, node: Node, cluster: Cluster, party: Party) -> None:
        self.node = node
        self._cluster = cluster
        self._party = party
        self._link: AioLink | None = None
        self._dialing: asyncio.Task[None] | None = None
        # None stands for a request whose caller has given up; its answer is still to come.
        self._open: dict[int, Asking | None] = {}
        self._waiting: dict[int, tuple[bytes, Request, bool]] = {}
        self._waiting_size = 0

    def __repr__(self) -> str:
        state = "open" if self._link is not None else "closed"
        return f"<Outlet to {self.node.address} {state}, {len(self._open)} open>"

    @property
    def is_linked(self) -> bool:
        """Whether a link to this gateway lives."""
        return self._link is not None

    def say(self, frame: bytes, request: Request, request_id: int, *, confirm: bool) -> None:
        """Send one command, now or as soon as there is a link.

        Args:
            frame: The command, encoded.
            request: Is told what comes of it.
            request_id: Its id; also names it here when it is not confirmed.
            confirm: Whether an answer is awaited.
        """
        link = self._link
        if link is not None and link.is_open:
            if link.has_room():
                self._send(link, frame, request, request_id, confirm=confirm)
            else:
                request.fail(_NO_ROOM, sent=False)
            return
        why_not = self._no_room_for(len(frame)) or self.why_not_wait()
        if why_not is not None:
            request.fail(why_not, sent=False)
            return
        self._waiting[request_id] = (frame, request, confirm)
        self._waiting_size += len(frame)
        self.connect()

    def time_out(self, request_id: int, timeout: float, now: float) -> None:
        """Give up a request whose time is up; harmless when it is finished."""
        waiting = self._take_back(request_id)
        if waiting is not None:
            reason = f"accepted no link within {timeout:g} s"
            waiting[1].fail(reason, sent=False)
        elif (request := self._open.get(request_id)) is not None:
            reason = f"did not answer within {timeout:g} s"
            self._open[request_id] = None
            request.fail(reason, sent=True)
        else:
            return
        self._cluster.health.timed_out(self.node.node_id, reason, now)

    def abandon(self, request_id: int) -> None:
        """Forget a request whose caller was cancelled; harmless when it is finished."""
        self._take_back(request_id)
        if self._open.get(request_id) is not None:
            self._open[request_id] = None
        self._cluster.health.let_go(self.node.node_id)

    async def close(self) -> None:
        """Say goodbye, once what was sent is written, and wait a while for that."""
        dialing = self._dialing
        self.retire()
        if dialing is not None:
            await asyncio.wait([dialing])
        for pause in _GOODBYE_PAUSES:
            if self._link is None:
                return
            await asyncio.sleep(pause)
        if self._link is not None:
            self._link.abort(LinkError("it did not read what was sent"))

    def disown(self) -> None:
        """Let go of the link in a forked child."""
        if self._link is not None:
            self._link.disown()

    # What another kind of link does otherwise.

    def connect(self) -> None:
        """Begin to dial, unless that is under way."""
        if self._dialing is None:
            self._dialing = asyncio.get_running_loop().create_task(self._dial())

    def why_not_wait(self) -> str | None:
        """Return why there is no use in waiting for a link, or None."""
        if self._dialing is not None:
            return None
        health, now = self._cluster.health, asyncio.get_running_loop().time()
        why_not = health.why_not_dial(self.node.node_id, now)
        if why_not is not None:
            health.let_go(self.node.node_id)
        return why_not

    def forget(self) -> None:
        """Take note that the gateway is gone; a dialling that is under way may find otherwise."""

    def retire(self) -> None:
        """Say goodbye; nothing is given to this outlet any more."""
        if self._dialing is not None:
            self._dialing.cancel()
        if self._link is not None:
            self._link.close(ErrorCode.STOPPING, "the client is closing")

    def fail_waiting(self, reason: str, error: Exception) -> None:
        """Fail what waits for a link that did not come about."""
        raised = _named(error, self.node) if isinstance(error, AuthenticationFailed) else None
        waiting, self._waiting, self._waiting_size = self._waiting, {}, 0
        for _, request, _ in waiting.values():
            request.fail(reason, sent=False, error=raised)

    # What the link tells.

    def link_opened(self, link: AioLink) -> None:
        """Send what waited."""
        self._link = link
        waiting, self._waiting, self._waiting_size = self._waiting, {}, 0
        for request_id, (frame, request, confirm) in waiting.items():
            self._send(link, frame, request, request_id, confirm=confirm)

    def link_received(self, link: AioLink, envelopes: list[Envelope]) -> None:
        """Give answers to their requests."""
        self._cluster.health.answered(self.node.node_id)
        try:
            for command, request_id, _ in envelopes:
                self._receive(command, request_id)
        except RemoteProtocolError as error:
            link.abort(error)

    def link_closed(self, _link: AioLink, reason: GatewayError) -> None:
        """Fail what was open; the next command dials again."""
        self._link = None
        requests, self._open = self._open, {}
        for request in requests.values():
            if request is not None:
                request.fail(f"was lost before it answered: {reason}", sent=True)

    # Private methods

    def _send(
        self, link: AioLink, frame: bytes, request: Request, request_id: int, *, confirm: bool
    ) -> None:
        link.send_frame(frame)
        if confirm:
            self._open[request_id] = request
        else:
            request.tally.answered(None)

    def _receive(self, answer: object, request_id: int) -> None:
        if request_id not in self._open:
            raise RemoteProtocolError(f"it answered {request_id}, which is not open")
        request = self._open[request_id]
        if request is None:
            is_finished = not isinstance(answer, ReplyPart)
        else:
            is_finished = request.receive(answer)
        if is_finished:
            del self._open[request_id]

    def _take_back(self, request_id: int) -> tuple[bytes, Request, bool] | None:
        waiting = self._waiting.pop(request_id, None)
        if waiting is not None:
            self._waiting_size -= len(waiting[0])
        return waiting

    def _no_room_for(self, size: int) -> str | None:
        return _NO_ROOM if self._waiting_size + size > MAX_UNSENT else None

    async def _dial(self) -> None:
        key = self._cluster.config.secret_key
        try:
            await dial(self.node.address, self._party, key, self, CONNECT_TIMEOUT)
        except (OSError, GatewayError) as error:  # TimeoutError is an OSError
            self._not_linked(why_no_link(error), error)
        finally:
            self._dialing = None

    def _not_linked(self, reason: str, error: OSError | GatewayError) -> None:
        health, now = self._cluster.health, asyncio.get_running_loop().time()
        if isinstance(error, TimeoutError):
            health.timed_out(self.node.node_id, reason, now)
        else:
            health.refused(self.node.node_id, reason, now)
        self.fail_waiting(reason, error)


def why_no_link(error: Exception) -> str:
    """Say why a gateway could not be dialled, as the end of a sentence that begins with it."""
    if isinstance(error, TimeoutError):
        return f"accepted no link within {CONNECT_TIMEOUT:g} s"
    said = (isinstance(error, OSError) and error.strerror) or str(error)
    return f"could not be reached: {said}"


def _named(error: AuthenticationFailed, node: Node) -> AuthenticationFailed:
    return AuthenticationFailed(error.code, error.text, str(node.address))
