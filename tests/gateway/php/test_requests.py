"""What frames of PHP's clients do, and how they are answered, where the recorded conversations do not show it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.connection import Connection
from gateway.php.arguments import connection_id_of
from gateway.php.frames import RAW, SCALAR, Command, Frame
from gateway.php.values import serialize, unserialize
from gateway_wire.commands import CommandError, GetSession, SetSession
from gateway_wire.errors import ErrorCode, RemoteProtocolError
from gateway_wire.limits import MAX_ID_LENGTH
from tests.gateway.php.strategies import VALUES
from tests.gateway.php.support import PHP_NODE, PhpGateway
from tests.gateway.support import Lines, pipe_of

QUESTIONS = [
    Command.GET_CLIENT_ID_BY_UID,
    Command.BATCH_GET_CLIENT_ID_BY_UID,
    Command.GET_CLIENT_SESSIONS_BY_GROUP,
    Command.GET_CLIENT_COUNT_BY_GROUP,
    Command.BATCH_GET_CLIENT_COUNT_BY_GROUP,
]


def refused(gateway: PhpGateway, frame: Frame) -> ErrorCode:
    """Send a frame that is refused."""
    with pytest.raises(CommandError) as caught:
        gateway.ask(frame)
    return caught.value.code


def broken(gateway: PhpGateway, frame: Frame) -> str:
    """Send a frame that breaks the protocol."""
    with pytest.raises(RemoteProtocolError) as caught:
        gateway.ask(frame)
    return caught.value.text


# Sending


def test_a_client_that_is_meant_twice_receives_once() -> None:
    """Two of its groups, a uid listed twice, and its connection id listed twice are one message each."""
    gateway = PhpGateway()
    ann = gateway.connect(uid="ann", groups=["g", "h"])
    gateway.tell(Command.SEND_TO_GROUP, '{"group":["g","h"],"exclude":null}', "groups")
    gateway.tell(Command.SEND_TO_UID, '["ann","ann"]', "uids")
    gateway.tell(Command.SEND_TO_ALL, '{"connections":[2,2]}', "ids")

    assert gateway.received(ann) == ["groups", "uids", "ids"]


def test_who_is_excluded_is_excluded_by_key() -> None:
    """PHP looks at the keys of what is excluded, and at the values of what is meant."""
    gateway = PhpGateway(first=0)
    first, second, third = (gateway.connect(groups=["g"]) for _ in range(3))
    gateway.tell(Command.SEND_TO_ALL, '{"exclude":[0,1]}', "as a list")
    gateway.tell(Command.SEND_TO_GROUP, '{"group":["g"],"exclude":{"1":9}}', "as an object")
    gateway.tell(Command.SEND_TO_ALL, '{"exclude":{"2":null}}', "null is none")
    gateway.tell(Command.SEND_TO_ALL, '{"connections":{"9":1}}', "by value")

    assert gateway.received(first) == ["as an object", "null is none"]
    assert gateway.received(second) == ["null is none", "by value"]
    assert gateway.received(third) == ["as a list", "as an object", "null is none"]


def test_sending_to_none_of_all_sends_nothing() -> None:
    """An empty list of clients is none of them; without a list it is all."""
    gateway = PhpGateway()
    ann = gateway.connect()
    gateway.tell(Command.SEND_TO_ALL, '{"connections":[]}', "none")
    gateway.tell(Command.SEND_TO_ALL, "", "all")
    gateway.tell(Command.SEND_TO_ALL, "[]", "all, too")

    assert gateway.received(ann) == ["all", "all, too"]


def test_raw_bytes_reach_every_kind_of_client_as_they_are() -> None:
    """Whatever it speaks; in each command that sends."""
    gateway = PhpGateway()
    ann = gateway.connect(uid="ann", groups=["g"], encoding=Lines("others", end=b"|"))
    for command, ext in (
        (Command.SEND_TO_ALL, ""),
        (Command.SEND_TO_ALL, '{"connections":{"2":2}}'),
        (Command.SEND_TO_UID, '["ann"]'),
        (Command.SEND_TO_GROUP, '{"group":["g"],"exclude":null}'),
    ):
        gateway.tell(command, ext, b"\x82\x01\xff", raw=True)
    gateway.tell(Command.SEND_TO_ONE, "", b"\x81\x00", connection=ann, raw=True)
    gateway.outbox.flush()

    assert pipe_of(ann).received == b"\x82\x01\xff" * 4 + b"\x81\x00"


def test_bytes_that_are_no_text_are_a_binary_message() -> None:
    """A browser would end its connection on them as text."""
    gateway = PhpGateway()
    ann = gateway.connect()
    gateway.tell(Command.SEND_TO_ONE, "", b"\xff\x00", connection=ann)

    assert gateway.received(ann) == ["=ff00"]


@pytest.mark.parametrize("flags", [SCALAR, SCALAR | RAW])
def test_a_message_that_is_too_large_is_refused(flags: int) -> None:
    """By the gateway's own limit; nobody receives it, and nobody is closed for it."""
    gateway = PhpGateway(max_message=100)
    ann = gateway.connect()
    frames = [
        Frame(Command.SEND_TO_ALL, body=bytes(101), flags=flags),
        Frame(Command.SEND_TO_ONE, 2, body=bytes(101), flags=flags),
        Frame(Command.KICK, 2, body=bytes(101), flags=flags),
    ]

    assert {refused(gateway, frame) for frame in frames} == {ErrorCode.TOO_LARGE}
    assert gateway.received(ann) == []
    assert ann.client_id in gateway.hub.connections


