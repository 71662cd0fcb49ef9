"""The indexes, against a model that searches instead."""

from collections import defaultdict

import hypothesis.strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
)

from gateway.connection import Connection
from gateway.hub import Hub
from tests.gateway.support import bare

NAMES = st.sampled_from(["a", "b", "c"])
SOME = st.lists(NAMES, max_size=3)


class HubMachine(RuleBasedStateMachine):
    """Does the same to a hub and to rows that a model searches from end to end."""

    connections: Bundle[Connection] = Bundle("connections")

    def __init__(self) -> None:
        super().__init__()
        self.hub = Hub()
        self.uids: dict[Connection, str | None] = {}
        self.groups: dict[Connection, set[str]] = {}
        self.number = 0

    @rule(target=connections)
    def connect(self) -> Connection:
        """A client connects."""
        self.number += 1
        connection = bare(f"client{self.number}")
        self.hub.add(connection)
        self.uids[connection], self.groups[connection] = None, set()
        return connection

    @rule(connection=consumes(connections))
    def leave_the_hub(self, connection: Connection) -> None:
        """A client goes, once."""
        assert self.hub.remove(connection)
        assert not self.hub.remove(connection)
        del self.uids[connection], self.groups[connection]

    @rule(connection=connections, uid=NAMES)
    def bind(self, connection: Connection, uid: str) -> None:
        """A bind replaces the one before."""
        self.hub.bind(connection, uid)
        self.uids[connection] = uid

    @rule(connection=connections, uid=NAMES)
    def unbind(self, connection: Connection, uid: str) -> None:
        """Only the uid that is named is unbound."""
        self.hub.unbind(connection, uid)
        if self.uids[connection] == uid:
            self.uids[connection] = None

    @rule(connection=connections, group=NAMES)
    def join(self, connection: Connection, group: str) -> None:
        """Joining twice is joining once."""
        self.hub.join(connection, group)
        self.groups[connection].add(group)

    @rule(connection=connections, group=NAMES)
    def leave(self, connection: Connection, group: str) -> None:
        """Leaving what one is not in does nothing."""
        self.hub.leave(connection, group)
        self.groups[connection].discard(group)

    @rule(group=NAMES)
    def dissolve(self, group: str) -> None:
        """All memberships of one group end."""
        members = {each for each, groups in self.groups.items() if group in groups}
        assert self.hub.dissolve(group) == len(members)
        for member in members:
            self.groups[member].discard(group)

    @rule(names=SOME)
    def ask(self, names: list[str]) -> None:
        """Whoever matches several names is found once."""
        by_uid = {each for each, uid in self.uids.items() if uid in names}
        by_group = {each for each, groups in self.groups.items() if groups & set(names)}

        assert set(self.hub.of_uids(names)) == by_uid
        assert set(self.hub.of_groups(names)) == by_group

    @invariant()
    def indexes_agree(self) -> None:
        """The indexes list what a search finds, and no name that nobody has."""
        uids: dict[str, set[Connection]] = defaultdict(set)
        groups: dict[str, set[Connection]] = defaultdict(set)
        for connection, uid in self.uids.items():
            if uid is not None:
                uids[uid].add(connection)
            for group in self.groups[connection]:
                groups[group].add(connection)

        assert self.hub.connections == {each.client_id: each for each in self.uids}
        assert {uid: set(found) for uid, found in self.hub.uids.items()} == uids
        assert {group: set(found) for group, found in self.hub.groups.items()} == groups
        assert all(each.uid == uid for each, uid in self.uids.items())
        assert all(each.groups == names for each, names in self.groups.items())


TestHub = HubMachine.TestCase


def test_clients_are_found_by_id() -> None:
    """Unknown ids are skipped, and an id given twice finds one connection."""
    hub = Hub()
    ann, bob = bare("ann"), bare("bob")
    hub.add(ann)
    hub.add(bob)

    assert list(hub.of_clients(["ann", "nobody", "ann"])) == [ann]
    assert not hub.of_clients([])


def test_a_single_name_costs_no_copy() -> None:
    """The members of one group are the index itself."""
    hub = Hub()
    ann = bare("ann")
    hub.add(ann)
    hub.join(ann, "a")

    assert hub.of_groups(["a"]) is hub.groups["a"]
    assert not hub.of_groups(["b"])


def test_members_are_walked_in_the_order_in_which_they_came() -> None:
    """Memory was given to them in about this order, and walking it so is cheaper."""
    hub = Hub()
    crowd = [bare(f"client{number}") for number in range(100)]
    for each in crowd:
        hub.add(each)
        hub.join(each, "a")
        hub.bind(each, "ann")
    hub.leave(crowd[0], "a")
    hub.join(crowd[0], "a")

    assert list(hub.of_groups(["a"])) == [*crowd[1:], crowd[0]]
    assert list(hub.of_groups(["b", "a"])) == [*crowd[1:], crowd[0]]
    assert list(hub.of_uids(["ann"])) == crowd


def test_a_connection_that_left_keeps_what_it_had() -> None:
    """Whoever asks afterwards, such as the event of its end, still sees uid and groups."""
    hub = Hub()
    ann = bare("ann")
    hub.add(ann)
    hub.bind(ann, "u")
    hub.join(ann, "a")
    hub.remove(ann)

    assert (ann.uid, ann.groups) == ("u", {"a"})


def test_a_hub_counts_itself() -> None:
    """Its name in logs tells how full it is."""
    hub = Hub()
    ann = bare("ann")
    hub.add(ann)
    hub.bind(ann, "u")

    assert repr(hub) == "<Hub 1 connections, 1 uids, 0 groups>"


def test_whoever_waits_for_a_session_is_told_when_it_is_stored() -> None:
    """And nobody else is, nor of another connection."""
    hub, ann, bob = Hub(), bare("ann"), bare("bob")
    told: list[str] = []
    hub.watched[ann] = lambda: told.append(ann.session["user"])
    hub.store_session(bob, {"user": "bob"})
    hub.store_session(ann, {"user": "ann"})
    assert told == ["ann"]
    assert bob.session == {"user": "bob"}
