"""The core of a client: what it knows of the cluster, and whom a call asks.

Pure: time is an argument, and nothing here waits. A shell asks `unknown` whether the registers must
be asked again first, then `plan`, sends what the plan says, and tells `answered`, `refused` and
`timed_out` what it learns about the gateways on the way.
"""

from __future__ import annotations

from typing import Any, Final, Generic, NamedTuple, TypeVar

from gateway_client.calls.base import Call, EveryCall, OwnerCall, OwnersCall
from gateway_client.config import Config
from gateway_client.directory import Directory, Node
from gateway_client.errors import GatewayUnavailable
from gateway_client.health import Health
from gateway_client.tally import Miss, Tally
from gateway_wire.commands import Command, Role
from gateway_wire.errors import LinkError, MessageTooLarge
from gateway_wire.hello import Party

__all__ = ["Cluster", "Plan", "who_is_no_register"]

R = TypeVar("R")

_TOO_LARGE: Final = "send less, or raise max_message of the client and of the gateways"


class Plan(NamedTuple, Generic[R]):
    """Whom a call asks.

    Attributes:
        tally: Its account; gateways that are left alone stand in it already.
        asks: The gateways to ask, each with its command. The same command object for all of them if
            they are asked the same.
    """

    tally: Tally[R]
    asks: list[tuple[Node, Command]]


class Cluster:
    """What one client knows of the cluster.

    Attributes:
        config: The client's settings.
        registers: The registers' addresses as text, for messages.
        directory: Which gateways there are.
        health: Which of them are left alone.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.registers = tuple(map(str, config.registers))
        self.directory = Directory()
        self.health = Health()

    def __repr__(self) -> str:
        return f"<Cluster at {', '.join(self.registers)}: {self.directory!r}>"

    def renewed(self) -> Cluster:
        """Return what a child process takes over: the gateways, but no register's answer."""
        child = Cluster(self.config)
        child.directory.learn(self.directory.nodes)
        return child

    def unknown(self, call: Call[Any], now: float) -> list[str]:
        """Return the directory keys that a call needs and that must be looked up first.

        Raises:
            MessageTooLarge: If the call's message is above `max_message`; it is asked first because
                it needs no gateway.
        """
        limit = self.config.max_message
        if call.size > limit:
            raise MessageTooLarge("message", call.size, limit, _TOO_LARGE)
        if isinstance(call, OwnerCall):
            # By far the most frequent question, so it makes no set.
            return [] if self._is_settled(call.node_key, now) else [call.node_key]
        if isinstance(call, OwnersCall):
            return [k for k in set(call.owners.values()) if not self._is_settled(k, now)]
        return []

    def _is_settled(self, key: str, now: float) -> bool:
        """Return whether a key needs no look-up: its node is known, or known to be absent."""
        directory = self.directory
        return directory.find(key) is not None or directory.is_absent(key, now)

    def plan(self, call: Call[R], now: float) -> Plan[R]:
        """Decide whom a call asks.

        Raises:
            GatewayUnavailable: If all gateways are to be asked and none is announced.
        """
        tally: Tally[R] = Tally(call, self.registers)
        asks = self._asks(call, tally)
        if not self.health.is_quiet:
            asks = self._well(asks, tally, now)
        if not isinstance(call, OwnerCall):  # with one gateway there is no half of an answer
            tally.asked(asks)
        return Plan(tally, asks)

    def _asks(self, call: Call[R], tally: Tally[R]) -> list[tuple[Node, Command]]:
        if isinstance(call, EveryCall):
            return self._ask_every(call, tally)
        if isinstance(call, OwnerCall):
            node = self.directory.find(call.node_key)
            return [] if node is None else [(node, call.command)]
        if isinstance(call, OwnersCall):
            return self._ask_owners(call)
        return []

    def _ask_every(self, call: EveryCall[R], tally: Tally[R]) -> list[tuple[Node, Command]]:
        nodes = self.directory.nodes
        if not nodes:
            raise GatewayUnavailable((), self.registers)
        if len(nodes) == 1 and call.alone is not None:
            tally.ask_alone()
            return [(nodes[0], call.alone[0])]
        command = call.command
        return [(node, command) for node in nodes]

    def _ask_owners(self, call: OwnersCall[R]) -> list[tuple[Node, Command]]:
        ids: dict[Node, list[str]] = {}
        for client_id, key in call.owners.items():
            node = self.directory.find(key)
            if node is not None:
                ids.setdefault(node, []).append(client_id)
        return [(node, call.make(its)) for node, its in ids.items()]

    def _well(
        self, asks: list[tuple[Node, Command]], tally: Tally[R], now: float
    ) -> list[tuple[Node, Command]]:
        well = []
        for ask in asks:
            why_not = self.health.why_not_ask(ask[0].node_id, now)
            if why_not is None:
                well.append(ask)
            else:
                tally.skipped(Miss(ask[0], why_not, sent=False))
        return well


def who_is_no_register(peer: Party | None) -> LinkError | None:
    """Say who answered in a register's place, if it was somebody else.

    It would not answer what registers are asked, and the caller would wait for nothing.
    """
    if peer is None or peer.role is Role.REGISTER:
        return None
    return LinkError(f"it is a {peer.role.value}, not a register")