# Closing


def test_a_client_is_closed_after_its_last_message() -> None:
    """It is offline at once, and told 1000, which the original does not say."""
    gateway = PhpGateway()
    with_message, without, with_empty = (gateway.connect() for _ in range(3))
    gateway.tell(Command.KICK, "", "bye", connection=with_message)
    gateway.tell(Command.KICK, "", "", connection=with_empty)
    gateway.ask(Frame(Command.KICK, connection_id_of(without.client_id), body=b"N;", flags=0))

    assert gateway.value(Command.GET_CLIENT_COUNT_BY_GROUP) == 0
    assert gateway.received(with_message) == ["bye", "!1000 "]
    assert gateway.received(with_empty) == ["", "!1000 "]
    assert gateway.received(without) == ["!1000 "]


def test_a_client_is_cut() -> None:
    """What waits for it is lost; one that is not here is nobody."""
    gateway = PhpGateway()
    ann = gateway.connect()
    gateway.tell(Command.DESTROY, connection=ann)
    gateway.tell(Command.DESTROY, connection=ann)

    assert pipe_of(ann).aborted
    assert gateway.value(Command.IS_ONLINE, connection=ann) == 0


# Uids and groups


@pytest.mark.parametrize("name", ["", "0"])
def test_an_empty_name_is_ignored(name: str) -> None:
    """Nothing is bound, joined, left or dissolved by it, and nothing is sent to it."""
    gateway = PhpGateway()
    ann = gateway.connect(uid="0", groups=["0"])
    for command in (
        Command.BIND_UID,
        Command.UNBIND_UID,
        Command.JOIN_GROUP,
        Command.LEAVE_GROUP,
        Command.UNGROUP,
    ):
        gateway.tell(command, name, connection=ann)
    listed = json.dumps([name])
    gateway.tell(Command.SEND_TO_UID, listed, "to a uid")
    gateway.tell(Command.SEND_TO_GROUP, f'{{"group":{listed},"exclude":null}}', "to a group")

    assert (ann.uid, ann.groups) == ("0", {"0"})
    assert gateway.received(ann) == []


