"""The table of the hello, row by row, and who may say what on an open link."""

from itertools import product
from typing import Final

import pytest

from gateway_wire.commands import (
    COMMANDS,
    Announce,
    Challenge,
    Command,
    Error,
    Goodbye,
    Hello,
    Nodes,
    Ping,
    Proof,
    Reply,
    Role,
    SendToAll,
    Watch,
    Welcome,
)
from gateway_wire.errors import LocalProtocolError, RemoteProtocolError
from gateway_wire.state import Side, State, StateMachine, may_travel

D, A = Side.DIALER, Side.ACCEPTOR
ROWS: Final[tuple[tuple[Side, State, str, type[Command], State], ...]] = (
    # side, state, our side or the peer sends, command, next state
    (D, State.START, "sent", Hello, State.GREETED),
    (D, State.GREETED, "received", Challenge, State.CHALLENGED),
    (D, State.GREETED, "received", Welcome, State.OPEN),
    (D, State.CHALLENGED, "sent", Proof, State.PROVEN),
    (D, State.PROVEN, "received", Welcome, State.OPEN),
    (A, State.START, "received", Hello, State.GREETED),
    (A, State.GREETED, "sent", Challenge, State.CHALLENGED),
    (A, State.GREETED, "sent", Welcome, State.OPEN),
    (A, State.CHALLENGED, "received", Proof, State.PROVEN),
    (A, State.PROVEN, "sent", Welcome, State.OPEN),
)
NEXT: Final = {row[:4]: row[4] for row in ROWS}
HELLO: Final = (Hello, Challenge, Proof, Welcome)


def machine(side: Side, state: State) -> StateMachine:
    """Give a machine in this state."""
    it = StateMachine(side)
    it.state = state
    return it


def step(it: StateMachine, direction: str, command: type[Command]) -> None:
    """Tell the machine of one command."""
    (it.sent if direction == "sent" else it.received)(command)


@pytest.mark.parametrize(
    ("side", "state", "direction", "command"),
    list(product(Side, State, ("sent", "received"), (*HELLO, Ping, SendToAll))),
)
def test_the_table_is_all_that_is_allowed(
    side: Side, state: State, direction: str, command: type[Command]
) -> None:
    """A row leads to its next state; whatever has no row is an error of the side that did it."""
    it = machine(side, state)
    following = NEXT.get((side, state, direction, command))
    if following is None:
        error = LocalProtocolError if direction == "sent" else RemoteProtocolError
        with pytest.raises(error, match=f"{command.wire_name} on a link that is {state.value}"):
            step(it, direction, command)
        assert it.state is state
    else:
        step(it, direction, command)
        assert it.state is following


@pytest.mark.parametrize("direction", ["sent", "received"])
@pytest.mark.parametrize("state", [each for each in State if each is not State.CLOSED])
def test_a_goodbye_closes_from_every_state(state: State, direction: str) -> None:
    """Either side may leave at any time, once."""
    it = machine(D, state)
    step(it, direction, Goodbye)

    assert it.state is State.CLOSED
    with pytest.raises((LocalProtocolError, RemoteProtocolError)):
        step(it, direction, Goodbye)


def test_a_lost_link_is_closed() -> None:
    """The end of the network needs no goodbye."""
    it = machine(A, State.OPEN)
    it.closed()

    assert it.state is State.CLOSED
    assert repr(it) == "<StateMachine acceptor closed>"


@pytest.mark.parametrize(
    ("command", "sender", "receiver", "allowed"),
    [
        (Announce, Role.GATEWAY, Role.REGISTER, True),
        (Announce, Role.CLIENT, Role.REGISTER, False),
        (Announce, Role.GATEWAY, Role.GATEWAY, False),
        (Watch, Role.CLIENT, Role.REGISTER, True),
        (Watch, Role.WORKER, Role.REGISTER, True),
        (Watch, Role.GATEWAY, Role.REGISTER, False),
        (Nodes, Role.REGISTER, Role.CLIENT, True),
        (Nodes, Role.CLIENT, Role.REGISTER, False),
        (SendToAll, Role.CLIENT, Role.GATEWAY, True),
        (SendToAll, Role.WORKER, Role.GATEWAY, True),
        (SendToAll, Role.CLIENT, Role.REGISTER, False),
        (SendToAll, Role.GATEWAY, Role.CLIENT, False),
        (Reply, Role.GATEWAY, Role.CLIENT, True),
        (Error, Role.REGISTER, Role.GATEWAY, True),
        (Reply, Role.CLIENT, Role.GATEWAY, False),
        (Ping, Role.CLIENT, Role.GATEWAY, True),
        (Hello, Role.CLIENT, Role.GATEWAY, False),
        (Welcome, Role.GATEWAY, Role.CLIENT, False),
    ],
)
def test_roles_decide_on_an_open_link(
    command: type[Command], sender: Role, receiver: Role, allowed: bool
) -> None:
    """The catalogue says who may say what to whom; the hello is over."""
    assert may_travel(command, sender, receiver) is allowed


def test_no_command_is_for_nobody() -> None:
    """Each command but the hello's may travel between some two roles."""
    pairs = list(product(Role, Role))
    for command in set(COMMANDS.values()) - set(HELLO):
        assert any(may_travel(command, *pair) for pair in pairs), command.wire_name
