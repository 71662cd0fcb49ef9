"""Answers and events, as they go over the wire in each spelling."""

import json

import pytest

from gateway.connmix.codes import Code, ConnmixError
from gateway.connmix.dialects import HTTP, LONG, SHORT, event_data

REFUSED = ConnmixError(Code.ALREADY_POPPING, "already")
FRAME = {"type": "text", "data": "hi", "finish": True}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (SHORT.answer(SHORT.done(), 1), '{"E":null,"r":{"s":true},"i":1}'),
        (SHORT.answer(SHORT.sent(), 2), '{"E":null,"r":{"s":true,"f":0,"t":1},"i":2}'),
        (SHORT.answer(SHORT.published(9, 1), 3), '{"E":null,"r":{"s":9,"f":1,"t":10},"i":3}'),
        (SHORT.answer(SHORT.published(0, 0), 3), '{"E":null,"r":{"s":0,"f":0,"t":0},"i":3}'),
        (SHORT.answer(SHORT.ponged(), 4), '{"E":null,"r":{"s":"server.pong"},"i":4}'),
        (SHORT.refusal(REFUSED, 5), '{"E":{"c":202,"m":"already"},"i":5}'),
        (LONG.answer(LONG.done(), 1), '{"error":null,"result":{"success":true},"id":1}'),
        (
            LONG.answer(LONG.sent(), 2),
            '{"error":null,"result":{"success":true,"fail":0,"total":1},"id":2}',
        ),
        (
            LONG.answer(LONG.published(9, 1), 3),
            '{"error":null,"result":{"success":true,"fail":1,"total":10},"id":3}',
        ),
        (
            LONG.answer(LONG.published(0, 0), 3),
            '{"error":null,"result":{"success":true,"fail":0,"total":0},"id":3}',
        ),
        (
            LONG.answer(LONG.published(0, 2), 3),
            '{"error":null,"result":{"success":false,"fail":2,"total":2},"id":3}',
        ),
        (LONG.answer(LONG.ponged(), 4), '{"error":null,"result":{"status":"server.pong"},"id":4}'),
        (LONG.refusal(REFUSED, 5), '{"error":{"code":202,"message":"already"},"id":5}'),
        (HTTP.answer(HTTP.sent()), '{"E":null,"r":{"s":true}}'),
        (HTTP.answer(HTTP.published(9, 0)), '{"E":null,"r":{"s":9,"f":0}}'),
        (HTTP.refusal(REFUSED), '{"E":{"c":202,"m":"already"}}'),
    ],
)
def test_answers_are_spelled_as_documented(written: str, expected: str) -> None:
    """Every answer of every dialect, byte for byte."""
    assert written == expected


@pytest.mark.parametrize("request_id", [1, 2**53 + 1, "a", None, 1.5, [1], {"a": 1}])
def test_an_id_comes_back_as_it_was(request_id: object) -> None:
    """Clients type it as a number, and their own may be anything."""
    assert json.loads(SHORT.answer(SHORT.done(), request_id))["i"] == request_id
    assert json.loads(LONG.refusal(REFUSED, request_id))["id"] == request_id


def test_events_are_spelled_as_documented() -> None:
    """The client id is text in both; only the short form tells the node."""
    client_id = "1463786910324359168"

    short = SHORT.event_of("0123456789ab", client_id, "foo", {"frame": FRAME})
    long = LONG.event_of("0123456789ab", client_id, "foo", {"frame": FRAME})

    frame = '{"frame":{"type":"text","data":"hi","finish":true}}'
    assert short == (
        '{"e":"queue.pop","p":{"n":"0123456789ab","c":"1463786910324359168","t":"foo",'
        f'"d":{frame}}},"id":null}}'
    )
    assert long == (
        '{"event":"queue.consume","result":{"client_id":"1463786910324359168","queue":"foo",'
        f'"data":{frame}}},"id":null}}'
    )


def test_binary_data_is_base64_in_an_event() -> None:
    """JSON has no bytes; the frame's type says that its data is to be decoded."""
    data = {"frame": {"type": "binary", "data": b"\x00\xff", "finish": True}}

    event = json.loads(SHORT.event_of("n", "1", "foo", data))

    assert event["p"]["d"]["frame"] == {"type": "binary", "data": "AP8=", "finish": True}


@pytest.mark.parametrize("data", [{"a": float("nan")}, {"a": object()}, {b"a": 1}])
def test_what_json_cannot_carry_is_an_error(data: object) -> None:
    """A client that cannot read an event would take it for something else."""
    with pytest.raises((TypeError, ValueError)):
        SHORT.event_of("n", "1", "foo", data)


def test_characters_beyond_ascii_are_escaped() -> None:
    """So no text can spoil a frame, a lone surrogate in an error neither."""
    assert "\\ud800" in SHORT.refusal(ConnmixError(Code.BAD_REQUEST, "\ud800"))


def test_a_route_puts_uid_and_headers_beside_the_frame() -> None:
    """What the default routes push is told whose it is."""
    data = event_data({"frame": FRAME}, "42", {"host": "a.example"}, by_route=True)

    assert data == {"frame": FRAME, "uid": "42", "headers": {"host": "a.example"}}


@pytest.mark.parametrize(
    ("pushed", "expected"),
    [
        ({"frame": FRAME}, {"frame": FRAME}),
        ([1, 2], [1, 2]),
        ("text", {"data": "text"}),
        (None, {"data": None}),
    ],
)
def test_what_an_entry_module_pushes_stays_as_it_is(pushed: object, expected: object) -> None:
    """Clients take objects and arrays alone, so anything else stands in one."""
    assert event_data(pushed, "42", {}, by_route=False) == expected
