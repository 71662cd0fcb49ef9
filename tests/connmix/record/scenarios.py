"""What is recorded: what the clients' READMEs promise, and what they do when something is wrong."""

import json
from collections.abc import Callable
from typing import Any, Final

from tests.connmix.record.recorder import Recorder

VERSIONS: Final = ("1.0.1", "1.0.4", "1.0.5")

Scenario = Callable[[Recorder], None]
Requests = tuple[tuple[str, Any], ...]


def reply(recorder: Recorder) -> None:
    """A client consumes a queue and answers each message; text and binary, and what waited before."""
    early = recorder.page()
    early.send("I was first")
    pops = 1
    script = recorder.script("reply", pops + 4)
    early.receive()
    page = recorder.page()
    for message in ("hello", '{"op":"\u00fcber","args":["/"]}', b"\x00\xff"):
        page.send(message)
        page.receive()
    script.ends()


def login(recorder: Recorder) -> None:
    """A connection's messages wait until the client has set its user_id; set_context replaces all."""
    script = recorder.script("login")
    page = recorder.page("/login")
    page.send('{"op":"userauth"}')
    page.send('{"op":"first"}')
    page.receive()
    recorder.session(page)
    page.send('{"op":"rename"}')
    page.receive()
    recorder.session(page)
    page.send('{"op":"bye"}')
    page.receive()
    script.ends()


def channels(recorder: Recorder) -> None:
    """A client subscribes connections to channels, publishes to them, and unsubscribes."""
    script = recorder.script("channels")
    pages = [recorder.page(), recorder.page()]
    said = 1
    for page in pages:
        page.send("join")
        script.until_said(said := said + 2)
    pages[0].send("publish")
    for page in pages:
        page.receive()
    script.until_said(said := said + 2)
    if recorder.version != "1.0.1":
        pages[1].send("leave")
        script.until_said(said := said + 2)
        pages[0].send("publish")
        pages[0].receive()
        script.until_said(said := said + 2)
    pages[0].send("bye")
    script.ends()


def push(recorder: Recorder) -> None:
    """A script without a loop sends, publishes and calls; it learns of clients that are not there."""
    page = recorder.page()
    script = recorder.script("push", page.client_id)
    for _ in range(4):
        page.receive()
    script.ends()


def mistakes(recorder: Recorder) -> None:
    """Requests that cannot be fulfilled are answered with their codes; those in odd shapes are understood."""
    requests = _SHORT_REQUESTS if recorder.is_short else _LONG_REQUESTS
    arguments = [each for method, params in requests for each in (method, json.dumps(params))]
    recorder.script("raw", *arguments).ends()


def reconnect(recorder: Recorder) -> None:
    """A client whose connection breaks comes back, consumes again, and gets what was sent meanwhile."""
    pops = 2
    script = recorder.script("reply", pops + 2)
    page = recorder.page()
    page.send("before")
    page.receive()
    script.until_said(3)
    recorder.cut()
    script.until_said(4)
    page.send("meanwhile")
    page.receive()
    script.ends()


def discovery(recorder: Recorder) -> None:
    """A client consumes from every gateway, also from one that is started later."""
    pops = 2
    script = recorder.script("reply", pops + 2, faster=20)
    script.until_said(1)
    recorder.start_gateway()
    script.until_said(2)
    for gateway in (0, 1):
        page = recorder.page(gateway=gateway)
        page.send(f"from {gateway}")
        page.receive()
    script.ends()


SCENARIOS: Final[tuple[Scenario, ...]] = (
    reply,
    login,
    channels,
    push,
    mistakes,
    reconnect,
    discovery,
)

_GONE: Final = 1000

_SHORT_REQUESTS: Final[Requests] = (
    ("queue.pop", ["foo"]),
    ("queue.pop", {"t": ["bar", "baz"]}),
    ("queue.pop", []),
    ("queue.unpop", {}),
    ("queue.pop", [{"t": ["foo"]}]),
    ("conn.call", {"c": _GONE, "f": "subscribe", "a": ["news"]}),
    ("conn.call", {"c": _GONE, "f": "dance", "a": []}),
    ("conn.call", {"c": _GONE}),
    ("mesh.send", {"c": _GONE, "d": "test"}),
    ("mesh.send", [{"c": str(_GONE), "d": "test"}]),
    ("mesh.send", {"d": "test"}),
    ("mesh.publish", {"c": "nobody", "d": "aGVsbG8=", "t": "binary"}),
    ("mesh.publish", {"c": "nobody", "d": "no base64", "t": "binary"}),
    ("mesh.publish", {"c": "nobody"}),
    ("server.ping", []),
    ("server.pong", []),
)

_LONG_REQUESTS: Final[Requests] = (
    ("queue.consume", ["foo"]),
    ("queue.consume", ["bar", "baz"]),
    ("queue.consume", []),
    ("queue.unconsume", {}),
    ("queue.consume", ["foo"]),
    ("conn.call", {"client_id": _GONE, "func": "subscribe", "args": ["news"]}),
    ("conn.call", {"client_id": _GONE, "method": "subscribe", "params": ["news"]}),
    ("conn.call", {"client_id": _GONE, "func": "dance", "args": []}),
    ("conn.call", {"client_id": _GONE}),
    ("mesh.send", {"client_id": _GONE, "data": "test"}),
    ("mesh.send", [{"client_id": str(_GONE), "data": "test"}]),
    ("mesh.send", {"data": "test"}),
    ("mesh.publish", {"channel": "nobody", "data": "test"}),
    ("mesh.publish", {"channel": "nobody"}),
    ("server.ping", []),
    ("server.pong", []),
)
