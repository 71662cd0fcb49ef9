"""The floor of calls: a bare msgpack link, with nothing on it but frames and their answers.

`python -m bench.bare_link` is a server on uvloop that answers each frame with `true`; `BareLink` is a
plain socket to it. No routing, no checks, no errors: what a call costs beyond this is ours.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from struct import Struct
from typing import Final, Self, cast

import msgpack

from bench.programs import BenchError, Program

__all__ = ["BareLink"]

_LENGTH: Final = Struct(">I")
_QUESTION: Final = 64
_ANSWER: Final = 8
_BATCH: Final = 500
"""Frames of a pipeline that are written before their answers are read."""


class BareLink:
    """A plain socket to a bare server; a context manager that ends both."""

    def __init__(self) -> None:
        """Start the server and connect."""
        self._server = Program("bare_link", [sys.executable, "-m", "bench.bare_link"])
        port = int(self._server.line("ready")["port"])
        self._sock = socket.create_connection(("127.0.0.1", port))
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()
        self._server.close()

    def ask(self, client_id: str, count: int) -> None:
        """Ask one question after another, each answered before the next."""
        for number in range(count):
            self._sock.sendall(_frame([_QUESTION, number, None, client_id]))
            self._read_answers(1)

    def pipeline(self, client_ids: list[str]) -> None:
        """Ask many questions without waiting for each answer."""
        for start in range(0, len(client_ids), _BATCH):
            batch = client_ids[start : start + _BATCH]
            frames = [_frame([_QUESTION, n, None, each]) for n, each in enumerate(batch)]
            self._sock.sendall(b"".join(frames))
            self._read_answers(len(batch))

    def _read_answers(self, count: int) -> None:
        rest = b""
        while count:
            data = self._sock.recv(1 << 16)
            if not data:
                raise BenchError("the bare link ended")
            bodies, rest = _bodies(rest + data)
            count -= sum(msgpack.unpackb(body)[-1] for body in bodies)


def _frame(fields: list[object]) -> bytes:
    body: bytes = msgpack.packb(fields)
    return _LENGTH.pack(len(body)) + body


def _bodies(data: bytes) -> tuple[list[bytes], bytes]:
    bodies, position = [], 0
    while len(data) - position >= _LENGTH.size:
        end = position + _LENGTH.size + _LENGTH.unpack_from(data, position)[0]
        if end > len(data):
            break
        bodies.append(data[position + _LENGTH.size : end])
        position = end
    return bodies, data[position:]


class _Server(asyncio.Protocol):
    """Answers every frame with `true`."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        bodies, self._rest = _bodies(self._rest + data)
        answers = [_frame([_ANSWER, msgpack.unpackb(body)[1], None, True]) for body in bodies]
        self._transport.write(b"".join(answers))


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Server, "127.0.0.1", 0)
    print(f"ready port={server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    uvloop.run(_serve())
