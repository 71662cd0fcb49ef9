"""Methods and their parameters, in every shape that documents and clients have had."""

import pytest

from gateway.connmix.codes import Code, ConnmixError
from gateway.connmix.methods import METHODS, name_of, read
from gateway.connmix.wanted import (
    Ping,
    Pop,
    Publish,
    Send,
    SetContext,
    SetContextValue,
    Subscribe,
    Unpop,
    Unsubscribe,
    Wanted,
)

CLIENT = "1463786910324359168"
NUMBER = int(CLIENT)


@pytest.mark.parametrize(
    ("method", "name"),
    [
        *((name, name) for name in METHODS),
        ("queue.consume", "queue.pop"),
        ("queue.unconsume", "queue.unpop"),
    ],
)
def test_a_method_has_its_present_and_its_former_name(method: str, name: str) -> None:
    """Either stands in either dialect."""
    assert name_of(method) == name


@pytest.mark.parametrize("method", ["queue.push", "", None, 7, ["queue.pop"]])
def test_another_method_is_a_bad_request(method: object) -> None:
    """The error lists those that there are."""
    with pytest.raises(ConnmixError, match=r"no method .*; there are queue\.pop, ") as caught:
        name_of(method)

    assert caught.value.code is Code.BAD_REQUEST


@pytest.mark.parametrize(
    ("method", "params", "wanted"),
    [
        # Pops: what clients send, what the documents say, and both before.
        ("queue.pop", ["foo", "bar"], Pop(["foo", "bar"])),
        ("queue.pop", {"t": ["foo"]}, Pop(["foo"])),
        ("queue.pop", [{"t": ["foo"]}], Pop(["foo"])),
        ("queue.pop", {"t": "foo"}, Pop(["foo"])),
        ("queue.unpop", [], Unpop()),
        ("queue.unpop", {}, Unpop()),
        ("server.ping", [], Ping()),
        ("server.ping", None, Ping()),
        # To one client.
        ("mesh.send", {"c": NUMBER, "d": "hi"}, Send(CLIENT, "hi")),
        ("mesh.send", {"c": CLIENT, "d": "hi"}, Send(CLIENT, "hi")),
        ("mesh.send", [{"c": CLIENT, "d": "hi"}], Send(CLIENT, "hi")),
        ("mesh.send", {"c": CLIENT, "d": "AP8=", "t": "binary"}, Send(CLIENT, b"\x00\xff")),
        ("mesh.send", {"client_id": NUMBER, "data": "hi"}, Send(CLIENT, "hi")),
        ("mesh.send", {"c": "ab" * 16, "d": "hi"}, Send("ab" * 16, "hi")),
        # To a channel, by its own method and by the one that clients use.
        ("mesh.publish", {"c": "news", "d": "hi"}, Publish("news", "hi")),
        ("mesh.publish", [{"c": "news", "d": "hi"}], Publish("news", "hi")),
        ("mesh.publish", {"c": CLIENT, "d": "hi"}, Publish(CLIENT, "hi")),
        ("mesh.publish", {"channel": "news", "data": "hi"}, Publish("news", "hi")),
        ("mesh.send", {"channel": "news", "data": "hi"}, Publish("news", "hi")),
        ("mesh.send", {"channel": "10001", "data": "hi"}, Publish("10001", "hi")),
        ("mesh.send", {"c": "user_10001", "d": "hi"}, Publish("user_10001", "hi")),
        # Calls.
        (
            "conn.call",
            {"c": NUMBER, "f": "set_context_value", "a": ["user_id", 1000]},
            SetContextValue(CLIENT, "user_id", 1000),
        ),
        (
            "conn.call",
            {"client_id": NUMBER, "func": "set_context_value", "args": ["user_id", None]},
            SetContextValue(CLIENT, "user_id", None),
        ),
        (
            "conn.call",
            {"client_id": NUMBER, "method": "set_context_value", "params": {"user_id": 1000}},
            SetContextValue(CLIENT, "user_id", 1000),
        ),
        (
            "conn.call",
            {"c": NUMBER, "f": "set_context", "a": [{"user_id": 1000}]},
            SetContext(CLIENT, {"user_id": 1000}),
        ),
        ("conn.call", {"c": NUMBER, "f": "set_context", "a": [[]]}, SetContext(CLIENT, {})),
        (
            "conn.call",
            {"client_id": NUMBER, "method": "set_context", "params": {"user_id": 1000}},
            SetContext(CLIENT, {"user_id": 1000}),
        ),
        ("conn.call", {"c": NUMBER, "f": "set_context", "a": []}, SetContext(CLIENT, {})),
        (
            "conn.call",
            {"c": CLIENT, "f": "subscribe", "a": ["news", "sport"]},
            Subscribe(CLIENT, ["news", "sport"]),
        ),
        (
            "conn.call",
            [{"c": CLIENT, "f": "unsubscribe", "a": ["news"]}],
            Unsubscribe(CLIENT, ["news"]),
        ),
        (
            "conn.call",
            {"client_id": NUMBER, "method": "subscribe", "params": ["news"]},
            Subscribe(CLIENT, ["news"]),
        ),
    ],
)
def test_what_is_wanted(method: str, params: object, wanted: Wanted) -> None:
    """One meaning for all spellings."""
    assert read(method, params) == wanted


