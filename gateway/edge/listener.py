"""Accepting: listening sockets in, handshakes out.

We accept ourselves instead of using `loop.create_server`, for what that cannot
do on asyncio and uvloop alike: stop in the middle of a burst. Both drain the
kernel's queue before anybody can object, so a limit on connections would be
overrun, or met by accepting and closing. Here pausing is taking the listening
socket out of the selector; whoever connects meanwhile waits in the kernel's
backlog and is served on resuming. It costs about 10 µs a connection.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Protocol, TypeAlias

from gateway.edge.context import AcceptedProtocol, EdgeContext, Origin
from gateway.edge.proxies import Address

__all__ = ["BACKLOG", "Gate", "Listener", "Speaks"]

BACKLOG: Final = 16384
"""Connections that the kernel completes and keeps until we accept: a whole reconnect storm. The
kernel cuts it to net.core.somaxconn (4096 on Linux); above that clients repeat their SYN after
1 s and are not refused."""

_BATCH: Final = 64
"""Accepted in one turn of the loop, about 3 ms of work, so that open connections are served in
between."""

_EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_MAPPED: Final = "::ffff:"


Speaks: TypeAlias = Callable[[EdgeContext, Origin, Address], AcceptedProtocol]
"""Makes the first protocol of an accepted socket: what is spoken on a listener."""


class Gate(Protocol):
    """Decides whether another connection may come in."""

    def admit(self) -> bool:
        """Tell whether one more may be accepted now; False has paused all listeners."""

    def exhausted(self, error: OSError) -> None:
        """Accepting failed for want of descriptors or memory; pause for a while."""


class Listener:
    """Accepts on the sockets of one public address.

    Args:
        context: What all connections share.
        origin: Name and trusted proxies.
        gate: Asked before each connection.
        speaks: Makes the protocol of each accepted socket.
        sockets: Bound stream sockets; the listener owns them from now on.
        tls: Context for `wss`, None for `ws`. May be set to another one at any time, which then
            counts for new connections.
        handshake_timeout: Seconds for the TLS handshake.
    """

    def __init__(
        self,
        context: EdgeContext,
        origin: Origin,
        gate: Gate,
        *,
        speaks: Speaks,
        sockets: Sequence[socket.socket],
        tls: ssl.SSLContext | None,
        handshake_timeout: float,
    ) -> None:
        self.tls = tls
        self._context = context
        self._origin = origin
        self._gate = gate
        self._speaks = speaks
        self._sockets = tuple(sockets)
        self._tls_timeout = handshake_timeout
        self._loop = asyncio.get_running_loop()
        self._accepting = False
        # Connections that are on their way from `accept` to `connection_made`.
        self._arriving: set[asyncio.Task[object]] = set()
        for listening in self._sockets:
            listening.settimeout(0)
            if listening.family in {socket.AF_INET, socket.AF_INET6}:
                # Accepted sockets inherit it: a frame is never held back for an ACK (Nagle).
                listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            listening.listen(BACKLOG)

    def __repr__(self) -> str:
        state = "accepting" if self._accepting else "paused"
        tls = " tls" if self.tls else ""
        return f"<Listener {self._origin.listener}{tls} {state} {self.addresses}>"

    @property
    def addresses(self) -> list[Address]:
        """Where it listens, with the real port if 0 was asked for."""
        return [_address(listening.getsockname()) for listening in self._sockets]

    def resume(self) -> None:
        """Accept; harmless if it does."""
        if not self._accepting:
            self._accepting = True
            for listening in self._sockets:
                self._loop.add_reader(listening, self._accept, listening)

    def pause(self) -> None:
        """Leave new connections in the kernel's backlog; harmless if it does."""
        if self._accepting:
            self._accepting = False
            for listening in self._sockets:
                self._loop.remove_reader(listening)

    def close(self) -> None:
        """Stop listening for good. Connections stay, and those just accepted go on."""
        self.pause()
        for listening in self._sockets:
            listening.close()
        self._sockets = ()

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(_BATCH):
            if not self._gate.admit():
                return
            try:
                sock, peer = listening.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionAbortedError:
                continue
            except OSError as error:
                if error.errno not in _EXHAUSTED:
                    raise
                self._gate.exhausted(error)
                return
            self._serve(sock, _address(peer))

    def _serve(self, sock: socket.socket, peer: Address) -> None:
        sock.settimeout(0)
        self._context.counters.accepted += 1
        protocol = self._speaks(self._context, self._origin, peer)
        task = self._loop.create_task(
            self._loop.connect_accepted_socket(
                lambda: protocol,
                sock,
                ssl=self.tls,
                ssl_handshake_timeout=self._tls_timeout if self.tls else None,
            )
        )
        self._arriving.add(task)
        task.add_done_callback(partial(self._arrived, protocol))

    def _arrived(self, protocol: AcceptedProtocol, task: asyncio.Task[object]) -> None:
        """Count a connection whose TLS failed: its protocol never hears of it."""
        self._arriving.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            return
        protocol.failed("tls" if self.tls else "lost")
        if not isinstance(error, OSError):
            context = {"message": "accepting failed", "exception": error, "protocol": protocol}
            self._loop.call_exception_handler(context)


def _address(name: object) -> Address:
    """Return address and port of a socket's name; IPv4 in IPv6 as IPv4, a Unix path as it is."""
    if not isinstance(name, tuple):
        return str(name), 0
    host: str = name[0]
    if host.startswith(_MAPPED) and "." in host:
        host = host[len(_MAPPED) :]
    return host, name[1]
