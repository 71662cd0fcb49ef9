"""SELECT: who is found, in which order, and what is told of them."""

import json
from typing import Any

import pytest

from gateway.connection import Connection
from gateway.php.arguments import connection_id_of
from gateway.php.frames import Command, Frame
from gateway_wire.errors import RemoteProtocolError
from tests.gateway.php.support import PhpGateway
from tests.gateway.support import pipe_of


def select(gateway: PhpGateway, fields: list[str], where: Any = ()) -> Any:
    """Ask as GatewayClient does; where there is no condition it sends an empty list."""
    question = {"fields": fields, "where": where or []}
    return gateway.value(Command.SELECT, json.dumps(question))


def ids(*connections: Connection) -> list[int]:
    """Give the connection ids."""
    return [connection_id_of(each.client_id) for each in connections]


def test_all_are_selected_where_nothing_is_asked_for() -> None:
    """Each by its connection id, with the fields in the order asked for, and null for what it has not."""
    gateway = PhpGateway()
    gateway.connect(uid="ann", groups=["g", "77"])
    gateway.connect(uid="1001")
    gateway.connect()

    assert select(gateway, ["uid", "groups"]) == {
        2: {"uid": "ann", "groups": {77: "77", "g": "g"}},
        3: {"uid": "1001", "groups": None},
        4: {"uid": None, "groups": None},
    }
    assert list(select(gateway, ["groups", "uid"])[2]) == ["groups", "uid"]


def test_conditions_are_joined_by_or() -> None:
    """Whoever meets any is found, once; what nobody has, and a condition that is none, find nobody."""
    gateway = PhpGateway()
    ann, bob, eve = (gateway.connect(uid=uid, groups=["g"]) for uid in ("ann", "7", "eve"))
    gateway.connect(groups=["h"])
    where = {"uid": ["ann", 7, "nobody"], "connection_id": {"4": 4, "99": 99}, "colour": ["red"]}

    assert list(select(gateway, ["uid"], where)) == ids(ann, bob, eve)
    assert list(select(gateway, ["uid"], {"groups": ["g", "h", "g"]})) == [2, 3, 4, 5]
    assert list(select(gateway, ["uid"], {"connection_id": [3, 2]})) == [3, 2]
    assert select(gateway, ["uid"], {"groups": []}) == {}
    assert select(gateway, ["uid"], {"groups": ["nobody's"]}) == {}


def test_those_with_uid_and_groups_come_first() -> None:
    """The client's lists stop at the first without; so whoever belongs in a list is before it."""
    gateway = PhpGateway()
    nothing = gateway.connect()
    uid_alone = gateway.connect(uid="a")
    group_alone = gateway.connect(groups=["g"])
    left = gateway.connect(uid="b", groups=["g"])
    gateway.hub.leave(left, "g")
    both = gateway.connect(uid="c", groups=["g"])
    late = gateway.connect(uid="d", groups=["h"])

    for where in ((), {"connection_id": [2, 3, 4, 5, 6, 7]}):
        assert list(select(gateway, ["uid", "groups"], where)) == ids(
            both, late, group_alone, uid_alone, left, nothing
        )


def test_without_groups_they_come_as_they_connected() -> None:
    """Nobody stops at a client then, and the order is the original's."""
    gateway = PhpGateway()
    connections = [gateway.connect(), gateway.connect(uid="a", groups=["g"]), gateway.connect()]

    assert list(select(gateway, ["uid"])) == ids(*connections)


def test_an_empty_uid_is_none() -> None:
    """`0` is a uid to our own clients; PHP's stop at it as at null."""
    gateway = PhpGateway()
    zero = gateway.connect(uid="0", groups=["g"])
    ann = gateway.connect(uid="ann", groups=["g"])

    assert list(select(gateway, ["uid", "groups"])) == ids(ann, zero)
    assert select(gateway, ["uid"], {"uid": ["0", 0]}) == {}


def test_a_connection_that_left_its_groups_has_an_empty_array() -> None:
    """One that never was in a group has null, as in the original."""
    gateway = PhpGateway()
    connection = gateway.connect(groups=["g"])
    gateway.hub.leave(connection, "g")

    assert select(gateway, ["groups"]) == {2: {"groups": {}}}


def test_sessions_are_serialized_strings() -> None:
    """A field that is none of the three is null."""
    gateway = PhpGateway()
    gateway.hub.store_session(gateway.connect(), {"n": 1})
    gateway.connect()

    assert select(gateway, ["session", "colour", "推"]) == {
        2: {"session": 'a:1:{s:1:"n";i:1;}', "colour": None, "推": None},
        3: {"session": "", "colour": None, "推": None},
    }


def test_without_fields_there_are_clients_only_where_some_are_asked_for() -> None:
    """So it is in the original."""
    gateway = PhpGateway()
    gateway.connect(groups=["g"])

    assert select(gateway, []) == {}
    assert select(gateway, [], {"groups": ["g"]}) == {2: {}}


@pytest.mark.parametrize("ext", ["", "null", "[]", "{}"])
def test_no_question_has_an_empty_answer(ext: str) -> None:
    """As in the original."""
    gateway = PhpGateway()
    gateway.connect()

    assert gateway.value(Command.SELECT, ext) == {}


@pytest.mark.parametrize(
    "ext",
    [
        "[1]",
        '"uid"',
        '{"where":[]}',
        '{"fields":"uid"}',
        '{"fields":[[]]}',
        '{"fields":["uid"],"where":"all"}',
        '{"fields":["uid"],"where":["g"]}',
        '{"fields":["uid"],"where":{"groups":"g"}}',
        '{"fields":["uid"],"where":{"groups":[["g"]]}}',
        '{"fields":["uid"],"where":{"connection_id":2}}',
    ],
)
def test_another_question_is_refused(ext: str) -> None:
    """By what is wrong with it."""
    with pytest.raises(RemoteProtocolError, match=r"^SELECT: "):
        PhpGateway().ask(Frame(Command.SELECT, ext=ext.encode()))


def test_who_leaves_while_the_answer_is_written_is_not_in_it() -> None:
    """The answer is what was asked for, without those that have gone, and whole."""
    gateway = PhpGateway()
    count = 2_000
    all_of_them = [
        gateway.connect(uid="u", groups=["g"] if odd % 2 else []) for odd in range(count)
    ]
    ext = b'{"fields":["uid","groups"],"where":[]}'
    answer = gateway.requests.execute(Frame(Command.SELECT, ext=ext))
    assert answer is not None
    assert not isinstance(answer, bytes)
    assert next(answer) == b""
    for connection in (all_of_them[0], all_of_them[-1]):
        gateway.clients.destroy(connection)
        assert pipe_of(connection).aborted
    whole = b"".join(answer)

    assert whole[4:].startswith(b"a:%d:{" % (count - 2))
    assert int.from_bytes(whole[:4], "big") == len(whole) - 4
