"""Tests of the request that the core is given."""

from __future__ import annotations

from gateway.edge.interface import ConnectRequest


def connect_request(query: str = "", **headers: str) -> ConnectRequest:
    """Return a request with these headers."""
    return ConnectRequest(
        path="/",
        query=query,
        headers=headers,
        remote_addr="203.0.113.7",
        remote_port=1,
        listener="public",
    )


def test_header_names_have_no_case() -> None:
    """A header is found however its name is written; a missing one gives the default."""
    request = connect_request(origin="https://example.com")

    assert request.header("Origin") == "https://example.com"
    assert request.header("X-None") == ""
    assert request.header("X-None", "?") == "?"


def test_query_is_parsed_on_demand() -> None:
    """Values are decoded, repeated and blank ones kept."""
    assert connect_request("a=1&a=%C3%A9+x&b=").query_values == {"a": ["1", "é x"], "b": [""]}
    assert connect_request().query_values == {}


def test_cookies_are_parsed_on_demand() -> None:
    """Each cookie stands for itself; one that is malformed costs no other."""
    request = connect_request(cookie='a=1; b="2=3";broken; {json}={"x":1}; a=9')

    assert request.cookies == {"a": "1", "b": "2=3", "{json}": '{"x":1}'}
    assert connect_request().cookies == {}
