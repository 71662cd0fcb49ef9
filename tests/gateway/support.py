"""The gateway's core behind edges that are not websocket, and the parts around it.

`Core` serves clients that speak lines over real sockets; what passes with it, the core does not owe to
websocket frames. `Pipe` is an edge without I/O whose client takes as many bytes as a test lets it, so
that a test knows exactly what waits where.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any, Final

from gateway.clients import Clients
from gateway.connection import Connection
from gateway.destination import Destination, Nowhere
from gateway.edge.interface import ConnectRequest, EdgeRecord, Encoding
from gateway.edge.options import EdgeOptions
from gateway.edge.server import EdgeServer
from gateway.flusher import Flusher
from gateway.hub import Hub
from gateway.outbox import Outbox
from gateway.router import Router
from gateway.workers import Routing
from gateway_wire.close_codes import CloseReason, sent_reason
from gateway_wire.ids import NativeIds, new_node_id
from tests.gateway.edge.line_edge import LineEdge
from tests.support.links import address_of, bound

NODE: Final = "0123456789ab"
MIB: Final = 1024 * 1024


class Lines:
    """The pipes' encoding: a line a message, binary as hexadecimal digits. Counts what it encodes."""

    def __init__(self, name: str = "lines", end: bytes = b"\n") -> None:
        self.name = name
        self.encoded = 0
        self._end = end

    def encode(self, message: str | bytes) -> bytes:
        """Return the message as a line."""
        self.encoded += 1
        text = message if isinstance(message, str) else f"={message.hex()}"
        return text.encode() + self._end


async def turns_until(question: Callable[[], object]) -> None:
    """Let turns of the loop pass until the answer is true: each is over before the next look."""
    while not question():  # noqa: ASYNC110 - what is waited for is the loop's own progress
        await asyncio.sleep(0)


def request(remote_addr: str = "203.0.113.7", remote_port: int = 4711) -> ConnectRequest:
    """Give a request with which a client connected."""
    return ConnectRequest("/", "", MappingProxyType({}), remote_addr, remote_port, "public")


class Doorkeeper:
    """A destination that lets nobody in of its own accord, and writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[str | bytes] = []

    def opened(self, connection: Connection, request: ConnectRequest, _now: float) -> bool:
        self.told.append(f"{connection.client_id} came from {request.remote_addr}")
        return False

    def received(self, _connection: Connection, message: str | bytes, _now: float) -> bool:
        self.told.append(message)
        return True

    def closed(self, _connection: Connection, reason: CloseReason, _now: float) -> None:
        self.told.append(str(reason))

    def is_paused(self, _connection: Connection) -> bool:
        return False


class Peer:
    """The client's end of a socket: it reads when the test says so, and not before."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = b""

    async def line(self) -> str:
        """Give the next line."""
        while b"\n" not in self._buffer:
            data = await asyncio.get_running_loop().sock_recv(self._sock, 1 << 16)
            assert data, f"the connection ended after {self._buffer!r}"
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line.decode()

    async def rest(self) -> str:
        """Give everything until the end of the connection."""
        loop = asyncio.get_running_loop()
        try:
            while data := await loop.sock_recv(self._sock, 1 << 16):
                self._buffer += data
        except ConnectionResetError:
            pass
        rest, self._buffer = self._buffer, b""
        return rest.decode()

    async def send(self, line: str) -> None:
        """Send a line."""
        await asyncio.get_running_loop().sock_sendall(self._sock, line.encode() + b"\n")

    def stop_sending(self) -> None:
        """Say that nothing more will come."""
        self._sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """End the connection."""
        self._sock.close()


