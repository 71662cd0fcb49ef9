"""A conversation as a file: what happened, one step a line, and how it is played again.

The client's bytes go out as they were recorded, only with the names of today in them; what the server
answers must be, byte for byte, what it answered then. By rule differ: names (`known` in the steps), the
headers in `_OF_THE_DAY`, and the text of an error, which is for people. Each step has the shape of one `case` in :meth:`Replay.play`.
"""

import json
import re
import socket
import struct
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Self

from tests.connmix.stage import Browser, Known, Stage
from tests.connmix.wire import Frame, HttpMessage, Names
from tests.support.cluster import split
from tests.support.waiting import PATIENCE

Step = dict[str, Any]
Message = HttpMessage | Frame

_OF_THE_DAY: Final = ("Date: ", "Server: ")
"""Headers that say when, and with which versions, an answer was made."""

_ERROR_TEXT: Final = re.compile(
    r'^(\{"(?:E|error)":\{"(?:c|code)":\d+,"(?:m|message)":)"(?:[^"\\]|\\.)+"'
)
"""What stands in front of the text of an error, in both spellings, and the text; it is never empty."""

_EVENTS: Final = ('{"e":', '{"event":')
"""How events begin, in both spellings."""


def read(file: Path) -> list[Step]:
    """Read a conversation."""
    return [json.loads(line) for line in file.read_text("ascii").splitlines()]


def write(file: Path, steps: Iterable[Step]) -> None:
    """Write a conversation."""
    file.write_text("".join(f"{json.dumps(step)}\n" for step in steps), "ascii")


def reset(sock: socket.socket) -> None:
    """End a connection the hard way: the other side gets a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Client:
    """One connection of the recorded client.

    Attributes:
        early: What came before it was expected.
    """

    def __init__(self, address: str) -> None:
        self._socket = socket.create_connection(split(address), PATIENCE)
        self._stream = self._socket.makefile("rb")
        self._is_open = False
        self.early: Final[list[Message]] = []

    def send(self, message: Message) -> None:
        """Send what it sent."""
        self._socket.sendall(message.encode())

    def expect(self, expected: Message | None) -> None:
        """Wait for a message; None is the end of the connection.

        Answers come in their order and events in theirs. Whether an event comes before an answer that
        is due at the same time, nobody promises.
        """
        message = self._next(events=_is_event(expected))
        told, then = message and _lasting(message), expected and _lasting(expected)
        assert told == then, f"it answers now\n{told}\ninstead of\n{then}"

    def close(self) -> None:
        """End it in order; harmless when it has ended."""
        self._stream.close()
        self._socket.close()

    def cut(self) -> None:
        """End it as a broken network does."""
        self._stream.close()
        reset(self._socket)

    def _next(self, *, events: bool) -> Message | None:
        for early in self.early:
            if _is_event(early) == events:
                self.early.remove(early)
                return early
        while (message := self._read()) is not None and _is_event(message) != events:
            self.early.append(message)
        return message

    def _read(self) -> Message | None:
        if self._is_open:
            return Frame.read(self._stream)
        answer = HttpMessage.read(self._stream)
        self._is_open = answer is not None and answer.is_upgrade
        return answer


class Replay:
    """Plays the client and the browsers of a conversation to a server that really runs.

    On exit everybody has left, and the stage is as it was.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._names = Names()
        self._leaving = ExitStack()
        self._browsers: dict[int, Browser] = {}
        self._clients: dict[int, Client] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_exception: object) -> None:
        self._leaving.close()
        if kind is None:
            assert not any(client.early for client in self._clients.values()), "more came than then"
            self._stage.until_unattended()
            self._stage.until_empty()

    def play(self, step: Step) -> None:
        """Do, or wait for, what a step tells."""
        match step:
            case {"shows": _, "known": known}:
                self._learn(known, self._stage.known)
            case {"gateway": "starts", "known": known}:
                self._learn(known, self._stage.start_gateway())
            case {"browser": number}:
                self._browser(number, step)
            case {"connection": number}:
                self._connection(number, step)
            case {"session": number, "holds": value}:
                client_id = self._browsers[number].known["client"]
                assert self._stage.session(client_id) == value
            case {"says": _}:
                pass  # what the client made of it: for readers
            case _:
                raise _unknown(step)

    def _browser(self, number: int, step: Step) -> None:
        match step:
            case {"connects": path, "to": gateway, "known": known}:
                browser = self._browsers[number] = self._stage.browse(path, gateway)
                self._leaving.callback(self._stage.leave, browser)
                self._learn(known, browser.known)
            case {"sends": text}:
                self._browsers[number].send(text)
            case {"sends_bytes": digits}:
                self._browsers[number].send(bytes.fromhex(digits))
            case {"receives": text}:
                assert self._browsers[number].receive() == self._names.translate(text)
            case {"leaves": True}:
                self._stage.leave(self._browsers[number])
            case _:
                raise _unknown(step)

    def _connection(self, number: int, step: Step) -> None:
        match step:
            case {"opens": address}:
                self._clients[number] = Client(self._names.translate(address))
                self._leaving.callback(self._clients[number].close)
            case {"client": "ends"}:
                self._clients[number].close()
            case {"server": "ends"}:
                self._clients[number].expect(None)
            case {"cut": True}:
                self._clients[number].cut()
                self._stage.until_unattended()
            case {"client": message}:
                self._clients[number].send(_message(message).translated(self._names))
            case {"server": message}:
                self._clients[number].expect(_message(message).translated(self._names))
            case _:
                raise _unknown(step)

    def _learn(self, then: Known, now: Known) -> None:
        for what, value in then.items():
            self._names.bind(value, now[what])


def _unknown(step: Step) -> AssertionError:
    return AssertionError(f"no such step: {step}")


def _message(fields: dict[str, Any]) -> Message:
    return HttpMessage(**fields) if "text" in fields else Frame(**fields)


def _is_event(message: Message | None) -> bool:
    return isinstance(message, Frame) and message.payload.startswith(_EVENTS)


def _lasting(message: Message) -> Message:
    """Take off what may differ."""
    if isinstance(message, Frame):
        return replace(message, payload=_ERROR_TEXT.sub(r'\1"..."', message.payload))
    head, _, body = message.text.partition("\r\n\r\n")
    lines = (line for line in head.split("\r\n") if not line.startswith(_OF_THE_DAY))
    return HttpMessage("\r\n".join((*lines, "", body)))
