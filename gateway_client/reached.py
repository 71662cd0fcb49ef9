"""What a send returns: a number that also says which gateways it does not count.

`Reached` is an `int` wherever one is expected (comparing, adding, JSON, pickle); the two tuples
are beside it for those who want to know. A complete answer costs no more than an `int` with a
class of its own: the empty tuples are the class's.
"""

from __future__ import annotations

from typing import NamedTuple, Self

__all__ = ["GatewayFailure", "Published", "Reached"]


class GatewayFailure(NamedTuple):
    """A gateway that gave no answer.

    Attributes:
        address: Its internal address, `host:port`.
        node_id: Its node id.
        reason: A sentence.
    """

    address: str
    node_id: str
    reason: str

    def __str__(self) -> str:
        return f"gateway {self.address} {self.reason}"


class Reached(int):
    """How many connections a call reached: took the message into their outbox, or were closed.

    Attributes:
        not_sent: The gateways that certainly did not execute it.
        unknown: The gateways that were written to and did not answer.
    """

    not_sent: tuple[GatewayFailure, ...] = ()
    unknown: tuple[GatewayFailure, ...] = ()

    def __new__(
        cls,
        count: int = 0,
        not_sent: tuple[GatewayFailure, ...] = (),
        unknown: tuple[GatewayFailure, ...] = (),
    ) -> Self:
        """Make one; without failures it is complete."""
        self = super().__new__(cls, count)
        if not_sent:
            self.not_sent = not_sent
        if unknown:
            self.unknown = unknown
        return self

    __str__ = int.__repr__

    def __repr__(self) -> str:
        parts = [int.__repr__(self)]
        if self.not_sent:
            parts.append(f"not_sent={self.not_sent!r}")
        if self.unknown:
            parts.append(f"unknown={self.unknown!r}")
        return f"Reached({', '.join(parts)})"

    @property
    def is_complete(self) -> bool:
        """Whether every gateway answered."""
        return not self.not_sent and not self.unknown


class Published(Reached):
    """What `publish` returns: a `Reached` that also counts as CONNMIX does.

    `.fail` is not in connections: of those that a gateway holds which gave no answer, nobody knows the
    number. It is 0 exactly when every connection that is subscribed was reached.
    """

    def __repr__(self) -> str:
        return f"Published(success={self.success}, fail={self.fail}, total={self.total})"

    @property
    def success(self) -> int:
        """How many connections took the message into their outbox."""
        return int(self)

    @property
    def fail(self) -> int:
        """How many gateways gave no answer: `.not_sent` and `.unknown`."""
        return len(self.not_sent) + len(self.unknown)

    @property
    def total(self) -> int:
        """Both together."""
        return self.success + self.fail
