"""One link of the blocking client: a non-blocking socket around the sans-I/O core.

It never waits. Whoever waits asks it for `wants`, polls, and calls `progress` when the socket is
ready. Frames are queued and flushed as the kernel takes them; `written` counts what it took, so that
after a loss it is known which commands cannot have arrived.

It closes without shutdown(2): a child that inherited it by fork may close its copy without cutting
the parent's connection.
"""

from __future__ import annotations

import os
import select
import socket
from typing import Final

from gateway_client.errors import link_error
from gateway_wire.addresses import Address
from gateway_wire.aio.keepalive import set_keepalive
from gateway_wire.errors import AuthenticationFailed, GatewayError, LinkError
from gateway_wire.frames import Envelope
from gateway_wire.hello import Party
from gateway_wire.link import Link
from gateway_wire.state import Side

__all__ = ["Line"]

_RECEIVE: Final = 64 * 1024
"""Bytes taken from the kernel at once: a pipeline's answers come by the thousand. Above 128 KiB the
allocator would map and unmap memory for every answer, at twice the cost of the whole call."""


class Line:
    """One link, from dialling to its end.

    Attributes:
        address: Where it goes.
        fd: Its descriptor; -1 when it is over.
        queued: Bytes given to `queue` so far, the hello included.
        written: Bytes that the kernel has taken.
        failure: Why it is over; None while it is not.
    """

    __slots__ = (
        "__weakref__",
        "_candidates",
        "_chunk",
        "_core",
        "_is_connected",
        "_out",
        "_poll",
        "_polled",
        "_poller",
        "_sock",
        "address",
        "failure",
        "fd",
        "queued",
        "written",
    )

    def __init__(self, address: Address, party: Party, secret_key: str) -> None:
        """Start to dial.

        Raises:
            OSError: If the host is unknown, or refuses at once.
        """
        self.address = address
        self.queued = self.written = 0
        self.failure: GatewayError | None = None
        self.fd = -1
        self._sock: socket.socket | None = None
        self._core = Link(Side.DIALER, party, secret_key)
        self._is_connected = False
        self._poller = select.poll()  # looked up now: gevent may have put its own there
        self._poll = self._poller.poll
        self._polled = 0
        self._out: list[bytes] = []
        self._chunk: memoryview | None = None
        self._candidates = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        self._connect()

    def __repr__(self) -> str:
        state = "closed" if self._sock is None else f"fd {self.fd}"
        return f"<Line {self.address} {state} {self._core!r}>"

    def __del__(self) -> None:
        if hasattr(self, "_sock"):  # the constructor got that far
            self.close()

    # What a caller asks.

    @property
    def is_open(self) -> bool:
        """Whether commands may be queued."""
        return self._core.is_open and self.failure is None

    @property
    def peer(self) -> Party | None:
        """Who answered; None before it has."""
        return self._core.peer

    @property
    def is_closed(self) -> bool:
        """Whether it is over."""
        return self._sock is None

    @property
    def is_flushed(self) -> bool:
        """Whether the kernel has taken everything."""
        return self.written == self.queued and not self._core.unsent

    @property
    def wants(self) -> int:
        """The events to poll for."""
        if not self._is_connected:
            return select.POLLOUT
        if self._chunk is not None or self._out:
            return select.POLLIN | select.POLLOUT
        return select.POLLIN

    def wait(self, milliseconds: int) -> bool:
        """Wait until the socket is ready for what this line wants; return whether it is."""
        wants = self.wants
        if self._sock is None:
            return False
        if wants != self._polled:
            self._poller.register(self.fd, wants)
            self._polled = wants
        return bool(self._poll(milliseconds))

    def is_usable(self) -> bool:
        """Return whether an idle line can be used: it is open and the peer has not ended it."""
        if self._sock is None:
            return False
        if self.wait(0):
            self.progress()
        return self.failure is None

    # Sending and receiving.

    def queue(self, frame: bytes) -> int:
        """Take a frame to be written by `flush`; return what is queued with it."""
        self._out.append(frame)
        self.queued += len(frame)
        return self.queued

    def flush(self) -> None:
        """Write as much as the kernel takes."""
        if not self._is_connected:
            return
        if self._core.unsent:
            self.queue(self._core.data_to_send())
        while self._out or self._chunk is not None:
            if self._chunk is None:
                out = self._out
                self._chunk = memoryview(out[0] if len(out) == 1 else b"".join(out))
                out.clear()
            if not self._write(self._chunk):
                return

    def progress(self) -> list[Envelope]:
        """Do what the socket is ready for; a failure shows in `failure`.

        Returns:
            The commands that arrived.
        """
        if not self._is_connected:
            self._finish_connecting()
            return []
        envelopes = self._receive()
        self.flush()
        return envelopes

    def fail(self, reason: GatewayError) -> None:
        """Close because of something that happened."""
        if self.failure is None:
            self.failure = reason
        self.close()

    def close(self) -> None:
        """Close the socket; harmless when closed."""
        sock, self._sock = self._sock, None
        if sock is not None:
            if self._polled:
                self._poller.unregister(self.fd)
                self._polled = 0
            self.fd = -1
            sock.close()

    # Private methods

    def _connect(self) -> None:
        """Begin to connect to the next candidate; raises what the last one failed with."""
        error: OSError | None = None
        while self._candidates:
            family, kind, protocol, _, where = self._candidates.pop(0)
            try:
                sock = socket.socket(family, kind, protocol)
            except OSError as failed:  # a family that this machine lacks
                error = failed
                continue
            sock.setblocking(False)  # noqa: FBT003 - the standard library's
            set_keepalive(sock)
            try:
                sock.connect(where)
            except BlockingIOError:
                pass
            except OSError as failed:
                sock.close()
                error = failed
                continue
            self._sock, self.fd = sock, sock.fileno()
            return
        raise error or OSError(f"{self.address.host} has no address")

    def _finish_connecting(self) -> None:
        sock = self._sock
        if sock is None:
            return
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code == 0:
            self._is_connected = True
            self.flush()
            return
        self.close()
        error = OSError(code, os.strerror(code))
        try:
            if not self._candidates:
                raise error
            self._connect()
        except OSError as failed:
            self.failure = link_error(failed)

    def _receive(self) -> list[Envelope]:
        sock = self._sock
        if sock is None:
            return []
        try:
            data = sock.recv(_RECEIVE)
        except (BlockingIOError, InterruptedError):
            return []
        except OSError as error:
            self.fail(link_error(error))
            return []
        if not data:
            self.fail(LinkError("closed the connection"))
            return []
        envelopes = self._core.receive_data(data)
        if self._core.failure is not None:
            self.flush()  # it tells the peer why
            self.fail(self._named(self._core.failure))
        return envelopes

    def _write(self, chunk: memoryview) -> bool:
        """Write one chunk; returns whether all of it went."""
        sock = self._sock
        if sock is None:
            return False
        try:
            count = sock.send(chunk)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            self.fail(link_error(error))
            return False
        self.written += count
        self._chunk = chunk[count:] if count < len(chunk) else None
        return self._chunk is None

    def _named(self, failure: GatewayError) -> GatewayError:
        if isinstance(failure, AuthenticationFailed):
            return AuthenticationFailed(failure.code, failure.text, str(self.address))
        return failure