def test_nobody_has_an_empty_name() -> None:
    """Also not one that a client of ours has bound; the count of no group is that of all."""
    gateway = PhpGateway()
    gateway.connect(uid="0", groups=["0"])

    assert gateway.value(Command.GET_CLIENT_ID_BY_UID, "0") == {}
    assert gateway.value(Command.BATCH_GET_CLIENT_ID_BY_UID, '["0",0,""]') == {0: {}, "": {}}
    assert gateway.value(Command.GET_CLIENT_COUNT_BY_GROUP, "0") == 0
    assert gateway.value(Command.GET_CLIENT_COUNT_BY_GROUP, "") == 1
    assert gateway.value(Command.BATCH_GET_CLIENT_COUNT_BY_GROUP, "[0]") == {0: 0}
    assert gateway.value(Command.GET_CLIENT_SESSIONS_BY_GROUP, "0") == {}


def test_unbinding_minds_the_uid() -> None:
    """The original takes whatever uid is there."""
    gateway = PhpGateway()
    ann = gateway.connect(uid="new")
    gateway.tell(Command.UNBIND_UID, "old", connection=ann)
    assert ann.uid == "new"
    gateway.tell(Command.UNBIND_UID, "new", connection=ann)
    assert ann.uid is None


def test_php_and_python_see_the_same_names() -> None:
    """What is bound and joined here is text, as our own clients see it."""
    gateway = PhpGateway()
    ann = gateway.connect()
    gateway.tell(Command.BIND_UID, "1001", connection=ann)
    gateway.tell(Command.JOIN_GROUP, "推送", connection=ann)

    assert list(gateway.hub.uids) == ["1001"]
    assert list(gateway.hub.groups) == ["推送"]
    assert gateway.value(Command.GET_GROUP_ID_LIST) == {0: "推送"}


@pytest.mark.parametrize("command", [Command.BIND_UID, Command.JOIN_GROUP])
def test_a_name_that_cannot_be_is_refused(command: Command) -> None:
    """A name is UTF-8 and has a limit."""
    gateway = PhpGateway()
    gateway.connect()

    assert "is not UTF-8 at byte 0" in broken(gateway, Frame(command, 2, ext=b"\xff"))
    long = Frame(command, 2, ext=b"x" * (MAX_ID_LENGTH + 1))
    assert refused(gateway, long) is ErrorCode.TOO_LARGE


def test_batches_are_answered_by_the_names_asked_for() -> None:
    """Digits are an int key, a name that comes twice has one entry, nobody's an empty one."""
    gateway = PhpGateway()
    gateway.connect(uid="7", groups=["7", "g"])
    gateway.connect(uid="7", groups=["g"])

    assert gateway.value(Command.BATCH_GET_CLIENT_ID_BY_UID, '["7",7,"007",null,true]') == {
        7: {0: 2, 1: 3},
        "007": {},
        "": {},
        1: {},
    }
    assert gateway.value(Command.BATCH_GET_CLIENT_COUNT_BY_GROUP, '["g","7",7,"x"]') == {
        "g": 2,
        7: 1,
        "x": 0,
    }
    for ext in ("", "[]", "null"):
        assert gateway.value(Command.BATCH_GET_CLIENT_COUNT_BY_GROUP, ext) == {}


def test_a_connection_of_another_form_of_number_is_nobody() -> None:
    """Every 32-bit number may be asked for."""
    gateway = PhpGateway()
    ann = gateway.connect()

    assert ann.client_id == PHP_NODE + "00000002"
    for number in (0, 1, 2**32 - 1):
        assert gateway.ask(Frame(Command.IS_ONLINE, number)) == b"\x00\x00\x00\x04i:0;"
        gateway.ask(Frame(Command.SEND_TO_ONE, number, body=b"to nobody"))
    gateway.tell(Command.SEND_TO_ALL, '{"connections":[-2,4294967298,"x",null]}', "to nobody")
    assert gateway.received(ann) == []


# Sessions


def session_of(gateway: PhpGateway, connection: Connection) -> object:
    """Give a session as our own clients see it."""
    return gateway.execute(GetSession(connection.client_id))


