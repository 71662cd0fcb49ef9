"""Tests of the opening handshake, on bytes alone."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.edge.upgrade import MAX_HEAD, HeadReader, Upgrade, UpgradeRefused, parse_upgrade
from tests.gateway.edge.support import ACCEPT, request


def parse(data: bytes) -> Upgrade:
    """Read a whole request."""
    parts = HeadReader().feed(data)
    assert parts is not None
    return parse_upgrade(parts[0])


def refused(data: bytes) -> UpgradeRefused:
    """Return how a whole request is refused."""
    with pytest.raises(UpgradeRefused) as caught:
        parse(data)
    return caught.value


def test_rfc_example() -> None:
    """The key of RFC 6455 1.3 is answered with the RFC's proof, byte for byte."""
    assert parse(request()).response == (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + ACCEPT.encode() + b"\r\n\r\n"
    )


def test_target_is_told_as_sent() -> None:
    """Path and query are separated and otherwise left alone."""
    upgrade = parse(request("/a%20b/c?x=1&x=%202?"))

    assert (upgrade.path, upgrade.query) == ("/a%20b/c", "x=1&x=%202?")


def test_headers_by_lower_case_name() -> None:
    """Repeated headers are joined, cookies by a semicolon, and white space around is dropped."""
    upgrade = parse(request("/", "X-A: 1", "x-a:\t2 ", "Cookie: a=1", "Cookie: b=2"))

    assert upgrade.headers["x-a"] == "1, 2"
    assert upgrade.headers["cookie"] == "a=1; b=2"


@pytest.mark.parametrize(
    ("upgrade", "connection"),
    [
        ("WebSocket", "keep-alive, Upgrade"),
        ("websocket", "upgrade,keep-alive"),
        ("h2c, websocket", "UPGRADE"),
    ],
)
def test_tokens_in_lists(upgrade: str, connection: str) -> None:
    """`Upgrade` and `Connection` are lists of tokens without regard to case."""
    assert parse(request(Upgrade=upgrade, Connection=connection)).path == "/"


def test_subprotocols_and_extensions_are_declined() -> None:
    """Nothing that a client offers is selected."""
    offers = ("Sec-WebSocket-Protocol: chat", "Sec-WebSocket-Extensions: permessage-deflate")
    response = parse(request("/", *offers)).response

    assert b"Protocol:" not in response
    assert b"Extensions" not in response


def test_compression_is_agreed_to_where_that_is_wanted() -> None:
    """An offer that can be met is answered behind the proof; another leaves the answer as it is."""
    offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
    head = request("/", "Sec-WebSocket-Extensions: x-other", offer).removesuffix(b"\r\n\r\n")
    agreed, plain = parse_upgrade(head, deflate=True), parse(request())

    assert agreed.deflate
    assert agreed.response == plain.response[:-2] + (
        b"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover;"
        b" client_no_context_takeover\r\n\r\n"
    )
    assert parse_upgrade(request().removesuffix(b"\r\n\r\n"), deflate=True) == plain
    assert not plain.deflate


def test_plain_http_is_told_that_this_is_a_websocket_port() -> None:
    """An ordinary GET or POST gets a short text and 426."""
    for data in (
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /x HTTP/1.1\r\nHost: x\r\n\r\n",
        request(Upgrade="h2c"),
        request(Connection="close"),
    ):
        answer = refused(data)

        assert answer.cause == "not_websocket"
        assert answer.response.startswith(b"HTTP/1.1 426 Upgrade Required\r\n")
        assert b"\r\nConnection: close\r\n" in answer.response
        assert answer.response.endswith(b"connect with a websocket client\n")


def test_content_length_fits_the_text() -> None:
    """The refusal is a well-formed response."""
    head, _, body = refused(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").response.partition(b"\r\n\r\n")

    assert f"Content-Length: {len(body)}".encode() in head.split(b"\r\n")


@pytest.mark.parametrize("version", ["8", "", None, "13, 8"])
def test_other_versions_learn_ours(version: str | None) -> None:
    """Only version 13 is spoken; others get 426 with the version to use."""
    answer = refused(request(Sec_WebSocket_Version=version))

    assert answer.cause == "version"
    assert answer.response.startswith(b"HTTP/1.1 426 ")
    assert b"\r\nSec-WebSocket-Version: 13\r\n" in answer.response


@pytest.mark.parametrize(
    "key",
    [None, "", "short", "dGhlIHNhbXBsZSBub25jZQ", "a" * 32, "dGhlIHNhbXBsZSBub25j!!==", "é" * 24],
)
def test_key_must_be_sixteen_bytes(key: str | None) -> None:
    """A missing or malformed key is a bad request."""
    answer = refused(request(Sec_WebSocket_Key=key))

    assert answer.cause == "key"
    assert answer.response.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\r\n\r\n",
        b"\r\n\r\n",
        b"GET /\r\n\r\n",
        b"get / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.0\r\nHost: x\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: x\r\n\r\n",
        b"GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
        request("/", "no colon"),
        request("/", "bad name: x"),
        request("/", ": x"),
        request("/", " folded: x"),
        request("/", "x: a\x00b"),
        request("/", "x: a\nb"),
        request(Host=None),
    ],
)
def test_garbage_is_a_bad_request(data: bytes) -> None:
    """Whatever is not well-formed HTTP/1.1 gets 400."""
    answer = refused(data)

    assert answer.cause == "malformed"
    assert answer.response.startswith(b"HTTP/1.1 400 Bad Request\r\n")


@pytest.mark.timeout(20)
def test_white_space_costs_linear_time() -> None:
    """A head full of white space that is refused at its last byte costs next to nothing.

    A parser that tries each way to divide the white space takes more than a second for each.
    """
    longest = request("/", "x: " + " " * (MAX_HEAD - 200) + "\x00")
    for _ in range(100):
        assert refused(longest).cause == "malformed"


def test_refusal_reads_as_a_sentence() -> None:
    """The error says status and text."""
    assert str(refused(request(Host=None))) == "400 Bad Request: header Host is missing"


def test_every_split() -> None:
    """Wherever the request is cut, the head is found and what follows it is kept."""
    data = request() + b"\x81\x80"
    for at in range(1, len(data)):
        reader = HeadReader()
        first = reader.feed(data[:at])
        parts = first or reader.feed(data[at:])

        assert parts is not None
        assert parts[0] == request()[:-4]
        assert parts[1] == (data[len(request()) : at] if first else b"\x81\x80")


def test_head_is_limited() -> None:
    """A head above the limit is refused, complete or not; one at the limit is not."""
    fitting = request("/", "X: " + "a" * (MAX_HEAD - len(request()) + 4 - 5))
    assert len(fitting) == MAX_HEAD + 4
    assert parse(fitting).path == "/"
    for data in (b"GET /" + b"a" * MAX_HEAD, fitting.replace(b"X: ", b"X: a")):
        with pytest.raises(UpgradeRefused, match="431") as caught:
            HeadReader().feed(data)
        assert caught.value.cause == "too_large"


@given(st.binary(max_size=400))
def test_any_head_is_accepted_or_refused(head: bytes) -> None:
    """No bytes make the parser fail in another way."""
    with suppress(UpgradeRefused):
        parse_upgrade(head)
