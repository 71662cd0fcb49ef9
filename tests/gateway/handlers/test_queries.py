"""Commands that ask who is here."""

from collections.abc import Iterable

from gateway.handlers.queries import QueryHandlers
from gateway_wire.commands import (
    ClientIdsByGroups,
    ClientIdsByUids,
    Command,
    CountClients,
    CountClientsByGroups,
    CountUids,
    CountUidsByGroups,
    GetUid,
    IsOnline,
    ListAllClientIdsByGroup,
    ListAllUidsByGroup,
    ListClientIds,
    ListGroups,
    ListUids,
    OnlineUids,
    UidsByGroups,
)
from gateway_wire.limits import PART_ITEMS
from tests.gateway.handlers.support import Gateway


class Crowd(Gateway):
    """Ann with two connections, Bob with one, and a stranger."""

    def __init__(self) -> None:
        super().__init__()
        self.phone = self.connect(uid="ann", groups=["a", "b"]).client_id
        self.laptop = self.connect(uid="ann", groups=["a"]).client_id
        self.bob = self.connect(uid="bob", groups=["b"]).client_id
        self.stranger = self.connect(groups=["b", "strangers"]).client_id

    def ask(self, command: Command) -> object:
        """Give an answer with its lists in order."""
        answer = self.execute(command)
        if isinstance(answer, list):
            return sorted(answer)
        if isinstance(answer, dict):
            return {key: _in_order(value) for key, value in answer.items()}
        return answer


def _in_order(value: object) -> object:
    return sorted(value) if isinstance(value, list) else value


def ids(*client_ids: str) -> list[str]:
    """Give client ids in order."""
    return sorted(client_ids)


def test_single_connections() -> None:
    """Whether a connection is open, and whose it is."""
    crowd = Crowd()

    assert crowd.ask(IsOnline(crowd.bob)) is True
    assert crowd.ask(IsOnline("nobody")) is False
    assert crowd.ask(GetUid(crowd.bob)) == "bob"
    assert crowd.ask(GetUid(crowd.stranger)) is None
    assert crowd.ask(GetUid("nobody")) is None


def test_all_connections() -> None:
    """All ids and their number."""
    crowd = Crowd()

    assert crowd.ask(CountClients()) == 4
    assert crowd.ask(ListClientIds()) == ids(crowd.phone, crowd.laptop, crowd.bob, crowd.stranger)


def test_uids() -> None:
    """A uid counts once, however many connections it has; those that are offline are left out."""
    crowd = Crowd()

    assert crowd.ask(CountUids()) == 2
    assert crowd.ask(ListUids()) == ["ann", "bob"]
    assert crowd.ask(OnlineUids(["ann", "nobody", "ann"])) == ["ann", "ann"]
    assert crowd.ask(ClientIdsByUids(["ann", "nobody", "ann"])) == {
        "ann": ids(crowd.phone, crowd.laptop)
    }


def test_some_groups() -> None:
    """Whoever is in several of the groups that are named is counted once."""
    crowd = Crowd()
    groups = ["a", "b", "a", "nobody"]

    assert crowd.ask(ClientIdsByGroups(groups)) == ids(
        crowd.phone, crowd.laptop, crowd.bob, crowd.stranger
    )
    assert crowd.ask(UidsByGroups(groups)) == ["ann", "bob"]
    assert crowd.ask(CountClientsByGroups(groups)) == {"a": 2, "b": 3}
    assert crowd.ask(CountUidsByGroups(groups)) == {"a": 1, "b": 2}


def test_all_groups() -> None:
    """Every group that has a member; in the lists of uids, every group that has a uid."""
    crowd = Crowd()

    assert crowd.ask(ListGroups()) == ["a", "b", "strangers"]
    assert crowd.ask(CountClientsByGroups(None)) == {"a": 2, "b": 3, "strangers": 1}
    assert crowd.ask(CountUidsByGroups(None)) == {"a": 1, "b": 2, "strangers": 0}
    assert crowd.ask(ListAllUidsByGroup()) == {"a": ["ann"], "b": ["ann", "bob"]}
    assert crowd.ask(ListAllClientIdsByGroup()) == {
        "a": ids(crowd.phone, crowd.laptop),
        "b": ids(crowd.phone, crowd.bob, crowd.stranger),
        "strangers": [crowd.stranger],
    }


def test_an_empty_gateway_has_an_answer_to_everything() -> None:
    """Nobody is an answer, not an error."""
    gateway = Gateway()
    questions: Iterable[Command] = (
        ListClientIds(),
        ListUids(),
        ListGroups(),
        ClientIdsByGroups(["a"]),
        UidsByGroups([]),
        ClientIdsByUids(["a"]),
        CountClientsByGroups(None),
        CountUidsByGroups(["a"]),
        ListAllUidsByGroup(),
        ListAllClientIdsByGroup(),
    )

    assert [len(gateway.execute(each)) for each in questions] == [0] * 10


def test_connections_may_come_and_go_between_two_parts() -> None:
    """A long answer walks what was there when it began, as it is when its turn comes."""
    gateway = Gateway()
    for number in range(PART_ITEMS + 10):
        gateway.connect(uid=f"u{number}", groups=[f"g{number}"])
    handlers = QueryHandlers(gateway.hub)
    answers = [
        handlers.list_client_ids(ListClientIds()),
        handlers.list_all_client_ids_by_group(ListAllClientIdsByGroup()),
        handlers.count_clients_by_groups(CountClientsByGroups(None)),
        handlers.count_uids_by_groups(CountUidsByGroups(None)),
    ]
    first = [len(next(answer)) for answer in answers]
    for connection in tuple(gateway.hub.connections.values()):
        gateway.hub.remove(connection)
    gateway.connect(groups=["new"])
    rest = [sum(map(len, answer)) for answer in answers]

    assert min(first) >= PART_ITEMS // 2
    assert rest == [PART_ITEMS + 10 - first[0], 0, 0, 0]


def test_counting_uids_is_cut_by_the_members_it_looks_at() -> None:
    """Few groups of many members are as much work as many groups of few, named or not."""
    gateway = Gateway()
    groups = [f"g{number}" for number in range(50)]
    for _ in range(PART_ITEMS // 10):
        gateway.connect(groups=groups)

    counts = gateway.parts(CountUidsByGroups(None))
    lists = gateway.parts(ListAllUidsByGroup())

    assert len(counts) >= 5
    assert sum(map(len, counts)) == 50
    assert len(lists) >= 5
    assert not any(lists)
