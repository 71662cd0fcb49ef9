"""The asyncio client's links to the registers, on one loop.

Each register is told to send the directory now and at every change, and is dialled again when it is
lost. No task outlives an attempt to dial: between two attempts there is a timer, and on an open link
nothing at all, so that a loop may end at any time without a pending task.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Final

from gateway_client.cluster import Cluster, who_is_no_register
from gateway_client.config import CONNECT_TIMEOUT
from gateway_client.errors import link_error, no_register
from gateway_wire.addresses import Address
from gateway_wire.aio.dialer import dial
from gateway_wire.aio.link import AioLink
from gateway_wire.commands import Nodes, Ping, Watch
from gateway_wire.errors import AuthenticationFailed, ErrorCode, GatewayError, LinkError
from gateway_wire.frames import Envelope
from gateway_wire.hello import Party
from gateway_wire.limits import NODE_SILENCE

__all__ = ["LOOKUP_TIMEOUT", "REDIAL_PAUSE", "STRAGGLERS", "Registers"]

REDIAL_PAUSE: Final = 0.5
"""Seconds: a lost register is dialled again after a random pause up to this."""

LOOKUP_TIMEOUT: Final = 1.0
"""Seconds in which a register answers when it is asked again, or counts as lost."""

STRAGGLERS: Final = 0.25
"""Share of the remaining time for which the first call waits for further registers once one has
answered, so that a silent one leaves time for the gateways."""


class _Register:
    """One register, watched.

    Attributes:
        name: Its address as text.
        failure: Why the last link or attempt ended; None once it has answered.
        is_waiting: Whether its answer is being waited for.
    """

    __slots__ = (
        "_dialing",
        "_is_retired",
        "_link",
        "_owner",
        "_timer",
        "address",
        "failure",
        "is_waiting",
        "name",
    )

    def __init__(self, owner: Registers, address: Address) -> None:
        self.address = address
        self.name = str(address)
        self.failure: GatewayError | None = None
        self.is_waiting = False
        self._is_retired = False
        self._owner = owner
        self._link: AioLink | None = None
        self._dialing: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<_Register {self.name} {self.failure or 'watched'}>"

    def dial(self) -> None:
        """Begin to connect, unless it is connected or being dialled."""
        if self._link is None and self._dialing is None:
            self._set_timer(None)
            self.is_waiting = True
            self._dialing = asyncio.get_running_loop().create_task(self._dial())

    def ask(self) -> None:
        """Have it send the directory once more; dial it if it is lost."""
        if self._link is None:
            self.dial()
        elif not self.is_waiting:
            self.is_waiting = True
            self._link.send(Watch())
            self._set_timer(LOOKUP_TIMEOUT)

    async def close(self) -> None:
        """Close the link, dial no more, and wait until that is done."""
        dialing = self._dialing
        self.retire()
        if dialing is not None:
            await asyncio.wait([dialing])
        await asyncio.sleep(0)

    def retire(self) -> None:
        """Close the link and dial no more."""
        self._is_retired = True
        self._set_timer(None)
        if self._dialing is not None:
            self._dialing.cancel()
        if self._link is not None:
            self._link.close(ErrorCode.STOPPING, "the client is closing")

    def disown(self) -> None:
        """Let go of the link in a forked child."""
        if self._link is not None:
            self._link.disown()

    # What the link tells.

    def link_opened(self, link: AioLink) -> None:
        """Ask for the directory, if it is a register that answered."""
        if (stranger := who_is_no_register(link.core.peer)) is not None:
            link.abort(stranger)
            return
        self._link = link
        link.send(Watch())
        self._set_timer(LOOKUP_TIMEOUT)

    def link_received(self, _link: AioLink, envelopes: list[Envelope]) -> None:
        """Take in the directory."""
        for command, _, _ in envelopes:
            if isinstance(command, Nodes):
                self.failure = None
                self._owner.heard(self.name, command)
                self._settled(NODE_SILENCE)
                self._owner.on_news()

    def link_closed(self, _link: AioLink, reason: GatewayError) -> None:
        """Dial again in a while."""
        self._link = None
        self._lost(reason)

    # Private methods

    async def _dial(self) -> None:
        owner = self._owner
        key = owner.cluster.config.secret_key
        try:
            await dial(self.address, owner.party, key, self, CONNECT_TIMEOUT)
        except TimeoutError:
            self._lost(LinkError(f"it accepted no link within {CONNECT_TIMEOUT:g} s"))
        except AuthenticationFailed as error:
            self._lost(AuthenticationFailed(error.code, error.text, self.name))
        except GatewayError as error:
            self._lost(error)
        except OSError as error:
            self._lost(link_error(error))
        finally:
            self._dialing = None

    def _lost(self, reason: GatewayError) -> None:
        self.failure = reason
        self._owner.lost(self.name)
        self._owner.on_news()
        self._settled(random.uniform(0, REDIAL_PAUSE))  # noqa: S311 - jitter

    def _settled(self, pause: float) -> None:
        self.is_waiting = False
        self._set_timer(pause)
        self._owner.settled()

    def _set_timer(self, pause: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if pause is not None and not self._is_retired:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(pause, self._time_is_up)

    def _time_is_up(self) -> None:
        """Dial a lost register; cut one that does not answer; see whether a silent one lives."""
        self._timer = None
        link = self._link
        if link is None:
            self.dial()
            return
        silence = asyncio.get_running_loop().time() - link.last_heard
        if self.is_waiting or silence > 2 * NODE_SILENCE:
            link.abort(LinkError("it did not answer in time"))
            return
        link.send(Ping())
        self._set_timer(NODE_SILENCE)


class Registers:
    """All registers of one client, watched on one loop.

    Attributes:
        cluster: Is told what they say.
        party: Our side, as it introduces itself.
        on_news: Called when a register has answered, or does not answer any more.
    """

    __slots__ = ("_is_settled", "_registers", "_waiters", "cluster", "on_news", "party")

    def __init__(self, cluster: Cluster, party: Party, on_news: Callable[[], None]) -> None:
        self.cluster = cluster
        self.party = party
        self.on_news = on_news
        self._registers = [_Register(self, address) for address in cluster.config.registers]
        self._waiters: set[asyncio.Future[None]] = set()
        self._is_settled = False

    def __repr__(self) -> str:
        return f"<Registers {self._registers!r}>"

    @property
    def failures(self) -> dict[str, GatewayError | None]:
        """Why each register does not answer, by address; None for one that does, or is being asked."""
        return {each.name: each.failure for each in self._registers}

    def start(self) -> None:
        """Begin to watch."""
        for register in self._registers:
            register.dial()

    def is_settled(self) -> bool:
        """Return whether every register has answered or failed, and the directory counts."""
        directory = self.cluster.directory
        return self._is_settled and bool(directory.nodes or directory.is_answered)

    async def settle(self, timeout: float) -> None:
        """Wait until every register has answered or failed; harmless afterwards.

        Raises:
            RegisterUnavailable: If none answers and no gateway is known.
            AuthenticationFailed: If, besides, one refused the secret key.
        """
        if self.is_settled():
            return
        directory = self.cluster.directory
        self.start()
        deadline = asyncio.get_running_loop().time() + timeout
        await self._wait(deadline, lambda: directory.is_answered or self._are_quiet())
        patience = (deadline - asyncio.get_running_loop().time()) * STRAGGLERS
        await self._wait(asyncio.get_running_loop().time() + patience, self._are_quiet)
        self._is_settled = directory.is_answered
        if not directory.nodes and not directory.is_answered:
            raise self._nobody()

    async def look_up(self, timeout: float) -> None:
        """Have every register send the directory once more, and wait for it.

        Raises:
            RegisterUnavailable: If none answers.
            AuthenticationFailed: If, besides, one refused the secret key.
        """
        for register in self._registers:
            register.ask()
        deadline = asyncio.get_running_loop().time() + timeout
        await self._wait(deadline, self._are_quiet)
        if not self.cluster.directory.is_answered:
            raise self._nobody()

    async def close(self) -> None:
        """Close the links and dial no more."""
        for register in self._registers:
            await register.close()

    def retire(self) -> None:
        """The same without waiting for it."""
        for register in self._registers:
            register.retire()

    def disown(self) -> None:
        """Let go of the links in a forked child."""
        for register in self._registers:
            register.disown()

    # What the registers tell.

    def heard(self, name: str, answer: Nodes) -> None:
        """A register sent the directory."""
        self.cluster.directory.heard(name, answer)

    def lost(self, name: str) -> None:
        """A register does not answer any more."""
        self.cluster.directory.lost(name)

    def settled(self) -> None:
        """A register has answered or failed: wake who waits for it."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    # Private methods

    def _are_quiet(self) -> bool:
        """Return whether no register's answer is being waited for."""
        return not any(register.is_waiting for register in self._registers)

    async def _wait(self, deadline: float, is_enough: Callable[[], bool]) -> None:
        loop = asyncio.get_running_loop()
        while not is_enough() and loop.time() < deadline:
            waiter = loop.create_future()
            self._waiters.add(waiter)
            try:
                await asyncio.wait([waiter], timeout=deadline - loop.time())
            finally:
                self._waiters.discard(waiter)

    def _nobody(self) -> GatewayError:
        return no_register(self.failures)
