"""The core of a client: what it knows of the cluster, and whom a call asks.

Pure: time is an argument, and nothing here waits. A shell asks `unknown` whether the registers must
be asked again first, then `plan`, sends what the plan says, and tells `answered`, `refused` and
`timed_out` what it learns about the gateways on the way.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias, TypeVar

from gateway_client.calls.base import Call, EveryCall, OwnerCall, OwnersCall
from gateway_client.config import Config
from gateway_client.directory import Directory, Node
from gateway_client.errors import GatewayUnavailable
from gateway_client.health import Health
from gateway_client.tally import Miss, Tally
from gateway_wire.commands import Command, Role
from gateway_wire.errors import LinkError, MessageTooLarge
from gateway_wire.frames import encode_frame
from gateway_wire.hello import Party

__all__ = ["Asks", "Cluster", "Plan", "encode_asks", "who_is_no_register"]

R = TypeVar("R")

_TOO_LARGE: Final = "send less, or raise max_message of the client and of the gateways"


Asks: TypeAlias = list[tuple[Node, Command]]
"""The gateways to ask, each with its command: one and the same object if they are asked the same."""

Plan: TypeAlias = tuple[Tally[R], Asks]
"""Whom a call asks, and its account, in which gateways that are left alone stand already."""


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
        if self.health.is_quiet:
            return tally, asks
        return tally, self._well(asks, tally, now)

    def _asks(self, call: Call[R], tally: Tally[R]) -> Asks:
        if isinstance(call, OwnerCall):
            node = self.directory.find(call.node_key)
            return [] if node is None else [(node, call.command)]
        if isinstance(call, EveryCall):
            return self._ask_every(call, tally)
        if isinstance(call, OwnersCall):
            return self._ask_owners(call, tally)
        return []

    def _ask_every(self, call: EveryCall[R], tally: Tally[R]) -> Asks:
        tally.asked = nodes = self.directory.nodes
        if not nodes:
            raise GatewayUnavailable((), self.registers)
        command = call.command
        if len(nodes) > 1:
            return [(node, command) for node in nodes]
        if call.alone is not None:
            command, tally.combine = call.alone
        return [(nodes[0], command)]

    def _ask_owners(self, call: OwnersCall[R], tally: Tally[R]) -> Asks:
        ids: dict[Node, list[str]] = {}
        for client_id, key in call.owners.items():
            node = self.directory.find(key)
            if node is not None:
                ids.setdefault(node, []).append(client_id)
        tally.asked = tuple(ids)
        return [(node, call.make(its)) for node, its in ids.items()]

    def _well(self, asks: Asks, tally: Tally[R], now: float) -> Asks:
        well = []
        for ask in asks:
            why_not = self.health.why_not_ask(ask[0].node_id, now)
            if why_not is None:
                well.append(ask)
            else:
                tally.skipped(Miss(ask[0], why_not, sent=False))
        return well


def encode_asks(asks: Asks, request_id: int) -> list[bytes]:
    """Return the frame for each gateway that is asked; who is asked the same gets the same.

    All are encoded before any is sent: one that is too large must not leave half a call.

    Raises:
        MessageTooLarge: If one does not fit a frame.
    """
    frames: list[bytes] = []
    last: Command | None = None
    for _, command in asks:
        frames.append(frames[-1] if command is last else encode_frame(command, request_id))
        last = command
    return frames


def who_is_no_register(peer: Party | None) -> LinkError | None:
    """Say who answered in a register's place, if it was somebody else.

    It would not answer what registers are asked, and the caller would wait for nothing.
    """
    if peer is None or peer.role is Role.REGISTER:
        return None
    return LinkError(f"it is a {peer.role.value}, not a register")
