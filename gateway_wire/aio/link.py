"""One internal link on asyncio: a relay between a transport and the sans-I/O core.

Rule: nothing here knows a command's meaning, nor which protocol the core speaks. Bytes go into the core,
envelopes go to the owner, what the core queued goes to the transport, once per turn of the loop. Whoever
owns the link is told three things: opened, received, closed; closed is told exactly once.

Unsent bytes are bounded by `MAX_UNSENT`. Whoever sends asks :meth:`AioLink.has_room` first where
that may matter. A peer that leaves its replies unread is not read any more, and cut after
`UNREAD_REPLIES_TIMEOUT`.
"""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from gateway_wire.addresses import Address
from gateway_wire.aio.keepalive import set_keepalive
from gateway_wire.errors import ErrorCode, GatewayError, LinkError, RemoteProtocolError
from gateway_wire.limits import HELLO_TIMEOUT, MAX_UNSENT, UNREAD_REPLIES_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway_wire.commands import Command
    from gateway_wire.frames import Envelope
    from gateway_wire.hello import Party

__all__ = ["AioLink", "LinkCore", "LinkEvents", "LinkLost"]

logger = logging.getLogger("gateway_wire")

MUCH: Final = 1024 * 1024
"""Bytes that are worth a write of their own: a sixteenth of what may be unsent."""


class LinkLost(LinkError):
    """The network connection of a link ended without a goodbye."""


class LinkCore(Protocol):
    """A link without input or output: :class:`gateway_wire.link.Link`, or that of another protocol."""

    @property
    def peer(self) -> Party | None:
        """The other side; None until its hello is finished."""

    @property
    def failure(self) -> GatewayError | None:
        """Why the link is over, None while it is not; what waits is sent, then it is closed."""

    @property
    def is_open(self) -> bool:
        """Whether commands may be sent."""

    @property
    def unsent(self) -> int:
        """Bytes queued that :meth:`data_to_send` has not yet returned."""

    def receive_data(self, data: bytes, /) -> list[Envelope]:
        """Take bytes from the network, return the commands that are for the application."""

    def send(
        self, command: Command, request_id: int = 0, options: Mapping[str, Any] | None = None
    ) -> None:
        """Queue one command; raises what :meth:`AioLink.send` does."""

    def send_frame(self, frame: bytes, /) -> None:
        """Queue a command that is encoded already; raises what :meth:`AioLink.send_frame` does."""

    def data_to_send(self) -> bytes:
        """Return all bytes that are queued for the network, and forget them."""

    def say_goodbye(self, code: ErrorCode, text: str, /) -> None:
        """Close our side, with a word to the peer where the protocol has one."""

    def connection_lost(self) -> None:
        """Take note that the network is gone."""


class LinkEvents(Protocol):
    """What the owner of a link is told, by plain calls on the loop's thread."""

    def link_opened(self, link: AioLink) -> None:
        """The hello is finished; commands may be sent."""

    def link_received(self, link: AioLink, envelopes: list[Envelope]) -> None:
        """Commands arrived, in order."""

    def link_closed(self, link: AioLink, reason: GatewayError) -> None:
        """The link is over, whether it was ever open or not; told exactly once."""