def test_sessions_are_shared_with_our_own_clients() -> None:
    """What one side stores the other reads."""
    gateway = PhpGateway()
    ann = gateway.connect()
    written = b'a:2:{s:4:"name";s:3:"Ann";s:4:"tags";a:1:{i:0;s:1:"a";}}'
    gateway.tell(Command.SET_SESSION, written, connection=ann)
    assert session_of(gateway, ann) == {"name": "Ann", "tags": ["a"]}

    gateway.execute(SetSession(ann.client_id, {"n": 1, "of": []}))
    assert gateway.value(Command.GET_SESSION_BY_CLIENT_ID, connection=ann) == {"n": 1, "of": {}}


def test_a_session_is_updated_as_php_updates_arrays() -> None:
    """Lists are merged by place, where our own update replaces them."""
    gateway = PhpGateway()
    ann = gateway.connect()
    gateway.tell(Command.UPDATE_SESSION, serialize({"tags": ["a", "b"]}), connection=ann)
    gateway.tell(Command.UPDATE_SESSION, serialize({"tags": ["c"], "n": 1}), connection=ann)

    assert session_of(gateway, ann) == {"tags": ["c", "b"], "n": 1}


def test_a_session_may_be_emptied_and_the_worker_hears_of_it() -> None:
    """`setSocketSession` of an empty text does that; the client's worker is told before its next event."""
    gateway = PhpGateway()
    ann = gateway.connect()
    ann.untold = None
    gateway.tell(Command.SET_SESSION, serialize({"n": 1}), connection=ann)
    gateway.tell(Command.SET_SESSION, b"", connection=ann)

    assert ann.session == {}
    assert ann.untold is not None


def test_the_session_of_one_who_is_not_here_is_null() -> None:
    """Writing it does nothing; without a session it is an empty array."""
    gateway = PhpGateway()
    ann = gateway.connect()
    assert gateway.ask(Frame(Command.GET_SESSION_BY_CLIENT_ID, 2)) == b"\x00\x00\x00\x06a:0:{}"
    gateway.clients.destroy(ann)

    gateway.tell(Command.SET_SESSION, serialize({"n": 1}), connection=ann)
    gateway.tell(Command.UPDATE_SESSION, serialize({"n": 1}), connection=ann)
    assert gateway.ask(Frame(Command.GET_SESSION_BY_CLIENT_ID, 2)) == b"\x00\x00\x00\x02N;"


@pytest.mark.parametrize(
    "ext", [b"i:1;", b'O:8:"stdClass":0:{}', b"a:1:{i:0;R:1;}", b"a:1:{", b'a:1:{s:1:"\xff";N;}']
)
def test_a_session_that_is_no_array_of_plain_values_is_refused(ext: bytes) -> None:
    """Nothing of it is stored."""
    gateway = PhpGateway()
    ann = gateway.connect()
    for command in (Command.SET_SESSION, Command.UPDATE_SESSION):
        assert broken(gateway, Frame(command, 2, ext=ext)).startswith(f"{command.name}: ")

    assert ann.session == {}


def test_sessions_of_many_are_serialized_strings() -> None:
    """Of all or of a group, and the empty text where there is none."""
    gateway = PhpGateway()
    gateway.hub.store_session(gateway.connect(groups=["g"]), {"n": 1})
    gateway.connect()

    assert gateway.value(Command.GET_ALL_CLIENT_SESSIONS) == {2: 'a:1:{s:1:"n";i:1;}', 3: ""}
    assert gateway.value(Command.GET_CLIENT_SESSIONS_BY_GROUP, "g") == {2: 'a:1:{s:1:"n";i:1;}'}


