"""Commands that bind connections to uids and groups."""

import pytest

from gateway_wire.commands import (
    BindUid,
    Command,
    CommandError,
    JoinGroups,
    LeaveGroups,
    UnbindUid,
    Ungroup,
)
from tests.gateway.handlers.support import Gateway


def test_a_bind_replaces_the_one_before() -> None:
    """A connection has one uid, a uid many connections."""
    gateway = Gateway()
    ann, other = gateway.connect(), gateway.connect()
    for connection, uid in ((ann, "1"), (ann, "2"), (other, "2")):
        assert gateway.execute(BindUid(connection.client_id, uid)) is True

    assert list(gateway.hub.uids["2"]) == [ann, other]
    assert len(gateway.hub.uids) == 1


def test_only_the_uid_that_is_named_is_unbound() -> None:
    """An unbind that comes late does not undo a later bind; the client was there all the same."""
    gateway = Gateway()
    ann = gateway.connect(uid="new")

    assert gateway.execute(UnbindUid(ann.client_id, "old")) is True
    assert ann.uid == "new"
    assert gateway.execute(UnbindUid(ann.client_id, "new")) is True
    assert ann.uid is None


def test_groups_are_joined_and_left_several_at_once() -> None:
    """A group given twice counts once, one that is not joined is left without a word."""
    gateway = Gateway()
    ann = gateway.connect()

    assert gateway.execute(JoinGroups(ann.client_id, ["a", "b", "a"])) is True
    assert gateway.execute(LeaveGroups(ann.client_id, ["b", "c"])) is True
    assert {name: list(members) for name, members in gateway.hub.groups.items()} == {"a": [ann]}


def test_a_group_is_dissolved() -> None:
    """Its connections stay, and the count is of its members."""
    gateway = Gateway()
    connections = [gateway.connect(groups=["a", "b"]) for _ in range(3)]

    assert gateway.execute(Ungroup("a")) == 3
    assert gateway.execute(Ungroup("a")) == 0
    assert {name: list(members) for name, members in gateway.hub.groups.items()} == {
        "b": connections
    }


@pytest.mark.parametrize(
    "command",
    [
        BindUid("nobody", "u"),
        UnbindUid("nobody", "u"),
        JoinGroups("nobody", ["g"]),
        LeaveGroups("nobody", ["g"]),
    ],
)
def test_a_client_that_is_not_here_is_told_as_such(command: Command) -> None:
    """The flag says whether the client was there; nothing is kept for one that was not."""
    gateway = Gateway()

    assert gateway.execute(command) is False
    assert not gateway.hub.uids
    assert not gateway.hub.groups


def test_a_name_that_is_not_allowed_changes_nothing() -> None:
    """All groups of a command are checked before the first is joined."""
    gateway = Gateway()
    ann = gateway.connect()
    for command in (JoinGroups(ann.client_id, ["fine", ""]), BindUid(ann.client_id, "")):
        with pytest.raises(CommandError, match="must not be empty"):
            gateway.execute(command)

    assert not gateway.hub.groups
    assert not gateway.hub.uids
