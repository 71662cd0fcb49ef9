"""The contract between a client's protocol (an edge) and the rest of the gateway.

An edge is one client's protocol on one socket. It turns bytes into messages and
messages into bytes, and knows nothing of client ids, hubs or outboxes; the
core knows nothing of frames, pings or handshakes. Each side calls the other
with plain synchronous functions on the loop's thread, and nothing here awaits.

One law holds them together: whoever gets `opened` gets `lost`, exactly once,
from a turn of the loop of its own, never from within a call that the core made.
So the core may close connections while it walks over its indexes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway_wire.close_codes import CloseReason

__all__ = ["ConnectRequest", "Edge", "EdgeEvents", "EdgeRecord", "Encoding"]

EdgeRecord: TypeAlias = "dict[str, str | int | bool | bytes | None]"
"""Protocol state of one connection as plain values."""


class Encoding(Protocol):
    """How messages become bytes; one object shared by every connection that speaks it.

    Two connections have the same encoding if and only if it is the same object,
    so bytes can be kept per encoding and a broadcast encodes once for each.
    """

    @property
    def name(self) -> str:
        """Name for logs, metrics and records, such as `websocket`."""

    def encode(self, message: str | bytes) -> bytes:
        """Return one whole message as wire bytes: text for `str`, binary for `bytes`.

        The results of several calls may be joined and written at once.
        """


class Edge(Protocol):
    """One client's protocol on one socket.

    An idle one owns no task, timer, queue or buffer. Its calls are harmless at
    any time: after the end, and while closing, they do nothing.

    Attributes:
        encoding: How messages to this client are encoded; never changes.
        connection: Place for what the core knows of the client, None until the core sets it and
            again after `lost`. The edge never looks inside.
    """

    @property
    def encoding(self) -> Encoding:
        """How messages to this client are encoded; never changes."""

    connection: Any

    def write(self, data: bytes) -> None:
        """Give encoded bytes to the transport, which sends at once what the kernel takes.

        Nothing is buffered here. What the kernel did not take waits in the transport and
        `write_paused` is told, from within this call; the core then keeps what follows until
        `write_resumed`.

        Args:
            data: One or more whole messages as `encoding` gave them, or a farewell.
        """

    def goodbye(self, code: int, reason: str) -> bytes:
        """Begin to close, and return the farewell: a Close frame, or `b""` where there is none.

        No more messages are received from now on. The caller writes the bytes after what still
        waits for this client, and then calls `finish`. The transport is closed when the client
        answered, or aborted after `close_timeout` seconds; `lost` is then told the reason given
        here (under its name in the catalogue). If the connection is closing already the answer is
        `b""` and the first reason stays.

        Args:
            code: A code that may stand in a Close frame.
            reason: Text for the client; at most 123 bytes of UTF-8.

        Raises:
            ValueError: The code or the reason cannot be sent.
        """

    def finish(self) -> None:
        """Take note that the client has been given everything, the farewell included.

        An edge whose client answers the farewell does nothing here; others end the stream now.
        """

    def abort(self, reason: CloseReason) -> None:
        """End the connection at once; what still waits is lost.

        `lost` is told this reason in a later turn of the loop, unless the connection was closing
        already: then the first reason stays.
        """

    def pause_reading(self) -> None:
        """Stop reading from the client.

        Messages of bytes that were read already may still arrive, but few: an edge that reads much at
        once keeps the rest.
        """

    def resume_reading(self) -> None:
        """Read from the client again; no message arrives from within this call."""

    def record(self) -> EdgeRecord:
        """Return the protocol state as plain values that could be written down and read back."""


class EdgeEvents(Protocol):
    """What the core gives to a listener: what happens on its connections.

    All are called on the loop's thread and must return quickly. An exception from
    one of them is a bug of the core: it goes to the loop's handler and ends that connection.
    """

    def opened(self, edge: Edge, request: ConnectRequest) -> bytes:
        """A client finished its handshake; it may be written to as soon as this call has returned.

        Returns:
            Encoded messages that the client gets first, `b""` for none. The edge sends them together
            with its answer to the handshake, for a write is what a handshake costs most.
        """

    def received(self, edge: Edge, message: str | bytes) -> None:
        """A whole message arrived: `str` was text, `bytes` binary."""

    def write_paused(self, edge: Edge) -> None:
        """The transport holds unsent bytes; give it nothing more."""

    def write_resumed(self, edge: Edge) -> None:
        """The transport sent everything that it held."""

    def ending(self, edge: Edge) -> None:
        """The client closed, or broke a rule: nothing reaches it any more, and `lost` follows.

        Told at most once, when what ends the connection arrives, and not for an end that the core
        began. The socket may stay for `close_timeout`; the client counts as gone from now on.
        """

    def lost(self, edge: Edge, reason: CloseReason) -> None:
        """The connection is gone: told exactly once for every edge that was `opened`."""


@dataclass(frozen=True, slots=True)
class ConnectRequest:
    """How a client connected. The edge does not keep it after `opened`.

    Attributes:
        path: Path as the client sent it, percent-encoded, without the query; `""` without a handshake.
        query: Query as the client sent it, without `?`; `""` if there was none.
        headers: Header values by lower-case name; values of a repeated name are joined by `, `.
        remote_addr: Address of the real client (of the proxy's client if the proxy is trusted).
        remote_port: Its port, 0 if the proxy did not tell.
        listener: Name of the listener that accepted it.
        websocket: Whether there was a websocket handshake; where there was none, path, query and
            headers are empty.
    """

    path: str
    query: str
    headers: Mapping[str, str]
    remote_addr: str
    remote_port: int
    listener: str
    websocket: bool = True