class AioLink(asyncio.Protocol):
    """One side of one link on asyncio.

    Attributes:
        core: The sans-I/O link.
        owner: Who is told what happens.
        remote: Address of the other side, for messages.
        last_heard: Loop time of the last received byte.
        received_bytes: Bytes received so far.
    """

    __slots__ = (
        "_closed",
        "_deadline",
        "_flushing",
        "_hello_timeout",
        "_loop",
        "_on_writable",
        "_paused",
        "_reading_held",
        "_reading_paused",
        "_reason",
        "_transport",
        "_unread_timeout",
        "core",
        "last_heard",
        "owner",
        "received_bytes",
        "remote",
    )

    def __init__(
        self,
        core: LinkCore,
        owner: LinkEvents,
        remote: str = "",
        *,
        hello_timeout: float = HELLO_TIMEOUT,
        unread_timeout: float = UNREAD_REPLIES_TIMEOUT,
    ) -> None:
        """Make a link for a transport that is about to be connected.

        Args:
            core: The sans-I/O link.
            owner: Who is told what happens.
            remote: Name of the other side until the transport knows better.
            hello_timeout: Seconds in which the hello must be finished.
            unread_timeout: Seconds for which the peer may leave its replies unread.
        """
        self.core = core
        self.owner = owner
        self.remote = remote
        self.last_heard = 0.0
        self.received_bytes = 0
        self._hello_timeout = hello_timeout
        self._unread_timeout = unread_timeout
        self._loop = asyncio.get_running_loop()
        # From connection_made to connection_lost.
        self._transport: asyncio.Transport | None = None
        # The hello's deadline, later that of unread replies.
        self._deadline: asyncio.TimerHandle | None = None
        self._flushing = False
        self._paused = False
        # Who waits for that to end, each once.
        self._on_writable: dict[Callable[[AioLink], None], None] = {}
        # Two reasons not to read, each taken back on its own: the owner's, and unread replies.
        self._reading_paused = False
        self._reading_held = False
        self._closed = False
        self._reason: GatewayError | None = None

    def __repr__(self) -> str:
        return f"<AioLink {self.remote} {self.core!r}>"

    # Public methods

    @property
    def is_open(self) -> bool:
        """Whether commands may be sent."""
        return self.core.is_open and not self._closed

    @property
    def unsent(self) -> int:
        """Bytes that wait for the peer to read."""
        waiting = self._transport.get_write_buffer_size() if self._transport else 0
        return self.core.unsent + waiting

    def has_room(self) -> bool:
        """Whether the peer reads well enough that more may be sent."""
        return not self._paused or self.unsent < MAX_UNSENT

    @property
    def is_backed_up(self) -> bool:
        """Whether the peer has left so much unread that what is sent waits on this side."""
        return self._paused

    @property
    def has_much(self) -> bool:
        """Whether so much was sent since the last flush that it should be flushed before more is.

        The transport then says whether the peer reads; until it is asked nobody knows.
        """
        return self.core.unsent >= MUCH and not self._paused

    def send(
        self, command: Command, request_id: int = 0, options: Mapping[str, Any] | None = None
    ) -> None:
        """Send one command; it leaves at the end of this turn of the loop.

        Raises:
            LocalProtocolError: If the link is not open.
            MessageTooLarge: If it does not fit a frame.
        """
        self.core.send(command, request_id, options)
        self._flush_soon()

    def send_frame(self, frame: bytes) -> None:
        """Send a command that is already encoded, such as one that goes to many links.

        Raises:
            LocalProtocolError: If the link is not open.
        """
        self.core.send_frame(frame)
        self._flush_soon()

    def queue(self, command: Command, request_id: int) -> None:
        """Queue one command for a later :meth:`flush`, by whoever answers many at a time.

        Raises:
            LocalProtocolError: If the link is not open.
            MessageTooLarge: If it does not fit a frame.
        """
        self.core.send(command, request_id)

    def call_when_writable(self, callback: Callable[[AioLink], None]) -> None:
        """Call back once when the peer has read what waits; never if the link ends before.

        Who asks again before that is called once all the same.
        """
        self._on_writable[callback] = None

    def bear_with(self, seconds: float) -> None:
        """Let the peer read nothing for so long before the kernel takes it for dead."""
        if self._transport is not None:
            set_keepalive(self._transport.get_extra_info("socket"), seconds)

    def pause_reading(self) -> None:
        """Read nothing more from the peer until :meth:`resume_reading`."""
        self._reading_paused = True
        self._read_or_not()

    def resume_reading(self) -> None:
        """Read from the peer again, once it does not leave its replies unread."""
        self._reading_paused = False
        self._read_or_not()

    def flush(self) -> None:
        """Give to the transport what was sent, and close it behind that if the core has failed."""
        self._flushing = False
        if self._transport is None:
            return
        if self._paused and self.core.is_open:
            self._watch_unread()
            return
        data = self.core.data_to_send()
        if data:
            self._transport.write(data)
            self._watch_unread()
        if self.core.failure is not None:
            self._end(self.core.failure)

    def close(self, code: ErrorCode, text: str) -> None:
        """Say goodbye and close once everything sent is written; harmless when closed."""
        self.core.say_goodbye(code, text)
        self.flush()
        self._end(LinkLost(f"closed by this side: {text}"))

    def abort(self, reason: GatewayError) -> None:
        """Cut the connection at once."""
        self._remember(reason)
        if self._transport is not None:
            self._transport.abort()

    def disown(self) -> None:
        """Let go of the connection in a forked child, where it is still the parent's.

        The child's descriptor would keep it open when the parent has ended. It is not closed, which
        would give its number to another file while this object still knows it.
        """
        sock = None if self._transport is None else self._transport.get_extra_info("socket")
        if sock is not None:
            null = os.open(os.devnull, os.O_RDWR)
            os.dup2(null, sock.fileno(), inheritable=False)
            os.close(null)

    # asyncio.Protocol methods

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Set the socket up, send what is queued (a dialler's hello), start the hello's clock."""
        self._transport = cast("asyncio.Transport", transport)
        set_keepalive(transport.get_extra_info("socket"))
        peer = transport.get_extra_info("peername")
        if peer:
            self.remote = self.remote or str(Address(peer[0], peer[1]))
        self.last_heard = self._loop.time()
        self._deadline = self._loop.call_later(self._hello_timeout, self._hello_timed_out)
        self.flush()

    def data_received(self, data: bytes) -> None:
        """Relay bytes to the core and envelopes to the owner."""
        self.last_heard = self._loop.time()
        self.received_bytes += len(data)
        was_open = self.core.peer is not None
        envelopes = self.core.receive_data(data)
        if not was_open and self.core.peer is not None:
            self._clear_deadline()
            if self.core.is_open or envelopes:  # else it also said goodbye: never was it of use
                self.owner.link_opened(self)
        if envelopes:
            self.owner.link_received(self, envelopes)
        if self.core.failure is not None:
            self.flush()
        elif self.core.unsent:
            self._flush_soon()

    def pause_writing(self) -> None:
        """Keep what is sent from now on until the peer has read more."""
        self._paused = True

    def resume_writing(self) -> None:
        """Send what was kept."""
        self._paused = False
        callbacks, self._on_writable = self._on_writable, {}
        if self._reading_held:
            self._reading_held = False
            self._clear_deadline()
            self._read_or_not()
        self.flush()
        for callback in callbacks:
            callback(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner, once."""
        self._clear_deadline()
        self.core.connection_lost()
        self._closed = True
        self._paused = False
        self._transport = None
        if self._reason is None:
            cause = f": {exc}" if exc else ""
            self._reason = LinkLost(f"{self.remote} closed the connection{cause}")
        self.owner.link_closed(self, self._reason)

    # Private methods

    def _flush_soon(self) -> None:
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self.flush)

    def _remember(self, reason: GatewayError) -> None:
        if self._reason is None:
            self._reason = reason

    def _end(self, reason: GatewayError) -> None:
        self._remember(reason)
        self._closed = True
        if self._transport is not None:
            self._transport.close()

    def _read_or_not(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self._reading_paused or self._reading_held:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _hello_timed_out(self) -> None:
        text = f"{self.remote} did not finish the hello in {self._hello_timeout:g} s"
        self.core.say_goodbye(ErrorCode.TIMEOUT, text)
        self.flush()
        self._end(RemoteProtocolError(text, ErrorCode.TIMEOUT))

    def _watch_unread(self) -> None:
        if self._reading_held or self.has_room():
            return
        self._reading_held = True
        self._read_or_not()
        self._deadline = self._loop.call_later(self._unread_timeout, self._unread_timed_out)

    def _unread_timed_out(self) -> None:
        text = f"{self.remote} left {self.unsent:,} bytes unread for {self._unread_timeout:g} s"
        logger.warning("link closed: %s", text)
        self.abort(RemoteProtocolError(text, ErrorCode.TIMEOUT))
