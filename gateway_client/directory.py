"""The directory: which gateways there are, as the registers say.

Pure: no sockets, and time is an argument. Every register is watched and their answers are united. A
gateway that was announced stays known, whatever happens to the registers, until every register that
answers has dropped it and no link to it lives; a register that has just started (`settling`) has
dropped nobody yet. What a lost register said last no longer counts for forgetting.

An address holds one process: a node that is announced where another was replaces it, so that
nobody is told the same twice while the registers still list both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from gateway_wire.addresses import Address
from gateway_wire.commands import Nodes

__all__ = ["ABSENT_KEPT", "Directory", "Learn", "Node"]

ABSENT_KEPT: Final = 1.0
"""Seconds for which a node that the registers do not know is not looked up again."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One gateway process, as it announced itself.

    Attributes:
        node_id: Its name in the cluster.
        address: Where it listens for us.
        generation: Grows with each hand-over of the node to a new process.
        keys: The directory keys of its client ids, one for each written form.
    """

    node_id: str
    address: Address
    generation: int
    keys: tuple[str, ...]


Learn: TypeAlias = Callable[[Iterable[Node]], None]
"""Is told of gateways that somebody else has heard of."""


class Directory:
    """Who is known, and what each register said last.

    Attributes:
        nodes: Every known gateway.
        dropped: Known gateways that every answering register has dropped: to be forgotten as soon as
            no link to them lives.
    """

    def __init__(self) -> None:
        self.nodes: tuple[Node, ...] = ()
        self.dropped: tuple[Node, ...] = ()
        self._by_id: dict[str, Node] = {}
        self._by_key: dict[str, Node] = {}
        self._said: dict[str, tuple[bool, frozenset[str]]] = {}
        self._absent: dict[str, float] = {}
        # Nodes whose address another one announced since; out until no register lists them.
        self._replaced: set[str] = set()

    def __repr__(self) -> str:
        known = ", ".join(str(node.address) for node in self.nodes) or "no gateway"
        return f"<Directory {known}; {len(self._said)} registers answer>"

    @property
    def is_answered(self) -> bool:
        """Whether any register answers now."""
        return bool(self._said)

    @property
    def is_settling(self) -> bool:
        """Whether all registers that answer have just started, so that gateways may be missing."""
        return self.is_answered and all(settling for settling, _ in self._said.values())

    def find(self, key: str) -> Node | None:
        """Return the gateway with this directory key."""
        return self._by_key.get(key)

    def heard(self, register: str, answer: Nodes) -> None:
        """Take note of what a register said."""
        listed = [node for node in map(_read, answer.nodes) if node is not None]
        for node in listed:
            self._learn(node)
        self._said[register] = (answer.settling, frozenset(node.node_id for node in listed))
        self._update()

    def learn(self, nodes: Iterable[Node]) -> None:
        """Take over gateways that are known from elsewhere."""
        for node in nodes:
            self._learn(node)
        self._update()

    def lost(self, register: str) -> None:
        """Take note that a register does not answer any more."""
        if self._said.pop(register, None) is not None:
            self._update()

    def forget(self, nodes: Iterable[Node]) -> None:
        """Forget gateways: from now on their clients are offline."""
        for node in nodes:
            self._by_id.pop(node.node_id, None)
        self._update()

    # Nodes that nobody knows.

    def is_absent(self, key: str, now: float) -> bool:
        """Return whether the registers were asked for this key lately, in vain."""
        return self._absent.get(key, now) > now

    def note_absent(self, keys: Iterable[str], now: float) -> None:
        """Remember for a while that the registers do not know these keys."""
        self._absent = {key: until for key, until in self._absent.items() if until > now}
        for key in keys:
            if key not in self._by_key:
                self._absent[key] = now + ABSENT_KEPT

    # Private methods

    def _learn(self, node: Node) -> None:
        if node.node_id in self._replaced:
            return
        known = self._by_id.get(node.node_id)
        if known is not None:
            if known.generation > node.generation or _same(known, node):
                return
        else:
            for other in self.nodes:
                if other.address == node.address:
                    self._replaced.add(other.node_id)
                    self._by_id.pop(other.node_id, None)
        self._by_id[node.node_id] = node

    def _update(self) -> None:
        self.nodes = tuple(self._by_id.values())
        self._by_key = {key: node for node in self.nodes for key in node.keys}
        settled = bool(self._said) and not any(settling for settling, _ in self._said.values())
        listed = frozenset[str]().union(*(ids for _, ids in self._said.values()))
        self._replaced &= listed
        self.dropped = (
            tuple(node for node in self.nodes if node.node_id not in listed) if settled else ()
        )


def _same(one: Node, other: Node) -> bool:
    return (one.address, one.generation, one.keys) == (other.address, other.generation, other.keys)


def _read(fields: Any) -> Node | None:
    """Read one entry of a register's answer; one that cannot be read is left out."""
    try:
        node_id, host, port = fields["node_id"], fields["host"], fields["port"]
        generation, keys = fields["generation"], fields["keys"]
    except (TypeError, KeyError):
        return None
    texts = (node_id, host, *keys) if isinstance(keys, list) else (None,)
    numbers = (port, generation)
    if any(type(each) is not str for each in texts) or any(type(n) is not int for n in numbers):
        return None
    return Node(node_id, Address(host, port), generation, tuple(keys))
