"""The PHP programs that ask a register for gateways: their connections, and when each is told what.

A client asks, reads one line and leaves; it may do so at each request of a web application, so that this
costs little and is no line in the log. A worker stays and is told of changes.

A client takes the answer for the whole truth, since its protocol has no `settling`. So while the directory
settles an answer waits until a gateway is there and none has come or gone for a moment, but not beyond a
client's patience: an application that asks a register which has just been started misses no gateway.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, cast

from gateway_wire.addresses import Address
from gateway_wire.aio.keepalive import set_keepalive
from gateway_wire.errors import AuthenticationFailed, ErrorCode, RemoteProtocolError
from gateway_wire.limits import MAX_UNSENT
from register.php import Conversation, addresses_line

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DEFAULT_PHP_TIMES", "PhpOwner", "PhpTimes", "PhpWatcher", "PhpWatchers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhpTimes:
    """How long things take, in seconds.

    Attributes:
        introduction: Until a PHP program must have asked, with the secret key; GatewayWorker gives as long.
        quiet: Without a gateway that comes or goes, after which a directory that settles is taken for
            complete: a gateway that was cut off dials again within a second.
        patience: That an answer waits at the most; GatewayClient gives up after five.
    """

    introduction: float = 10.0
    quiet: float = 1.0
    patience: float = 3.0


DEFAULT_PHP_TIMES: Final = PhpTimes()


class PhpOwner(Protocol):
    """Whom the PHP programs ask."""

    @property
    def is_settling(self) -> bool:
        """Whether gateways that live may not yet have announced themselves."""

    def php_refused(self, remote: str, reason: AuthenticationFailed | RemoteProtocolError) -> None:
        """A PHP program broke a rule, and is not spoken to any more."""


class PhpWatchers:
    """The connections of PHP programs to one register.

    Attributes:
        opened: Those that were told where gateways are and will be told of changes, with the Unix time
            of their asking.
    """

    def __init__(self, secret_key: str, owner: PhpOwner, times: PhpTimes) -> None:
        """Begin with nobody.

        Args:
            secret_key: The cluster's secret key, empty for none.
            owner: Whom they ask.
            times: How long things take.
        """
        self.opened: dict[PhpWatcher, float] = {}
        self._loop = asyncio.get_running_loop()
        self._secret_key = secret_key
        self._owner = owner
        self._times = times
        self._connections: set[PhpWatcher] = set()
        self._addresses: list[str] = []
        self._line = addresses_line([])
        # When it changed.
        self._changed = self._loop.time()

    def __repr__(self) -> str:
        return f"<PhpWatchers {len(self.opened)} of {len(self._connections)} connections>"

    def accept(self) -> PhpWatcher:
        """Make the protocol of a connection."""
        return PhpWatcher(self, Conversation(self._secret_key), self._times.introduction)

    def tell(self, addresses: list[str]) -> None:
        """Tell where gateways are to those who were told something else."""
        if addresses == self._addresses:
            return
        self._addresses = addresses
        self._line = addresses_line(addresses)
        self._changed = self._loop.time()
        for watcher in tuple(self.opened):
            watcher.send(self._line)

    def close(self) -> None:
        """Close every connection."""
        for watcher in tuple(self._connections):
            watcher.close()

    # What a connection tells.

    def came(self, watcher: PhpWatcher) -> None:
        """A connection is there."""
        self._connections.add(watcher)

    def asked(self, watcher: PhpWatcher) -> None:
        """A PHP program wants to know where gateways are."""
        self._answer(watcher, self._loop.time() + self._times.patience)

    def refused(
        self, watcher: PhpWatcher, reason: AuthenticationFailed | RemoteProtocolError
    ) -> None:
        """A PHP program broke a rule."""
        self._owner.php_refused(watcher.remote, reason)

    def went(self, watcher: PhpWatcher) -> None:
        """A connection is gone."""
        self._connections.discard(watcher)
        self.opened.pop(watcher, None)

    def _answer(self, watcher: PhpWatcher, deadline: float) -> None:
        now = self._loop.time()
        is_quiet = bool(self._addresses) and now - self._changed >= self._times.quiet
        if self._owner.is_settling and not is_quiet and now < deadline:
            pause = min(self._times.quiet, deadline - now)
            watcher.wait(pause, lambda: self._answer(watcher, deadline))
        else:
            self.opened.setdefault(watcher, time.time())
            watcher.send(self._line)


class PhpWatcher(asyncio.Protocol):
    """The connection of one PHP program.

    Attributes:
        remote: Its address.
    """

    __slots__ = ("_conversation", "_introduction", "_timer", "_transport", "_watchers", "remote")

    def __init__(
        self, watchers: PhpWatchers, conversation: Conversation, introduction: float
    ) -> None:
        """Make it for a connection that is about to be there.

        Args:
            watchers: Who is told what it asks.
            conversation: Reads what it says.
            introduction: Seconds until it must have asked.
        """
        self.remote = ""
        self._watchers = watchers
        self._conversation = conversation
        self._introduction = introduction
        # From connection_made to connection_lost.
        self._transport: asyncio.Transport | None = None
        # Until it has asked, then until it is answered.
        self._timer: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<PhpWatcher {self.remote}>"

    def send(self, line: bytes) -> None:
        """Send a line; who does not read is cut."""
        if self._transport is None:
            return
        if self._transport.get_write_buffer_size() > MAX_UNSENT:
            self._transport.abort()
        else:
            self._transport.write(line)

    def wait(self, seconds: float, then: Callable[[], None]) -> None:
        """Do something later, unless the connection is gone then."""
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(seconds, then)

    def close(self) -> None:
        """End the connection when what was sent is written; harmless when it has ended."""
        if self._transport is not None:
            self._transport.close()

    # asyncio.Protocol methods

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the time in which it must ask."""
        self._transport = cast("asyncio.Transport", transport)
        set_keepalive(transport.get_extra_info("socket"))
        peer = transport.get_extra_info("peername")
        if peer:  # else it has left already
            self.remote = str(Address(peer[0], peer[1]))
        self._watchers.came(self)
        self.wait(self._introduction, self._timed_out)

    def data_received(self, data: bytes) -> None:
        """Hear what it says."""
        if self._transport is None or self._transport.is_closing():
            return
        try:
            asks = self._conversation.receive(data)
        except (AuthenticationFailed, RemoteProtocolError) as error:
            self._refuse(error)
            return
        if asks:
            self._stop_timer()
            self._watchers.asked(self)

    def connection_lost(self, _exc: Exception | None) -> None:
        """Forget it."""
        self._stop_timer()
        self._transport = None
        self._watchers.went(self)

    # Private methods

    def _timed_out(self) -> None:
        text = f"no worker_connect came in {self._introduction:g} s"
        self._refuse(RemoteProtocolError(text, ErrorCode.TIMEOUT))

    def _refuse(self, reason: AuthenticationFailed | RemoteProtocolError) -> None:
        self._watchers.refused(self, reason)
        self.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
