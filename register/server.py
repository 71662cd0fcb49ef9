"""The register's links: gateways announce, workers and clients watch; so do PHP programs, in their own words.

Decisions are the directory's; here they are carried out. Whatever changed in one turn of the loop
is told at its end, as one frame that is encoded once and goes to all watchers. Hot counters are
plain ints, read by the metrics page.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from gateway_process.refusals import Refusals
from gateway_wire.addresses import is_loopback
from gateway_wire.aio.link import LinkLost
from gateway_wire.aio.listener import LinkListener
from gateway_wire.commands import Announce, CommandError, Error, Reply, Role, Watch
from gateway_wire.errors import AuthenticationFailed, ErrorCode, RemoteProtocolError
from gateway_wire.frames import encode_frame
from gateway_wire.hello import Party, new_instance
from gateway_wire.limits import HELLO_TIMEOUT, MAX_UNSENT
from register.announcement import check_announcement
from register.directory import DEFAULT_TIMES, Directory, Times, Verdict
from register.doorway import Doorway
from register.php import FIRST_BYTE, addresses_of
from register.php_watchers import DEFAULT_PHP_TIMES, PhpTimes, PhpWatchers

if TYPE_CHECKING:
    import socket

    from gateway_wire.aio.link import AioLink
    from gateway_wire.errors import GatewayError
    from gateway_wire.frames import Envelope

__all__ = ["Counters", "Server"]

logger = logging.getLogger("register")

GOODBYE_TIME: Final = 1.0
"""Seconds in which goodbyes must be written at a stop; who does not read them finds out anyway."""


@dataclass(slots=True)
class Counters:
    """What happened since the start.

    Attributes:
        announcements: Announcements that the directory took.
        refusals: Announcements refused, by error code.
        silences: Gateways dropped because they were silent.
        links_refused: Links that ended in their hello for a reason, by error code.
    """

    announcements: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    silences: int = 0
    links_refused: Counter[str] = field(default_factory=Counter)


class Server:
    """One register on one listening socket.

    Attributes:
        directory: Who is alive.
        watchers: The links that are told of changes.
        opened: Every open link, with the Unix time of its opening.
        php: The PHP programs that watch.
        counters: What happened since the start.
    """

    def __init__(
        self,
        secret_key: str = "",
        times: Times = DEFAULT_TIMES,
        php_times: PhpTimes = DEFAULT_PHP_TIMES,
    ) -> None:
        """Make a register; :meth:`start` begins to serve.

        Args:
            secret_key: The cluster's secret key, empty for none.
            times: How long things take.
            php_times: How long they take with PHP programs.
        """
        self._loop = asyncio.get_running_loop()
        self.directory: Directory[AioLink] = Directory(self._loop.time(), times)
        self.watchers: set[AioLink] = set()
        self.opened: dict[AioLink, float] = {}
        self.php = PhpWatchers(secret_key, self, php_times)
        self.counters = Counters()
        self._listener = LinkListener(Party(Role.REGISTER, new_instance()), secret_key, self)
        # Connections on which nothing has come yet.
        self._knocking: set[Doorway] = set()
        self._exposed = False
        self._telling = False
        self._refusals = Refusals(logger)
        # Revision and settling: as watchers were told last, and as the frame says.
        self._told = self._encoded = (-1, True)
        self._frame = b""
        # From start to stop.
        self._next_look: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<Server of {self.directory!r}, {len(self.watchers)} watchers>"

    @property
    def is_settling(self) -> bool:
        """Whether gateways that live may not yet have announced themselves."""
        return self.directory.is_settling(self._loop.time())

    async def start(self, sock: socket.socket) -> None:
        """Serve on a socket that is bound; it is owned from here on."""
        self._exposed = not is_loopback(sock.getsockname()[0])
        await self._listener.start(sock, self._door)
        self._look()

    async def stop(self) -> None:
        """Accept nothing more and say goodbye on every link; harmless when stopped."""
        self._listener.stop_accepting()
        if self._next_look is not None:
            self._next_look.cancel()
        self._listener.close_links(ErrorCode.STOPPING, "the register is stopping")
        self.php.close()
        for each in tuple(self._knocking):
            each.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_TIME):
                await self._listener.wait_closed()

    # What the listener tells.

    def link_opened(self, link: AioLink) -> None:
        """A peer has finished its hello; what it wants it says next."""
        self.opened[link] = time.time()
        logger.debug("link open: %r", link)

    def link_received(self, link: AioLink, envelopes: list[Envelope]) -> None:
        """Carry out what arrived."""
        for envelope in envelopes:
            if not link.is_open:  # a goodbye came in the same piece
                return
            match envelope.command:
                case Announce() as announce:
                    self._announced(link, announce, envelope.request_id)
                case Watch():
                    self._watched(link, envelope.request_id)
                case _:
                    raise AssertionError("the catalogue lets no other command reach a register")

    def link_closed(self, link: AioLink, reason: GatewayError) -> None:
        """Forget what was announced on the link, and that it watched."""
        self.watchers.discard(link)
        self.opened.pop(link, None)
        gone = self.directory.withdraw(link)
        if gone is not None:
            logger.info("gateway %s left: %s", _name(gone), reason)
            self._tell_soon()
        elif link.core.peer is None:
            self._refused(link, reason)

    # Gateways

    def _announced(self, link: AioLink, announce: Announce, request_id: int) -> None:
        try:
            self._take(link, announce)
        except CommandError as error:
            self.counters.refusals[error.code.value] += 1
            self._refusals.tell(
                link.remote, f"refused gateway {_name(announce)} of {link.remote}: {error}"
            )
            answer: Reply | Error = Error(error.code.value, error.text)
        else:
            self.counters.announcements += 1
            answer = Reply()
        if request_id:
            link.send(answer, request_id)

    def _take(self, link: AioLink, announce: Announce) -> None:
        check_announcement(announce, exposed=self._exposed)
        before = self.directory.revision
        verdict = self.directory.announce(link, _instance(link), announce)
        if verdict is Verdict.DUPLICATE:
            names = " or ".join(dict.fromkeys((announce.node_id, *announce.keys)))
            text = f"another living gateway has the node id or key {names}"
            raise CommandError(ErrorCode.DUPLICATE_NODE, text)
        if self.directory.revision != before:
            logger.info("gateway %s is %s", _name(announce), verdict.value)
            self._tell_soon()

    def _look(self) -> None:
        times = self.directory.times
        # First, so that silence is noticed again whatever happens below.
        self._next_look = self._loop.call_later(times.look, self._look)
        for link in self.directory.silent(self._loop.time()):
            self.counters.silences += 1
            link.abort(LinkLost(f"silent for {times.silence:g} s"))
        self._tell()  # that it has settled, perhaps

    # Watchers

    def _watched(self, link: AioLink, request_id: int) -> None:
        if request_id:
            link.send(Reply(), request_id)
        self.watchers.add(link)
        link.send_frame(self._current_frame())

    def _tell_soon(self) -> None:
        if not self._telling:
            self._telling = True
            self._loop.call_soon(self._tell)

    def _tell(self) -> None:
        self._telling = False
        frame = self._current_frame()
        if self._told == self._encoded:
            return
        self._told = self._encoded
        self.php.tell(addresses_of(self.directory.nodes()))
        for link in tuple(self.watchers):
            if not link.has_room():
                link.abort(LinkLost(f"{link.remote} left {MAX_UNSENT:,} bytes unread"))
            elif link.is_open:
                link.send_frame(frame)

    def _current_frame(self) -> bytes:
        now = self._loop.time()
        current = (self.directory.revision, self.directory.is_settling(now))
        if self._encoded != current:
            self._encoded = current
            self._frame = encode_frame(self.directory.snapshot(now))
        return self._frame

    # Strangers

    def _door(self) -> Doorway:
        return Doorway(self._speaker, HELLO_TIMEOUT, self._knocking)

    def _speaker(self, first_byte: bytes) -> asyncio.Protocol:
        return self.php.accept() if first_byte == FIRST_BYTE else self._listener.accept()

    def php_refused(self, remote: str, reason: AuthenticationFailed | RemoteProtocolError) -> None:
        """A PHP program broke a rule."""
        self.counters.links_refused[reason.code.value] += 1
        self._refusals.tell(remote, f"refused the PHP program at {remote}: {reason}")

    def _refused(self, link: AioLink, reason: GatewayError) -> None:
        if isinstance(reason, AuthenticationFailed | RemoteProtocolError):
            self.counters.links_refused[reason.code.value] += 1
            self._refusals.tell(link.remote, f"refused a link of {link.remote}: {reason}")


def _instance(link: AioLink) -> str:
    if link.core.peer is None:
        raise AssertionError("commands come on open links only")
    return link.core.peer.instance


def _name(announce: Announce) -> str:
    return f"{announce.node_id} at {announce.host}:{announce.port}"
