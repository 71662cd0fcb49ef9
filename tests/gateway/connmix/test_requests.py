"""Envelopes of requests, as clients of all versions send them."""

import pytest

from gateway.connmix.codes import Code, ConnmixError
from gateway.connmix.dialects import LONG, SHORT
from gateway.connmix.requests import Request, parse, parse_body


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ('{"m":"queue.pop","p":["foo"],"i":1}', Request(SHORT, "queue.pop", ["foo"], 1)),
        (b'{"m":"queue.pop","p":["foo"],"i":1}', Request(SHORT, "queue.pop", ["foo"], 1)),
        ('{"m":"mesh.send","p":{},"id":7}', Request(SHORT, "mesh.send", {}, 7)),
        ('{"m":"server.ping"}', Request(SHORT, "server.ping", None, None)),
        (
            '{"method":"queue.consume","params":["foo"],"id":1}',
            Request(LONG, "queue.consume", ["foo"], 1),
        ),
        ('{"method":"server.ping","params":[],"i":2}', Request(LONG, "server.ping", [], 2)),
        ("{}", Request(SHORT, None, None, None)),
    ],
)
def test_the_envelope_says_the_dialect(frame: str | bytes, expected: Request) -> None:
    """`method` is the long one; an id is taken under either name."""
    assert parse(frame) == expected


def test_a_client_id_keeps_all_digits() -> None:
    """As a number in JSON it is read as an integer, not as a double."""
    body = parse_body('{"c":1463786910324359169}')

    assert body == {"c": 1463786910324359169}


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        ("", "no JSON"),
        ("hello", "no JSON"),
        (b"\xff", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ('{"m":NaN}', "NaN is not JSON"),
        ('{"m":"server.ping","i":-1e999}', "-1e999 is larger than any number"),
        ("[]", "no object"),
        ('"ping"', "no object"),
        ("1", "no object"),
    ],
)
def test_anything_else_is_a_bad_request(frame: str | bytes, told: str) -> None:
    """The error says what a request looks like."""
    with pytest.raises(ConnmixError, match=told) as caught:
        parse(frame)

    assert caught.value.code is Code.BAD_REQUEST
