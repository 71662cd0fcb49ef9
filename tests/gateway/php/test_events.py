"""Events as frames: the bytes that GatewayWorker's own classes made of the same, and what has no place there."""

from __future__ import annotations

from typing import Final

import pytest

from gateway.connection import Connection
from gateway.edge.interface import ConnectRequest
from gateway.edge.upgrade import parse_upgrade
from gateway.holding import Event
from gateway.php.events import encode_event
from gateway.php.frames import Frame, FrameDecoder
from gateway.php.query import MAX_LEVELS
from gateway.php.values import Limits, unserialize
from gateway_wire.commands import ClientClosed, ClientConnected, ClientMessage
from tests.gateway.support import bare

CLIENT_ID: Final = "7f0000010b54deadbeef"
HEAD: Final = (
    b"GET /chat/%%E4%s HTTP/1.1\r\nHost: example.com:7272\r\nUpgrade: websocket\r\n"
    b"Cookie: sid=a%%20b; theme=dark\r\nX-Name: Gr\xfc\xdfe\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13"
)
QUERY: Final = b"?room=7&tags[]=a&tags[]=b"

# Made by GatewayProtocol::encode of GatewayWorker 4.0.0 and Request of Workerman 5.2: 127.0.0.1:2900, a client
# from 203.0.113.7:4711 on port 7272.
PLACE: Final = b"\x7f\x00\x00\x01\x0bT\xcb\x00q\x07\x12g\xde\xad\xbe\xef"
SESSION: Final = b'a:1:{s:1:"n";i:7;}'
ON_CONNECT: Final = b"\x00\x00\x00\x2e\x01" + PLACE + b"\x01\x1ch\x00\x00\x00\x12" + SESSION
ON_MESSAGE: Final = b"\x00\x00\x001\x03" + PLACE + b"\x01\x1ch\x00\x00\x00\x12" + SESSION
ON_CLOSE: Final = b"\x00\x00\x00.\x04" + PLACE + b"\x01\x1ch\x00\x00\x00\x12" + SESSION
ON_WEBSOCKET_CONNECT: Final = b"\xcd" + PLACE + b"\x00\x1ch\x00\x00\x00\x12" + SESSION
REQUEST: Final = (
    b'a:3:{s:3:"get";a:2:{s:4:"room";s:1:"7";s:4:"tags";a:2:{i:0;s:1:"a";i:1;s:1:"b";}}'
    b's:6:"server";a:16:{s:12:"QUERY_STRING";s:24:"room=7&tags[]=a&tags[]=b";'
    b's:14:"REQUEST_METHOD";s:3:"GET";s:11:"REQUEST_URI";s:34:"/chat/%E4?room=7&tags[]=a&tags[]=b";'
    b's:15:"SERVER_PROTOCOL";s:8:"HTTP/1.1";s:11:"SERVER_NAME";s:16:"example.com:7272";'
    b's:12:"CONTENT_TYPE";N;s:11:"REMOTE_ADDR";s:11:"203.0.113.7";s:11:"REMOTE_PORT";i:4711;'
    b's:11:"SERVER_PORT";i:7272;s:9:"HTTP_HOST";s:16:"example.com:7272";'
    b's:12:"HTTP_UPGRADE";s:9:"websocket";s:11:"HTTP_COOKIE";s:21:"sid=a%20b; theme=dark";'
    b's:11:"HTTP_X_NAME";s:5:"Gr\xfc\xdfe";s:15:"HTTP_CONNECTION";s:7:"Upgrade";'
    b's:22:"HTTP_SEC_WEBSOCKET_KEY";s:24:"dGhlIHNhbXBsZSBub25jZQ==";'
    b's:26:"HTTP_SEC_WEBSOCKET_VERSION";s:2:"13";}'
    b's:6:"cookie";a:2:{s:3:"sid";s:5:"a%20b";s:5:"theme";s:4:"dark";}}'
)


def _client(
    query: bytes = QUERY, address: str = "203.0.113.7", listener: str = "ws://0.0.0.0:7272"
) -> tuple[Connection, ClientConnected]:
    """Give a client as it connected, and the event of it."""
    upgrade = parse_upgrade(HEAD % query)
    request = ConnectRequest(upgrade.path, upgrade.query, upgrade.headers, address, 4711, listener)
    edge, nowhere = bare(CLIENT_ID).edge, bare(CLIENT_ID).destination
    connection = Connection(CLIENT_ID, edge, request, 0.0, nowhere)
    event = ClientConnected(1, CLIENT_ID, None, request.path, request.query, dict(request.headers))
    return connection, event


def test_a_client_connects_in_two_frames() -> None:
    """Accepted, and its websocket open with what was asked for."""
    connection, event = _client()
    connection.session = {"n": 7}
    length = 28 + len(SESSION) + len(REQUEST)
    assert encode_event(event, connection) == (
        ON_CONNECT + length.to_bytes(4) + ON_WEBSOCKET_CONNECT + REQUEST
    )


@pytest.mark.parametrize(
    ("event", "frame"),
    [
        (ClientMessage(1, CLIENT_ID, "ann", "hé"), ON_MESSAGE + b"h\xc3\xa9"),
        (ClientMessage(1, CLIENT_ID, None, b"h\xc3\xa9"), ON_MESSAGE + b"h\xc3\xa9"),
        (ClientClosed(1, CLIENT_ID, None, 1000, "closed", ""), ON_CLOSE),
    ],
)
def test_what_follows_is_a_frame_each(event: Event, frame: bytes) -> None:
    """Text and binary are the same to PHP; the session is in every one."""
    connection, _ = _client()
    connection.session = {"n": 7}
    assert encode_event(event, connection) == frame


def test_a_client_without_session_or_websocket_has_less_to_tell() -> None:
    """No ext, which is what PHP takes for no session; a device has made no handshake."""
    connection, _ = _client()
    device = ClientConnected(1, CLIENT_ID, None, "", "", {}, websocket=False)
    assert encode_event(device, connection) == (
        b"\x00\x00\x00\x1c\x01" + PLACE + b"\x01\x1ch\x00\x00\x00\x00"
    )


def _told(event: Event, connection: Connection) -> list[Frame]:
    decoder = FrameDecoder()
    decoder.feed(encode_event(event, connection))
    return list(iter(decoder.take, None))


@pytest.mark.parametrize("address", ["2001:db8::7", ""])
def test_an_address_that_is_no_ipv4_is_zero_in_the_head(address: str) -> None:
    """The request has it in full."""
    connection, event = _client(address=address, listener="ws+unix:/run/gateway.sock")
    frames = _told(event, connection)
    places = [(each.client_ip, each.client_port, each.gateway_port) for each in frames]
    assert places == [(0, 4711, 0)] * 2
    assert b's:11:"REMOTE_ADDR";s:%d:"%s";' % (len(address), address.encode()) in frames[1].body


def test_the_deepest_query_is_told() -> None:
    """Arrays in it are as deep as PHP lets them be."""
    connection, event = _client(query=b"?a" + b"[b]" * MAX_LEVELS + b"=1")
    _, opened = _told(event, connection)
    assert unserialize(opened.body, limits=Limits(depth=MAX_LEVELS + 2))
