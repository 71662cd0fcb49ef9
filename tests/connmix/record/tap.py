"""A wiretap: it stands where the client looks for a server, passes everything on, and writes it down.

Addresses in the server's answers are exchanged for the tap's own, so that the client stays on the wire.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import Any, BinaryIO, Final

from tests.connmix.conversation import Step, reset
from tests.connmix.wire import Frame, HttpMessage, Names
from tests.support.cluster import split

Log = Callable[[Step], None]

_OTHER: Final = {"client": "server", "server": "client"}


class Tapped:
    """One connection of the client, and the one to the server that goes with it.

    Attributes:
        has_ended: Whether either side has ended it; nothing more is written down then.
    """

    def __init__(self, number: int, client: socket.socket, server: socket.socket) -> None:
        self._number = number
        self._sockets = {"client": client, "server": server}
        self.has_ended = False

    def carry(self, side: str, log: Log, names: Names) -> None:
        """Pass on what one side says until its end."""
        source, other = self._sockets[side], self._sockets[_OTHER[side]]
        with suppress(OSError):
            for message in _messages(source.makefile("rb")):
                told = message.translated(names) if side == "server" else message
                if not self.has_ended:
                    log({"connection": self._number, side: _fields(told)})
                other.sendall(told.encode())
        if not self.has_ended:
            self.has_ended = True
            log({"connection": self._number, side: "ends"})
        with suppress(OSError):
            other.shutdown(socket.SHUT_WR)

    def cut(self, log: Log) -> None:
        """Break it: both sides get a reset."""
        self.has_ended = True
        log({"connection": self._number, "cut": True})
        for sock in self._sockets.values():
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RD)
            reset(sock)


class Tap:
    """Listens in one server's place.

    Attributes:
        address: Where.
    """

    def __init__(self, target: str, log: Log, names: Names, number: Callable[[], int]) -> None:
        self._target, self._log, self._names, self._number = target, log, names, number
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address: Final = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self.connections: Final[list[Tapped]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                self._tap(self._listening.accept()[0])

    def _tap(self, client: socket.socket) -> None:
        number = self._number()
        self._log({"connection": number, "opens": self.address})
        tapped = Tapped(number, client, socket.create_connection(split(self._target)))
        self.connections.append(tapped)
        for side in _OTHER:
            arguments = (side, self._log, self._names)
            threading.Thread(target=tapped.carry, args=arguments, daemon=True).start()


def _messages(stream: BinaryIO) -> Iterator[HttpMessage | Frame]:
    kind: type[HttpMessage | Frame] = HttpMessage
    while (message := kind.read(stream)) is not None:
        yield message
        if isinstance(message, HttpMessage) and message.is_upgrade:
            kind = Frame


def _fields(message: HttpMessage | Frame) -> dict[str, Any]:
    return {name: value for name, value in asdict(message).items() if value is not None}