@pytest.mark.parametrize(
    ("method", "params", "told"),
    [
        ("queue.pop", [], "at least one topic"),
        ("queue.pop", {}, "lack the topics"),
        ("queue.pop", {"t": []}, "at least one topic"),
        ("queue.pop", [None], "topic"),
        ("queue.pop", "foo", "are an object"),
        ("mesh.send", [], "lack the client id"),
        ("mesh.send", {"c": 0, "d": "hi"}, "no client id"),
        ("mesh.send", {"c": "0", "d": "hi"}, "no client id"),
        ("mesh.send", {"c": 1.5, "d": "hi"}, "no client id"),
        ("mesh.send", {"c": CLIENT}, "the data"),
        ("mesh.publish", {"d": "hi"}, "lack the channel"),
        ("mesh.publish", {"c": ["a", "b"], "d": "hi"}, "one text"),
        ("mesh.publish", {"c": "", "d": "hi"}, "never empty"),
        ("mesh.publish", {"c": "news"}, "the data"),
        ("conn.call", {"f": "subscribe", "a": ["a"]}, "lack the client id"),
        ("conn.call", {"c": CLIENT}, "lack the function"),
        ("conn.call", {"c": CLIENT, "f": "close", "a": []}, "no function 'close'; there are set_"),
        ("conn.call", {"c": CLIENT, "f": ["x"], "a": []}, "no function"),
        ("conn.call", {"c": CLIENT, "f": "subscribe", "a": []}, "at least one channel"),
        ("conn.call", {"c": CLIENT, "f": "unsubscribe"}, "at least one channel"),
        ("conn.call", {"c": CLIENT, "f": "subscribe", "a": [None]}, "channel"),
        ("conn.call", {"c": CLIENT, "f": "set_context"}, "takes the new context"),
        ("conn.call", {"c": CLIENT, "f": "set_context", "a": "x"}, "are an object"),
        ("conn.call", {"c": CLIENT, "f": "set_context", "a": [{"a": 2**70}]}, "64"),
        ("conn.call", {"c": CLIENT, "f": "set_context_value", "a": ["k"]}, "a key and a value"),
        ("conn.call", {"c": CLIENT, "f": "set_context_value", "a": {}}, "a key and a value"),
        ("conn.call", {"c": CLIENT, "f": "set_context_value", "a": "kv"}, "a key and a value"),
        ("conn.call", {"c": CLIENT, "f": "set_context_value", "a": [None, 1]}, "the key"),
        ("conn.call", {"c": CLIENT, "f": "set_context_value", "a": ["k", 2**70]}, "64"),
    ],
)
def test_wrong_parameters_are_a_bad_request(method: str, params: object, told: str) -> None:
    """Nothing is done, and the error says what is right."""
    with pytest.raises(ConnmixError, match=told) as caught:
        read(method, params)

    assert caught.value.code is Code.BAD_REQUEST
