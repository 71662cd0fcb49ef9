"""Everything that a blocking consumer waits for, in one poll: its gateways, the registers, and whoever wakes it.

It owns no thread and no timer: a turn is the consumer's own wait for its next message. What the registers say is followed
there, too: a new gateway is dialled, one that is gone is forgotten.

The lock is the consumer's: other threads acknowledge messages, so the accounts are touched under it alone. The
links are touched by the thread that takes turns.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Collection
from math import ceil, inf
from threading import RLock
from typing import TYPE_CHECKING, Final

from gateway_client.blocking.feed import Feed
from gateway_client.blocking.registers import Registers
from gateway_client.blocking.waker import Waker
from gateway_wire.commands import Role
from gateway_wire.hello import Party, new_instance

if TYPE_CHECKING:
    from gateway_client.blocking.message import Message
    from gateway_client.cluster import Cluster
    from gateway_client.consuming import Store
    from gateway_client.directory import Learn, Node
    from gateway_client.troubles import Troubles

__all__ = ["Feeds"]

_clock: Final = time.monotonic


class Feeds:
    """The links of one consumer."""

    def __init__(
        self,
        cluster: Cluster,
        store: Store[Message],
        troubles: Troubles,
        lock: RLock,
        *,
        learn: Learn | None = None,
    ) -> None:
        """Make them; the first turn dials.

        Args:
            cluster: What is known of the cluster; nobody else uses it.
            store: Where messages go.
            troubles: Is told what keeps them from coming.
            lock: Guards the store, and what the accounts of the links hold.
            learn: Is told which gateways are known.
        """
        self._cluster = cluster
        self._store = store
        self._troubles = troubles
        self._lock = lock
        self._learn = learn
        self._party = Party(Role.CLIENT, new_instance())
        self._registers = Registers(cluster, self._party)
        self._feeds: dict[Node, Feed] = {}
        self._followed: tuple[Node, ...] = ()
        self._waker = Waker()
        self._is_waiting = False

    def __repr__(self) -> str:
        return f"<Feeds {list(self._feeds.values())!r}>"

    def turn(self, until: float) -> None:
        """Dial who is due, write what is to be said, and take in what comes.

        Args:
            until: When to wait no longer.

        Raises:
            AuthenticationFailed: If nobody takes the secret key.
        """
        poller = select.poll()  # looked up now: gevent may have put its own there
        with self._lock:
            now = _clock()
            self._follow()
            for feed in self._feeds.values():
                feed.tend(now)
            self._store.flush()
            ready = self._registers.attend(poller, now)
            due = min(until, self._poll_with(poller, ready, self._feeds.values()))
            self._is_waiting = True
        self._wait(poller, ready, min(due, self._registers.due))
        with self._lock:
            self._registers.expire(_clock())
            self._tell()

    def note_unsent(self) -> None:
        """Take note, under the lock, that an account has something to say: the thread that waits writes it."""
        if self._is_waiting:
            self._waker.wake()

    def wake(self) -> None:
        """End a wait, or the next one; also from a signal handler."""
        self._waker.wake()

    def stop(self, until: float) -> None:
        """Have no more sent, give back what nobody has looked at, and write all that is to be said.

        Args:
            until: When to wait no longer for gateways that do not answer.
        """
        with self._lock:
            for feed in self._feeds.values():
                if feed.intake is not None:
                    feed.intake.stop()
        while True:
            poller, ready = select.poll(), dict[int, Callable[[float], None]]()
            with self._lock:
                self._store.flush()
                busy = [feed for feed in self._feeds.values() if not feed.has_stopped]
                self._poll_with(poller, ready, busy)
            if not busy or _clock() >= until:
                return
            self._wait(poller, ready, until)

    def close(self) -> None:
        """Close every link; what was not acknowledged comes again, here or elsewhere."""
        self._registers.close()
        for feed in self._feeds.values():
            feed.close()
        self._waker.close()

    # Private methods

    def _follow(self) -> None:
        """Do as the registers say: have a feed from each gateway, and from no other."""
        directory = self._cluster.directory
        if directory.dropped:
            directory.forget([node for node in directory.dropped if not self._is_linked(node)])
        if directory.nodes is self._followed:
            return
        self._followed = directory.nodes
        if self._learn is not None:
            self._learn(directory.nodes)
        self._store.flush()
        for node in self._feeds.keys() - set(directory.nodes):
            self._feeds.pop(node).close()
            self._troubles.forget(str(node.address))
        key = self._cluster.config.secret_key
        for node in directory.nodes:
            if node not in self._feeds:
                self._feeds[node] = Feed(node, self._store, self._troubles, self._party, key)
        self._tell()  # that the last one is gone, before a wait for nobody

    def _tell(self) -> None:
        """Tell what has gone wrong; raises if there is no use in waiting."""
        registers, directory = self._registers.failures, self._cluster.directory
        self._troubles.registers(registers.items())
        if directory.is_answered:
            self._troubles.gateways_known(len(directory.nodes), registers)
        gateways = [str(node.address) for node in self._feeds]
        hopeless = self._troubles.hopeless(gateways, registers)
        if hopeless is not None:
            raise hopeless

    def _is_linked(self, node: Node) -> bool:
        feed = self._feeds.get(node)
        return feed is not None and feed.intake is not None

    def _poll_with(
        self,
        poller: select.poll,
        ready: dict[int, Callable[[float], None]],
        feeds: Collection[Feed],
    ) -> float:
        """Have feeds polled; return when something is to be done for one without that."""
        poller.register(self._waker.fd, select.POLLIN)
        ready[self._waker.fd] = self._waker.rest
        for feed in feeds:
            feed.poll_with(poller, ready)
        return min((feed.due for feed in feeds), default=inf)

    def _wait(
        self, poller: select.poll, ready: dict[int, Callable[[float], None]], until: float
    ) -> None:
        events = poller.poll(ceil(max(0.0, until - _clock()) * 1000))
        with self._lock:
            self._is_waiting = False
            now = _clock()
            for fd, _ in events:
                ready[fd](now)