def test_who_leaves_while_sessions_are_written_is_not_in_the_answer() -> None:
    """Connections may come and go between two parts."""
    gateway = PhpGateway()
    connections = [gateway.connect() for _ in range(2_000)]
    answer = gateway.requests.execute(Frame(Command.GET_ALL_CLIENT_SESSIONS))
    assert answer is not None
    assert not isinstance(answer, bytes)
    assert next(answer) == b""
    gateway.clients.destroy(connections[-1])
    gateway.connect()

    assert b"".join(answer)[4:].startswith(b"a:1999:{")


# What is no question


@pytest.mark.parametrize("number", [0, 1, 2, 99, 200, 201, 202, 205, 255])
def test_what_is_no_request_is_refused(number: int) -> None:
    """Events are for workers, greetings for the link; others are unknown."""
    assert "is nothing that a gateway is asked for" in broken(PhpGateway(), Frame(number))


@pytest.mark.parametrize(
    ("command", "ext"),
    [
        (Command.SEND_TO_ALL, "{"),
        (Command.SEND_TO_ALL, "[1]"),
        (Command.SEND_TO_ALL, '{"connections":2}'),
        (Command.SEND_TO_ALL, '{"exclude":2}'),
        (Command.SEND_TO_UID, ""),
        (Command.SEND_TO_UID, '"ann"'),
        (Command.SEND_TO_UID, "[[]]"),
        (Command.SEND_TO_GROUP, ""),
        (Command.SEND_TO_GROUP, '["g"]'),
        (Command.SEND_TO_GROUP, '{"exclude":null}'),
        (Command.SEND_TO_GROUP, '{"group":"g"}'),
        (Command.BATCH_GET_CLIENT_ID_BY_UID, "7"),
        (Command.BATCH_GET_CLIENT_COUNT_BY_GROUP, '"g"'),
    ],
)
def test_what_is_asked_badly_is_refused(command: Command, ext: str) -> None:
    """By what is wrong, with the command's name; nothing is sent."""
    gateway = PhpGateway()
    ann = gateway.connect(uid="ann", groups=["g"])
    text = broken(gateway, Frame(command, ext=ext.encode(), body=b"x"))

    assert text.startswith(f"{command.name}: ")
    assert gateway.received(ann) == []


@pytest.mark.parametrize("command", QUESTIONS)
def test_questions_are_answered_also_where_nobody_is(command: Command) -> None:
    """A client waits five seconds for an answer that does not come."""
    ext = b"[]" if command.name.startswith("BATCH") else b"nobody"

    assert PhpGateway().ask(Frame(command, ext=ext))[4:] in {b"a:0:{}", b"i:0;"}


NAMES = st.sampled_from(["", "0", "7", "g", "ann", "推"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | NAMES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["fields", "where", "groups", "uid", "connection_id", "connections"])
            | st.sampled_from(["exclude", "group", "2", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=10,
)
EXTS = st.one_of(
    NAMES.map(str.encode),
    JSON.map(json.dumps).map(str.encode),
    VALUES.map(serialize),
    st.binary(max_size=40),
)


@given(
    number=st.sampled_from([*Command, 0, 99]),
    connection_id=st.sampled_from([0, 2, 3, 2**32 - 1]),
    ext=EXTS,
    body=st.binary(max_size=10) | VALUES.map(serialize),
    flags=st.integers(0, 255),
)
def test_whatever_comes_is_done_or_refused(
    number: int, connection_id: int, ext: bytes, body: bytes, flags: int
) -> None:
    """A frame of a stranger's making has an answer, none, or one of the two errors; nothing else."""
    gateway = PhpGateway()
    gateway.connect(uid="ann", groups=["g", "7"])
    gateway.connect()
    try:
        answer = gateway.ask(Frame(number, connection_id, ext, body, flags))
    except (RemoteProtocolError, CommandError):
        return
    gateway.outbox.flush()

    assert not answer or int.from_bytes(answer[:4], "big") == len(answer) - 4
    assert not answer or serialize(unserialize(answer[4:])) == answer[4:]


def test_requests_say_whose_they_are() -> None:
    """In logs."""
    assert repr(PhpGateway().requests) == "<Requests of 7f0000010b54>"
