"""Gateways and registers at the other end of a worker's links, and who takes the events on this side.

The gateways are those of the client's tests, with the commands of events added: real sockets, on a loop in
a thread of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from businessworker.gateway_link import GatewayLink
from businessworker.source import Source
from gateway_wire import commands as wire
from gateway_wire.aio.link import AioLink
from gateway_wire.commands import Command
from tests.gateway_client.peers import FakeGateway, FakeRegister, PeerLoop


class EventGateway(FakeGateway):
    """A gateway that sends the events that a test tells it to.

    Attributes:
        holds: Whether an answer to LeaveEvents is kept back until `let_go`.
    """

    def __init__(self, loop: PeerLoop, node_id: str = "aaaaaaaaaaaa", secret_key: str = "") -> None:
        self.holds = False
        self._held: list[tuple[AioLink, int]] = []
        super().__init__(loop, node_id, secret_key)

    def execute(self, link: AioLink, command: Command, request_id: int) -> None:
        if isinstance(command, wire.LeaveEvents) and self.holds:
            self._held.append((link, request_id))
        else:
            super().execute(link, command, request_id)

    def emit(self, *commands: Command) -> None:
        """Send events on every link."""
        self._loop.call(self._emit, commands)

    def let_go(self) -> None:
        """Answer those who want to leave."""
        self._loop.call(self._let_go)

    def _emit(self, commands: tuple[Command, ...]) -> None:
        for link in self.listener.links:
            for command in commands:
                link.send(command)
            link.flush()

    def _let_go(self) -> None:
        for link, request_id in self._held:
            link.send(wire.Reply(None), request_id)

    def _take_events(self, _: wire.TakeEvents) -> None:
        return None

    def _leave_events(self, _: wire.LeaveEvents) -> None:
        return None

    def _acknowledge(self, _: wire.Acknowledge) -> None:
        return None

    def _patch_session(self, command: wire.PatchSession) -> bool:
        return command.client_id in self.uids


class Peers(NamedTuple):
    """A register and its gateways."""

    loop: PeerLoop
    register: FakeRegister
    gateway: EventGateway
    other: EventGateway


@contextmanager
def peers(*, secret_key: str = "") -> Iterator[Peers]:
    """Run a register that announces one gateway, and another that it does not announce yet."""
    loop = PeerLoop()
    gateway = EventGateway(loop, "aaaaaaaaaaaa", secret_key)
    other = EventGateway(loop, "bbbbbbbbbbbb", secret_key)
    register = FakeRegister(loop, gateway, secret_key=secret_key)
    try:
        yield Peers(loop, register, gateway, other)
    finally:
        for each in (register, gateway, other):
            each.stop()
        loop.close()


class RecordingReceiver:
    """Takes events in a dispatcher's place; a test awaits them.

    Attributes:
        received: Each source with the commands that came from it at once.
        lost: The sources whose links ended.
    """

    def __init__(self) -> None:
        self.received: asyncio.Queue[tuple[Source, list[Command]]] = asyncio.Queue()
        self.lost: asyncio.Queue[Source] = asyncio.Queue()

    def receive(self, source: Source, commands: list[Command]) -> None:
        """Keep what came."""
        self.received.put_nowait((source, commands))

    def source_lost(self, source: Source) -> None:
        """Keep what was lost."""
        self.lost.put_nowait(source)


class RecordingOwner:
    """Owns a single link to a gateway.

    Attributes:
        receiver: Who takes the events.
        wants: How it asks for events, None while it does not.
        states: The state of the link after each change.
    """

    def __init__(self, losses: Any, wants: wire.TakeEvents | None) -> None:
        self.receiver: RecordingReceiver | None = RecordingReceiver()
        self.losses = losses
        self.sent = 0
        self.wants = wants
        self.states: asyncio.Queue[str] = asyncio.Queue()
        self._request_id = 0

    def next_request_id(self) -> int:
        """Count up."""
        self._request_id += 1
        return self._request_id

    def introduction(self) -> wire.TakeEvents | None:
        """Say how it asks for events."""
        return self.wants

    def link_changed(self, link: GatewayLink) -> None:
        """Keep the state."""
        self.states.put_nowait(link.state.name)


def message(event_id: int, client_id: str, text: str = "m") -> wire.ClientMessage:
    """Give a message of a client."""
    return wire.ClientMessage(event_id, client_id, None, text)
