"""What a handler can ask of its connection, and tell it."""

import pytest

from gateway import Conn
from gateway_wire.errors import MessageTooLarge
from tests.gateway.entry.support import MAX_MESSAGE, Gate, gate
from tests.gateway.support import pipe_of

# The other method of pytest-timeout is the same signal as the time limit's.
pytestmark = pytest.mark.timeout(60, method="thread")


def on_message(conn: Conn, message: str) -> None:
    """Do nothing."""


def conn_in(entry: Gate) -> Conn:
    """Give a connection as handlers have it."""
    return Conn(entry.connect(), entry.ports)


async def test_who_it_is() -> None:
    """Its id, address and uid; two of one connection are equal."""
    async with gate(on_message) as entry:
        client = entry.connect()
        conn = Conn(client, entry.ports)
        entry.hub.bind(client, "7")
        assert (conn.client_id, conn.remote_addr, conn.uid) == (
            client.client_id,
            "203.0.113.7",
            "7",
        )
        assert conn.is_open
        assert {conn} == {Conn(client, entry.ports)}
        assert conn != conn_in(entry)
        assert repr(conn) == f"<Conn {client.client_id} 203.0.113.7>"


async def test_messages_travel_as_the_client_library_sends_them() -> None:
    """Text, binary, and JSON for dicts and lists."""
    async with gate(on_message) as entry:
        client = entry.connect()
        conn = Conn(client, entry.ports)
        assert conn.send("text")
        assert conn.send(b"\x01")
        assert conn.send({"a": [1]})
        assert conn.send(["é"])
        assert entry.heard(client) == ["text", "=01", '{"a":[1]}', '["é"]']
        with pytest.raises(TypeError, match=r"str, bytes, dict or list, not int"):
            conn.send(5)  # type: ignore[arg-type]
        with pytest.raises(MessageTooLarge, match="raise max_message"):
            conn.send("x" * (MAX_MESSAGE + 1))


async def test_the_context_is_the_session() -> None:
    """It is read as it is now, replaced as a whole, or value by value, and not changed otherwise."""
    async with gate(on_message) as entry:
        client = entry.connect()
        conn = Conn(client, entry.ports)
        assert conn.context == {}
        assert conn.set_context({"a": 1, "b": {"c": 2}})
        assert conn.set_context_value("b", {"d": 3})
        assert conn.context == client.session == {"a": 1, "b": {"d": 3}}
        with pytest.raises(TypeError):
            conn.context["a"] = 2  # type: ignore[index]
        with pytest.raises(TypeError, match=r"session\['a'\]"):
            conn.set_context({"a": object()})
        with pytest.raises(ValueError, match="the limit is 1,048,576"):
            conn.set_context_value("a", "x" * (1 << 20))
        assert conn.context["a"] == 1


async def test_channels_are_groups() -> None:
    """Names are as in the client library."""
    async with gate(on_message) as entry:
        client = entry.connect()
        conn = Conn(client, entry.ports)
        assert conn.subscribe("news", 7)
        assert conn.unsubscribe("news")
        assert list(entry.hub.groups) == ["7"]
        with pytest.raises(TypeError, match="a channel is a str, int or UUID"):
            conn.subscribe(None)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="a channel is never empty"):
            conn.unsubscribe("")


async def test_a_close_has_the_applications_code() -> None:
    """Ours cannot be said by it, and nothing happens then."""
    async with gate(on_message) as entry:
        client = entry.connect()
        conn = Conn(client, entry.ports)
        with pytest.raises(ValueError, match="close code 1012 is not the application's"):
            conn.close(1012)
        assert conn.close(4001, "bye")
        assert not conn.close()
        assert pipe_of(client).goodbyes == [(4001, "bye")]


async def test_nothing_reaches_a_connection_that_is_gone() -> None:
    """Everything says so, and leaves no trace."""
    async with gate(on_message) as entry:
        client = entry.connect()
        conn = Conn(client, entry.ports)
        entry.leave(client)
        assert not conn.is_open
        assert not conn.send("x")
        assert not conn.set_context({"a": 1})
        assert not conn.set_context_value("a", 1)
        assert not conn.subscribe("news")
        assert not conn.unsubscribe("news")
        assert not conn.close()
        assert not entry.hub.groups
        assert not client.session
