"""The state machine of a link, as a table.

Rule: whatever decides which command may come when stands in this file, as data where it can. A
link has two sides, the *dialler* and the *acceptor*; both walk the same kind of table, whose events
are "sent this command" and "received this command". What is not in the table is a protocol error:
a :class:`~gateway_wire.errors.LocalProtocolError` where our side would send it, a
:class:`~gateway_wire.errors.RemoteProtocolError` where the peer did.

Once a link is open, the catalogue decides: a command may travel if the sender's role is among its
``senders`` and the receiver's among its ``receivers``.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from gateway_wire.commands import Challenge, Command, Goodbye, Hello, Proof, Welcome
from gateway_wire.errors import LocalProtocolError, RemoteProtocolError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway_wire.commands import Role


__all__ = ["HELLO_TRANSITIONS", "Side", "State", "StateMachine", "may_travel"]


class Side(Enum):
    """Which end of a link we are."""

    DIALER = "dialler"
    ACCEPTOR = "acceptor"


class State(Enum):
    """How far a link has come."""

    START = "start"
    GREETED = "greeted"
    CHALLENGED = "challenged"
    PROVEN = "proven"
    OPEN = "open"
    CLOSED = "closed"


Event = tuple[str, type[Command]]
SENT: Final = "sent"
RECEIVED: Final = "received"

HELLO_TRANSITIONS: Final[Mapping[Side, Mapping[State, Mapping[Event, State]]]] = {
    Side.DIALER: {
        State.START: {(SENT, Hello): State.GREETED},
        State.GREETED: {
            (RECEIVED, Challenge): State.CHALLENGED,
            (RECEIVED, Welcome): State.OPEN,
        },
        State.CHALLENGED: {(SENT, Proof): State.PROVEN},
        State.PROVEN: {(RECEIVED, Welcome): State.OPEN},
    },
    Side.ACCEPTOR: {
        State.START: {(RECEIVED, Hello): State.GREETED},
        State.GREETED: {
            (SENT, Challenge): State.CHALLENGED,
            (SENT, Welcome): State.OPEN,
        },
        State.CHALLENGED: {(RECEIVED, Proof): State.PROVEN},
        State.PROVEN: {(SENT, Welcome): State.OPEN},
    },
}
"""Side -> state -> event -> next state. A goodbye, sent or received, closes from every state."""

_HELLO_COMMANDS: Final = frozenset({Hello, Challenge, Proof, Welcome})


def may_travel(command: type[Command], sender: Role, receiver: Role) -> bool:
    """Return whether this role may send this command to that role on an open link."""
    return (
        sender in command.senders
        and receiver in command.receivers
        and command not in _HELLO_COMMANDS
    )


class StateMachine:
    """Walks the table for one side of one link.

    Attributes:
        side: Which side we are.
        state: How far the link has come; changed only by the methods here.
    """

    __slots__ = ("side", "state")

    def __init__(self, side: Side) -> None:
        self.side = side
        self.state = State.START

    def __repr__(self) -> str:
        return f"<StateMachine {self.side.value} {self.state.value}>"

    def sent(self, command: type[Command]) -> None:
        """Take note that our side sends a hello command or a goodbye.

        Raises:
            LocalProtocolError: If that is not allowed in this state.
        """
        following = self._next(SENT, command)
        if following is None:
            msg = f"cannot send {command.wire_name} on a link that is {self.state.value}"
            raise LocalProtocolError(msg)
        self.state = following

    def received(self, command: type[Command]) -> None:
        """Take note that the peer sent a hello command or a goodbye.

        Raises:
            RemoteProtocolError: If that is not allowed in this state.
        """
        following = self._next(RECEIVED, command)
        if following is None:
            msg = f"the peer sent {command.wire_name} on a link that is {self.state.value}"
            raise RemoteProtocolError(msg)
        self.state = following

    def closed(self) -> None:
        """Take note that the link ended without a goodbye."""
        self.state = State.CLOSED

    def _next(self, direction: str, command: type[Command]) -> State | None:
        if self.state is State.CLOSED:
            return None
        if command is Goodbye:
            return State.CLOSED
        return HELLO_TRANSITIONS[self.side].get(self.state, {}).get((direction, command))