class Core:
    """Hub, outbox and clients of one process behind an edge that speaks lines."""

    def __init__(
        self,
        *,
        send_buffer: int = 2 * MIB,
        send_buffer_total: int = 256 * MIB,
        init_message: bool = False,
        require_worker: bool = False,
        choose: Callable[[ConnectRequest], Destination] | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.flusher = Flusher(loop, 0)
        self.hub = Hub()
        self.router = Router(Routing.LEAST_CONNECTIONS)
        self.outbox = Outbox(
            send_buffer, send_buffer_total, on_dirty=self.flusher.soon, cut=self._cut
        )
        self.flusher.outbox = self.outbox
        ids = NativeIds(new_node_id())
        self.clients = Clients(
            self.hub,
            self.outbox,
            self.router,
            ids.next,
            choose=choose,
            init_message=init_message,
            require_worker=require_worker,
            clock=loop.time,
        )
        self._edge = EdgeServer(self.clients, EdgeOptions())
        listening = bound()
        # What it accepts holds some kilobytes, so that a client that does not read blocks soon.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self._address = address_of(listening)
        self._edge.add_listener("public", [listening], speaks=LineEdge)
        self._edge.start()
        self._peers: list[Peer] = []

    def _cut(self, connection: Connection) -> None:
        self.clients.cut_slow(connection)

    async def connect(self) -> tuple[Connection, Peer]:
        """Connect a client; give both ends."""
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        before = self.clients.counters.opened
        await asyncio.get_running_loop().sock_connect(sock, tuple(self._address))
        await turns_until(lambda: self.clients.counters.opened > before)
        self._peers.append(Peer(sock))
        return [*self.hub.connections.values()][-1], self._peers[-1]

    async def aclose(self) -> None:
        """End all connections."""
        for peer in self._peers:
            peer.close()
        await self.clients.all_gone()
        self._edge.close()


@asynccontextmanager
async def running(**options: Any) -> AsyncIterator[Core]:
    """Run a core and end its connections afterwards."""
    core = Core(**options)
    try:
        yield core
    finally:
        await core.aclose()


class Pipe:
    """An edge without I/O whose client takes `capacity` bytes, and more when a test says so."""

    def __init__(self, encoding: Encoding, capacity: int = 1 << 40) -> None:
        self.connection: Any = None
        self.encoding = encoding
        self.capacity = capacity
        self.writes: list[bytes] = []
        self.aborted: CloseReason | None = None
        self.is_reading = True
        self.goodbyes: list[tuple[int, str]] = []
        self.finished = 0
        self.events: Outbox | None = None
        # What it was given last, from when it could not send it all until it could.
        self.held = b""
        self._unsent = 0

    @property
    def received(self) -> bytes:
        """Everything that was written, whether the client has taken it or not."""
        return b"".join(self.writes)

    @property
    def is_stuck(self) -> bool:
        """Whether bytes wait for the client."""
        return self._unsent > 0

    def write(self, data: bytes) -> None:
        assert not self.is_stuck, "written to although the transport was full"
        self.writes.append(data)
        self.held = data
        self._send(len(data))
        if not self.is_stuck:
            self.held = b""

    def write_beside(self, size: int) -> None:
        """Write something of the edge's own, such as a ping."""
        self._send(size)

    def take(self, capacity: int) -> None:
        """Let the client take so many bytes more."""
        self.capacity += capacity
        sent = min(self._unsent, self.capacity)
        self.capacity -= sent
        was_stuck, self._unsent = self.is_stuck, self._unsent - sent
        if was_stuck and not self.is_stuck and self.events is not None:
            self.held = b""
            self.events.write_resumed(self.connection)

    def goodbye(self, code: int, reason: str) -> bytes:
        sent_reason(code, reason)  # raises what every edge raises
        self.goodbyes.append((code, reason))
        return b"" if len(self.goodbyes) > 1 else f"!{code} {reason}\n".encode()

    def finish(self) -> None:
        self.finished += 1

    def abort(self, reason: CloseReason) -> None:
        self.aborted = self.aborted or reason

    def pause_reading(self) -> None:
        self.is_reading = False

    def resume_reading(self) -> None:
        self.is_reading = True

    def record(self) -> EdgeRecord:
        return {"encoding": self.encoding.name}

    def _send(self, size: int) -> None:
        sent = min(size, self.capacity)
        self.capacity -= sent
        was_stuck, self._unsent = self.is_stuck, self._unsent + size - sent
        if self.is_stuck and not was_stuck and self.events is not None:
            self.events.write_paused(self.connection)


class Pipes:
    """Hub, outbox and clients over pipes: nothing happens but what a test does."""

    def __init__(
        self,
        *,
        send_buffer: int = 2 * MIB,
        send_buffer_total: int = 256 * MIB,
        require_worker: bool = False,
        init_message: bool = False,
        choose: Callable[[ConnectRequest], Destination] | None = None,
        new_client_id: Callable[[], str] | None = None,
    ) -> None:
        self.now = 1000.0
        self.hub = Hub()
        self.router = Router(Routing.LEAST_CONNECTIONS)
        self.lines = Lines()
        self.wakes = 0
        self.cut: list[Connection] = []
        self.outbox = Outbox(send_buffer, send_buffer_total, on_dirty=self._wake, cut=self._cut)
        self.clients = Clients(
            self.hub,
            self.outbox,
            self.router,
            new_client_id or NativeIds(NODE).next,
            choose=choose,
            init_message=init_message,
            require_worker=require_worker,
            clock=lambda: self.now,
        )

    def _wake(self) -> None:
        self.wakes += 1

    def _cut(self, connection: Connection) -> None:
        self.cut.append(connection)
        self.clients.cut_slow(connection)

    def connect(
        self,
        *,
        capacity: int = 1 << 40,
        encoding: Encoding | None = None,
        uid: str | None = None,
        groups: Iterable[str] = (),
    ) -> Connection:
        """Connect a client."""
        pipe = Pipe(encoding or self.lines, capacity)
        pipe.events = self.outbox
        first = self.clients.opened(pipe, request())
        if first:
            pipe.write(first)
        connection: Connection = pipe.connection
        if uid is not None:
            self.hub.bind(connection, uid)
        for group in groups:
            self.hub.join(connection, group)
        return connection

    def received(self, connection: Connection) -> list[str]:
        """Flush and give the messages that were written to a client."""
        self.outbox.flush()
        return pipe_of(connection).received.decode().splitlines()


def pipe_of(connection: Connection) -> Pipe:
    """Give a connection's edge as the pipe that it is."""
    assert isinstance(connection.edge, Pipe)
    return connection.edge


def bare(client_id: str, encoding: Encoding | None = None) -> Connection:
    """Give a connection that nobody listed."""
    return Connection(client_id, Pipe(encoding or Lines()), request(), 0.0, Nowhere())
