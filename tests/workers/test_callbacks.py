"""Every handler is called, when it should be and with what it should be, by workers of every kind."""

import contextlib
import socket
import struct
from collections.abc import Callable
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.workers.conftest import Cluster, Page, page_of

Pages = Callable[..., Page]

MIB = 1024 * 1024


def test_each_worker_process_begins_with_on_worker_start(cluster: Cluster) -> None:
    """Once in each process, with its worker's name and its number in it."""
    notes = cluster.journal.wait("on_worker_start", 4)
    assert sorted((each["name"], each["id"]) for each in notes) == [
        ("blue", 0), ("blue", 1), ("red", 0), ("red", 1),
    ]  # fmt: skip
    assert len({each["pid"] for each in notes}) == 4


@pytest.mark.parametrize("number", [0, 1])
def test_a_connection_is_told_with_its_request(cluster: Cluster, pages: Pages, number: int) -> None:
    """on_connect, then on_websocket_connect with path, query, headers, cookies and address."""
    url = "/chat%20room?name=Ann%20B&tag=1&tag=2&empty="
    headers = {"Cookie": 'a=1; b="two"', "X-Trace": "abc"}
    page = pages(number, url, additional_headers=headers)
    (first,) = cluster.journal.wait("on_connect", client_id=page.client_id)
    (second,) = cluster.journal.wait("on_websocket_connect", client_id=page.client_id)
    assert first["current"] == page.client_id
    assert first["pid"] == second["pid"]
    assert second["path"] == "/chat room"
    assert second["query"] == {"name": "Ann B", "tag": "2", "empty": ""}
    assert second["cookies"] == {"a": "1", "b": "two"}
    assert second["headers"].items() >= {"x-trace": "abc", "upgrade": "websocket"}.items()
    assert second["remote_addr"] == "127.0.0.1"


def test_both_have_returned_before_the_first_message_is_handled(page: Page) -> None:
    """What they left in the session is there."""
    assert page.order("session") == {"seen": ["on_connect", "on_websocket_connect"]}


MESSAGES: dict[str, str | bytes] = {
    "text": "Grüße, 世界 🎉",
    "empty text": "",
    "binary": b"\x00\xff",
    "empty binary": b"",
    "the largest text": "x" * MIB,
    "the largest binary": bytes(MIB),
}


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_messages_come_and_go_as_they_are(page: Page, message: str | bytes) -> None:
    """Text as str, binary as bytes, empty ones and the largest."""
    page.say(message)
    assert page.read() == message


def test_events_of_a_browser_are_handled_in_order_by_one_process(page: Page) -> None:
    """A browser stays with its worker, and what its handlers send arrives in order."""
    for number in range(300):
        page.say(str(number))
    assert [page.read() for _ in range(300)] == [str(number) for number in range(300)]
    whose = [page.order("who") for _ in range(5)]
    assert whose == whose[:1] * 5


def test_every_process_of_every_worker_gets_browsers(pages: Pages) -> None:
    """The gateway gives a browser to the process that has the fewest."""
    served = set()
    for _ in range(16):
        who = pages(1).order("who")
        served.add((who["name"], who["id"]))
    assert served == {("red", 0), ("red", 1), ("blue", 0), ("blue", 1)}


def vanish(page: Page) -> None:
    """End the connection as a machine that goes away does, without a Close."""
    sock: socket.socket = page.browser.socket.socket
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    page.browser.socket.socket.close()


def ignore(page: Page) -> None:
    """Have everything sent back and read none of it, until the connection is cut."""
    with contextlib.suppress(ConnectionClosed, OSError):
        while True:
            page.say("x" * MIB)


ENDS: dict[str, tuple[Callable[[Page], object], list[Any]]] = {
    "the page closes": (
        lambda page: page.browser.socket.close(),
        [1000, "peer_closed", ""],
    ),
    "the page closes with a reason": (
        lambda page: page.browser.socket.close(4321, "had enough"),
        [4321, "peer_closed", "had enough"],
    ),
    "the browser vanishes": (
        vanish,
        [1006, "connection_lost"],  # and the text is the system's
    ),
    "it breaks the protocol": (
        lambda page: page.browser.socket.socket.sendall(b"\x83\x80\x00\x00\x00\x00"),
        [1002, "protocol_error", "unknown opcode 3"],
    ),
    "its handler closes": (
        lambda page: page.say({"do": "call", "args": ["close_current_client", "bye"]}),
        [1000, "closed", ""],
    ),
    "its handler cuts": (
        lambda page: page.say({"do": "call", "args": ["destroy_current_client"]}),
        [1000, "closed", ""],
    ),
    "it does not read": (
        ignore,
        [3000, "slow"],
    ),
    "another hand closes": (
        lambda page: page.say(
            {"do": "call", "args": ["close_client", page.client_id, None, 4000, "go"]}
        ),
        [4000, "application", "go"],
    ),
}
"""What ends a connection, and what on_close is told."""


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("name", ["red", "blue"])
def test_a_connection_that_ends_is_told_with_why(
    cluster: Cluster, pages: Pages, name: str, end: str
) -> None:
    """on_close comes once, whoever ended it, with the uid and a snapshot of the session."""
    page = page_of(name, pages)
    act, reason = ENDS[end]
    page.order("set", {"name": "Ann"})
    assert cluster.client.bind_uid(page.client_id, 42)
    act(page)
    (note,) = cluster.journal.wait("on_close", client_id=page.client_id)
    assert note["current"] == page.client_id
    assert note["uid"] == "42"
    assert note["session"] == {"seen": ["on_connect", "on_websocket_connect"], "name": "Ann"}
    assert note["reason"][: len(reason)] == reason
