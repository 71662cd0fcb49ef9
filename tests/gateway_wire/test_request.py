"""The request of a handshake, as handlers read it."""

import pytest

from gateway_wire.request import Headers, Request


def request(path: str = "/", query: str = "", **headers: str) -> Request:
    """Make the request of a handshake."""
    return Request(path, query, headers, remote_addr="203.0.113.9", listener="ws://0.0.0.0:7272")


def test_the_path_is_decoded() -> None:
    """Percent-encoded characters are characters again."""
    asked = request("/caf%C3%A9%20bar")
    assert asked.path == "/café bar"
    assert repr(asked) == "<Request /café bar from 203.0.113.9>"


def test_the_query_gives_the_last_value_of_a_name() -> None:
    """One value a name, decoded; all of them by `query_values`, all as sent in `query_string`."""
    asked = request(query="room=a%20b&room=c&empty=")
    assert asked.query == {"room": "c", "empty": ""}
    assert asked.query_values("room") == ["a b", "c"]
    assert asked.query_values("none") == []
    assert asked.query_string == "room=a%20b&room=c&empty="


def test_the_case_of_a_headers_name_does_not_matter() -> None:
    """Headers are found as anybody writes them."""
    headers = Headers({"user-agent": "x", "host": "h"})
    assert headers["User-Agent"] == headers.get("user-agent") == "x"
    assert "HOST" in headers
    assert [*headers] == ["user-agent", "host"]
    assert len(headers) == 2
    assert repr(headers) == "Headers({'user-agent': 'x', 'host': 'h'})"
    with pytest.raises(KeyError):
        headers["cookie"]


def test_cookies_are_read_from_their_header() -> None:
    """The first of a name counts; what is no pair is left out."""
    asked = request(cookie='a=1; b="2=3"; a=3; broken; c=; {json}={"x":1}')
    assert asked.cookies == {"a": "1", "b": "2=3", "c": "", "{json}": '{"x":1}'}
    assert request().cookies == {}


def test_both_ends_of_the_connection_are_there() -> None:
    """They are what the gateway told."""
    assert request().remote_addr == "203.0.113.9"
    assert request().listener == "ws://0.0.0.0:7272"
