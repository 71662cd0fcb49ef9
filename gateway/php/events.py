"""What workers of PHP are told of clients, as frames.

A worker of PHP learns who the client is and what its session holds from each frame, and keeps nothing of
its own. It knows a client as it is accepted (ON_CONNECT) and once more when its websocket is open
(ON_WEBSOCKET_CONNECT, with the request); here the first is told when both are true, since what never
became a client has no events.

What a client sends is a string to PHP, whether it was text or binary. Why a client has gone, and the uid it
had, have no place in this protocol.
"""

from __future__ import annotations

from socket import inet_aton
from typing import TYPE_CHECKING, Final

from gateway.php.frames import SCALAR, Command, Frame
from gateway.php.query import MAX_LEVELS, parse_cookies, parse_query
from gateway.php.sessions import write_session
from gateway.php.values import PhpValue, serialize
from gateway_wire.commands import ClientClosed, ClientConnected, ClientMessage

if TYPE_CHECKING:
    from gateway.connection import Connection
    from gateway.holding import Event

__all__ = ["encode_event"]

_DEPTH: Final = 2 + MAX_LEVELS
"""Of arrays in the request: the whole, `get`, and what brackets make of a query."""


def encode_event(event: Event, connection: Connection) -> bytes:
    """Return the frames that tell a worker of an event, with the session as it is now."""
    if isinstance(event, ClientMessage):
        message = event.message
        body = message.encode() if isinstance(message, str) else message
        return _frame(Command.ON_MESSAGE, connection, body).encode()
    if isinstance(event, ClientClosed):
        return _frame(Command.ON_CLOSE, connection, b"").encode()
    connected = _frame(Command.ON_CONNECT, connection, b"").encode()
    if not event.websocket:
        return connected
    opened = _frame(Command.ON_WEBSOCKET_CONNECT, connection, _request(event, connection))
    opened.flags = 0
    return connected + opened.encode()


def _frame(command: Command, connection: Connection, body: bytes) -> Frame:
    client_id, session = connection.client_id, connection.session
    return Frame(
        command,
        int(client_id[12:], 16),
        write_session(session) if session else b"",
        body,
        SCALAR,
        int(client_id[:8], 16),
        int(client_id[8:12], 16),
        _ipv4(connection.remote_addr),
        connection.remote_port,
        _port(connection.listener),
    )


def _ipv4(address: str) -> int:
    """Return an address as the head has it, which is 0 for those that are no IPv4."""
    try:
        return int.from_bytes(inet_aton(address))  # seven times as fast as `ipaddress`
    except OSError:
        return 0


def _port(listener: str) -> int:
    """Return the port of a listener's name, 0 where it has none."""
    port = listener.rpartition(":")[2].rstrip("/")
    return int(port) if port.isdecimal() else 0


def _request(event: ClientConnected, connection: Connection) -> bytes:
    """Return the handshake as GatewayWorker hands it on: what PHP has in `$_GET`, `$_SERVER` and `$_COOKIE`.

    What came from the client is Latin-1 here, one character for each of its bytes.
    """
    headers = {name: value.encode("latin-1") for name, value in event.headers.items()}
    query, path = event.query.encode("latin-1"), event.path.encode("latin-1")
    server: dict[str, PhpValue] = {
        "QUERY_STRING": query,
        "REQUEST_METHOD": "GET",
        "REQUEST_URI": path + b"?" + query if query else path,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": headers.get("host"),
        "CONTENT_TYPE": headers.get("content-type"),
        "REMOTE_ADDR": connection.remote_addr,
        "REMOTE_PORT": connection.remote_port,
        "SERVER_PORT": _port(connection.listener),
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    }
    cookies = parse_cookies(headers.get("cookie", b""))
    request = {"get": parse_query(query), "server": server, "cookie": cookies}
    return serialize(request, depth=_DEPTH)
