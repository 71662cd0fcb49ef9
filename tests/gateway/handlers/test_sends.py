"""Commands that push messages and end connections."""

import pytest

from gateway_wire import close_codes
from gateway_wire.commands import (
    CloseClient,
    CloseGroups,
    CloseUids,
    Command,
    CommandError,
    DestroyClient,
    SendToAll,
    SendToClients,
    SendToGroups,
    SendToUids,
)
from tests.gateway.handlers.support import Gateway
from tests.gateway.support import pipe_of


def test_everyone_receives_but_the_excluded() -> None:
    """Excluded ids that nobody has exclude nobody."""
    gateway = Gateway()
    ann, bob, eve = (gateway.connect() for _ in range(3))

    assert gateway.execute(SendToAll("one")) == 3
    assert gateway.execute(SendToAll("two", [eve.client_id, "nobody", eve.client_id])) == 2
    assert gateway.received(ann) == gateway.received(bob) == ["one", "two"]
    assert gateway.received(eve) == ["one"]


def test_the_clients_that_are_named_receive_once_each() -> None:
    """Unknown ids are skipped, repeated ones count once, an empty list reaches nobody."""
    gateway = Gateway()
    ann, bob = gateway.connect(), gateway.connect()

    assert gateway.execute(SendToClients([ann.client_id, "nobody", ann.client_id], "one")) == 1
    assert gateway.execute(SendToClients([], "two")) == 0
    assert gateway.received(ann) == ["one"]
    assert gateway.received(bob) == []


def test_all_connections_of_a_uid_receive() -> None:
    """Several uids reach each of their connections once."""
    gateway = Gateway()
    phone, laptop = gateway.connect(uid="ann"), gateway.connect(uid="ann")
    bob = gateway.connect(uid="bob")
    gateway.connect()

    assert gateway.execute(SendToUids(["ann"], "one")) == 2
    assert gateway.execute(SendToUids(["ann", "bob", "ann", "nobody"], "two")) == 3
    assert gateway.received(phone) == gateway.received(laptop) == ["one", "two"]
    assert gateway.received(bob) == ["two"]


def test_a_member_of_two_groups_receives_once() -> None:
    """Several groups are one audience, less the excluded."""
    gateway = Gateway()
    both, one, other = (gateway.connect(groups=groups) for groups in (["a", "b"], ["a"], ["b"]))

    assert gateway.execute(SendToGroups(["a", "b"], "one", [other.client_id])) == 2
    assert gateway.execute(SendToGroups(["nobody"], "two")) == 0
    assert gateway.received(both) == gateway.received(one) == ["one"]
    assert gateway.received(other) == []


def test_binary_stays_binary() -> None:
    """The edge decides how the two kinds look."""
    gateway = Gateway()
    ann = gateway.connect()
    gateway.execute(SendToAll(b"\x01\xff"))

    assert gateway.received(ann) == ["=01ff"]


@pytest.mark.parametrize(
    "command",
    [
        SendToAll("x" * 101),
        SendToClients(["c"], "x" * 101),
        SendToUids(["u"], "x" * 101),
        SendToGroups(["g"], "x" * 101),
        CloseClient("c", "x" * 101),
        CloseUids(["u"], "x" * 101),
        CloseGroups(["g"], "x" * 101),
    ],
)
def test_a_message_over_the_limit_reaches_nobody(command: Command) -> None:
    """Its sender is told; nobody is closed for it."""
    gateway = Gateway(max_message=100)
    ann = gateway.connect(uid="u", groups=["g"])
    with pytest.raises(CommandError, match="max_message is 100"):
        gateway.execute(command)

    assert gateway.received(ann) == []
    assert gateway.hub.connections


def test_a_client_is_closed_with_a_last_message() -> None:
    """It is offline at once; asking again finds nobody."""
    gateway = Gateway()
    ann = gateway.connect(uid="ann")
    command = CloseClient(ann.client_id, "last", 4001, "enough")

    assert gateway.execute(command) is True
    assert gateway.execute(command) is False
    assert gateway.received(ann) == ["last", "!4001 enough"]
    assert not gateway.hub.uids


def test_a_uid_or_group_is_closed_as_a_whole() -> None:
    """Every connection once, although closing empties the index that is walked."""
    gateway = Gateway()
    anns = [gateway.connect(uid="ann", groups=["a", "b"]) for _ in range(3)]
    others = [gateway.connect(groups=["b"]) for _ in range(2)]

    assert gateway.execute(CloseUids(["ann", "ann"])) == 3
    assert gateway.execute(CloseGroups(["a", "b"], "last")) == 2
    assert [gateway.received(each) for each in anns] == [["!1000 "]] * 3
    assert [gateway.received(each) for each in others] == [["last", "!1000 "]] * 2
    assert not gateway.hub.connections
    assert not gateway.hub.groups


def test_a_code_that_is_not_the_application_s_closes_nobody() -> None:
    """The command is refused as a whole, last message included."""
    gateway = Gateway()
    ann = gateway.connect()
    with pytest.raises(CommandError, match="3000"):
        gateway.execute(CloseClient(ann.client_id, "last", 3000))

    assert gateway.received(ann) == []
    assert gateway.hub.connections


def test_destroying_cuts_at_once() -> None:
    """No farewell, and what waits is lost."""
    gateway = Gateway()
    ann = gateway.connect()

    assert gateway.execute(DestroyClient(ann.client_id)) is True
    assert gateway.execute(DestroyClient(ann.client_id)) is False
    assert pipe_of(ann).aborted == close_codes.CLOSED.reason()


def test_closing_many_that_do_not_read_ends() -> None:
    """Clients that are cut while others are closed are closed too."""
    gateway = Gateway(send_buffer=150, send_buffer_total=300)
    clients = [gateway.connect(capacity=0, groups=["g"]) for _ in range(5)]
    gateway.execute(SendToGroups(["g"], "x" * 100))
    gateway.outbox.flush()

    assert gateway.execute(CloseGroups(["g"], "y" * 100)) == 5
    assert not gateway.hub.connections
    assert all(pipe_of(each).aborted == close_codes.SLOW.reason() for each in clients)
