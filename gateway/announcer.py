"""Tells every register that this gateway is alive, for as long as it is.

One link per register is kept open; on each that opens the gateway announces itself and waits for the
answer. The first answer anywhere is the moment from which the public port may open; before
it, a refusal by every register is fatal, since waiting would not mend it. After it, a register that
is lost or refuses costs a log line and is tried again: what knows the gateway goes on without it.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import TYPE_CHECKING, Final

from gateway_process.errors import StartupError
from gateway_wire.aio.dialer import CONNECT_TIMEOUT, KeptLink
from gateway_wire.commands import Error, Reply, Role
from gateway_wire.errors import (
    AuthenticationFailed,
    ErrorCode,
    GatewayError,
    LinkRefused,
    RemoteProtocolError,
)
from gateway_wire.limits import ANNOUNCE_INTERVAL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway_wire.addresses import Address
    from gateway_wire.aio.link import AioLink
    from gateway_wire.commands import Announce
    from gateway_wire.frames import Envelope
    from gateway_wire.hello import Party

__all__ = ["Announcer"]

logger = logging.getLogger("gateway")

_TRANSIENT: Final = frozenset({ErrorCode.STOPPING.value, ErrorCode.TIMEOUT.value})
"""Goodbyes that say nothing against us: the register stops, or was too busy for the hello."""


class Announcer:
    """Announces one gateway process to all registers.

    Attributes:
        connected: Registers that hold this gateway now.
        lost: Registers that do not.
        retry: Seconds until a register that refused is told again.
    """

    def __init__(
        self,
        registers: Sequence[Address],
        party: Party,
        secret_key: str,
        announce: Callable[[], Announce],
        on_duplicate: Callable[[], bool],
        *,
        retry: float = ANNOUNCE_INTERVAL,
    ) -> None:
        """Make an announcer; :meth:`start` begins to dial.

        Args:
            registers: Where the registers are; at least one.
            party: The gateway, as it introduces itself.
            secret_key: The cluster's secret key, empty for none.
            announce: Gives what to announce, each time anew.
            on_duplicate: Called when another living gateway has the node id or a key, before any
                register has acknowledged it: choose a new one and return True, and it is announced at
                once; or return False if there is no choice, and it counts as refused.
            retry: Seconds until a register that refused is told again.
        """
        self.retry = retry
        self._announce = announce
        self._on_duplicate = on_duplicate
        self._acked: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._registers = [_Register(each, party, secret_key, self) for each in registers]

    def __repr__(self) -> str:
        return f"<Announcer at {self.connected} of {len(self._registers)} registers>"

    @property
    def connected(self) -> int:
        """Registers that hold this gateway now."""
        return sum(each.holds_us for each in self._registers)

    @property
    def lost(self) -> int:
        """Registers that do not hold this gateway now."""
        return len(self._registers) - self.connected

    def start(self) -> None:
        """Begin to dial every register."""
        for each in self._registers:
            each.kept.start()

    async def first_ack(self) -> None:
        """Wait until a register has acknowledged the gateway.

        Waits as long as that takes: a register may be started after its gateways.

        Raises:
            StartupError: If every register refuses it; the message says why, with the remedy.
        """
        await asyncio.shield(self._acked)

    async def withdraw(self) -> None:
        """Say goodbye to every register, so that each drops the gateway at once."""
        self._acked.cancel()
        await asyncio.gather(*(each.stop() for each in self._registers))

    # What a register's link tells.

    def next_announcement(self) -> Announce:
        """Return what to announce now."""
        return self._announce()

    def acknowledged(self) -> None:
        """Take note that a register holds us."""
        if not self._acked.done():
            self._acked.set_result(None)

    def is_duplicate(self) -> bool:
        """Have a new node id chosen where that is still possible; return whether it was."""
        if self._acked.done() or not self._on_duplicate():
            return False
        for each in self._registers:
            each.announce()
        return True

    def refused(self) -> None:
        """Give up if no register is left that might take us."""
        refusals = [each.refusal for each in self._registers]
        if not self._acked.done() and all(refusals):
            self._acked.set_exception(StartupError("; ".join(dict.fromkeys(refusals))))
            self._acked.exception()  # retrieved: nobody need be waiting for it


class _Register:
    """One register, as the announcer sees it.

    Attributes:
        kept: The link to it.
        holds_us: Whether it has acknowledged the gateway on the link that is open.
        refusal: Why it will not take us, empty while it might.
    """

    def __init__(
        self, address: Address, party: Party, secret_key: str, announcer: Announcer
    ) -> None:
        self.kept = KeptLink(address, party, secret_key, self, self._link_failed)
        self.holds_us = False
        self.refusal = ""
        self._announcer = announcer
        self._request_id = 0
        # What was last said of it in the log, to say it once.
        self._said = ""
        self._retry: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<_Register {self.kept!r}{' holds us' if self.holds_us else ''}>"

    async def stop(self) -> None:
        """Say goodbye and dial no more."""
        self._cancel_retry()
        await self.kept.stop()

    def announce(self) -> None:
        """Announce the gateway if the link is open; an answer to an earlier one is void."""
        link = self.kept.link
        if link is not None and link.is_open:
            self._request_id += 1
            link.send(self._announcer.next_announcement(), self._request_id)

    # The owner of the link.

    def link_opened(self, link: AioLink) -> None:
        """Announce at once, if it is a register that answered."""
        peer = link.core.peer
        if peer is not None and peer.role is not Role.REGISTER:
            text = f"it is a {peer.role.value}, not a register; check --register"
            link.abort(LinkRefused(ErrorCode.PROTOCOL.value, text))
        else:
            self.announce()

    def link_received(self, _link: AioLink, envelopes: list[Envelope]) -> None:
        """Take the answer."""
        for envelope in envelopes:
            if envelope.request_id != self._request_id:
                continue
            answer = envelope.command
            if isinstance(answer, Reply):
                self._acknowledged()
            elif isinstance(answer, Error):
                self._not_taken(answer)

    def link_closed(self, _link: AioLink, _reason: GatewayError) -> None:
        """Take note that it no longer holds us."""
        self.holds_us = False
        self._cancel_retry()

    # Private methods

    def _acknowledged(self) -> None:
        self.holds_us, self.refusal, self._said = True, "", ""
        logger.info("register %s holds this gateway", self.kept.address)
        self._announcer.acknowledged()

    def _not_taken(self, error: Error) -> None:
        if error.error == ErrorCode.DUPLICATE_NODE.value and self._announcer.is_duplicate():
            return
        self._refuse(f"register {self.kept.address} does not take this gateway: {error.text}")
        loop = asyncio.get_running_loop()
        self._retry = loop.call_later(self._announcer.retry, self.announce)

    def _refuse(self, text: str) -> None:
        self.refusal = text
        self._say(logging.ERROR, text)
        self._announcer.refused()

    def _link_failed(self, _kept: KeptLink, error: Exception) -> None:
        address = self.kept.address
        if _is_refusal(error):
            self._refuse(f"register {address} refuses this gateway: {error}")
        else:
            self.refusal = ""
            self._say(logging.WARNING, f"register {address} cannot be reached: {_told(error)}")

    def _say(self, level: int, text: str) -> None:
        if text != self._said:
            self._said = text
            logger.log(level, "%s", text)

    def _cancel_retry(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None


def _is_refusal(error: Exception) -> bool:
    """Whether waiting will not mend it: keys differ, or it is no register that we can speak to."""
    if isinstance(error, LinkRefused):
        return error.code not in _TRANSIENT
    if isinstance(error, RemoteProtocolError):
        return error.code is not ErrorCode.TIMEOUT
    return isinstance(error, AuthenticationFailed)


def _told(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "connection refused; start it with `register start`"
    if isinstance(error, TimeoutError):
        return f"no answer in {CONNECT_TIMEOUT:g} s; is it frozen, or is a firewall in between?"
    if isinstance(error, socket.gaierror):
        return f"{error.strerror}; check the name in --register"
    return str(error)
