"""Sending: who receives what, and what the sender is told."""

import json

from tests.methods.conftest import Ask, Connect

NOBODY = "0" * 32


async def test_send_to_client_reaches_that_connection_alone(ask: Ask, connect: Connect) -> None:
    """One connection receives, others do not, and the answer is 1."""
    ada, bob = await connect(), await connect()

    assert await ask("send_to_client", ada.client_id, "hello") == 1

    assert await ada.received() == ["hello"]
    assert await bob.received() == []


async def test_send_to_a_client_that_is_offline_reaches_nobody(ask: Ask, connect: Connect) -> None:
    """The answer is 0 for a well-formed id that nobody has."""
    await connect()

    assert await ask("send_to_client", NOBODY, "hello") == 0


async def test_send_to_all_reaches_every_connection(ask: Ask, connect: Connect) -> None:
    """Connections without uid and group receive too."""
    browsers = [await connect() for _ in range(4)]

    assert await ask("send_to_all", "news") == 4

    assert [await each.received() for each in browsers] == [["news"]] * 4


async def test_send_to_all_leaves_out_the_excluded(ask: Ask, connect: Connect) -> None:
    """Excluded client ids receive nothing; unknown ones do no harm."""
    ada, bob, cleo = [await connect() for _ in range(3)]

    sent = await ask("send_to_all", "news", exclude_client_ids=[ada.client_id, NOBODY])

    assert sent == 2
    assert await ada.received() == []
    assert await bob.received() == ["news"]
    assert await cleo.received() == ["news"]


async def test_send_to_all_with_client_ids_reaches_just_those(ask: Ask, connect: Connect) -> None:
    """A list of ids is a list of targets: each once, minus the excluded, unknown ones dropped."""
    ada, bob, cleo = [await connect() for _ in range(3)]
    targets = [ada.client_id, ada.client_id, cleo.client_id, NOBODY]

    assert await ask("send_to_all", "news", targets, [cleo.client_id]) == 1

    assert await ada.received() == ["news"]
    assert await bob.received() == []
    assert await cleo.received() == []


async def test_send_to_all_with_an_empty_list_sends_nothing(ask: Ask, connect: Connect) -> None:
    """`client_ids=[]` names nobody, unlike None, which names all."""
    ada = await connect()

    assert await ask("send_to_all", "news", []) == 0

    assert await ada.received() == []


async def test_send_to_uid_reaches_all_connections_of_the_uid(ask: Ask, connect: Connect) -> None:
    """A uid may be on several connections and gateways."""
    tabs = [await connect() for _ in range(3)]
    other = await connect()
    for tab in tabs:
        await ask("bind_uid", tab.client_id, "ada")

    assert await ask("send_to_uid", "ada", "hello") == 3

    assert [await tab.received() for tab in tabs] == [["hello"]] * 3
    assert await other.received() == []


async def test_send_to_uids_reaches_each_connection_once(ask: Ask, connect: Connect) -> None:
    """A uid that is named twice still receives once; unknown and no uids are no error."""
    ada, bob = await connect(), await connect()
    await ask("bind_uid", ada.client_id, "ada")
    await ask("bind_uid", bob.client_id, 7)

    assert await ask("send_to_uid", ["ada", 7, "7", "nobody"], "hello") == 2
    assert await ask("send_to_uid", [], "hello") == 0

    assert await ada.received() == ["hello"]
    assert await bob.received() == ["hello"]


async def test_send_to_group_reaches_its_members(ask: Ask, connect: Connect) -> None:
    """Members receive, others do not, excluded members neither."""
    ada, bob, cleo = [await connect() for _ in range(3)]
    for member in (ada, bob):
        await ask("join_group", member.client_id, "room")

    assert await ask("send_to_group", "room", "one") == 2
    assert await ask("send_to_group", "room", "two", [ada.client_id]) == 1
    assert await ask("send_to_group", "empty room", "three") == 0

    assert await ada.received() == ["one"]
    assert await bob.received() == ["one", "two"]
    assert await cleo.received() == []


async def test_a_member_of_two_groups_receives_once(ask: Ask, connect: Connect) -> None:
    """Where a connection matches twice it receives once."""
    ada = await connect()
    for group in ("red", "blue"):
        await ask("join_group", ada.client_id, group)

    assert await ask("send_to_group", ["red", "blue", "red"], "hello") == 1

    assert await ada.received() == ["hello"]


async def test_a_dict_arrives_as_compact_json(ask: Ask, connect: Connect) -> None:
    """Dicts and lists become JSON text without spaces, in a text frame."""
    ada = await connect()

    await ask("send_to_client", ada.client_id, {"type": "tick", "value": [1, None, "é"]})

    (message,) = await ada.received()
    assert isinstance(message, str)
    assert json.loads(message) == {"type": "tick", "value": [1, None, "é"]}
    assert " " not in message


async def test_calls_arrive_in_their_order_whatever_their_targets(
    ask: Ask, connect: Connect
) -> None:
    """Client, uid, group and all in turn, by one caller, arrive in the order of the calls."""
    ada = await connect()
    await ask("bind_uid", ada.client_id, "ada")
    await ask("join_group", ada.client_id, "room")

    for number in range(0, 40, 4):
        await ask("send_to_client", ada.client_id, str(number))
        await ask("send_to_uid", "ada", str(number + 1))
        await ask("send_to_group", "room", str(number + 2))
        await ask("send_to_all", str(number + 3))

    assert await ada.received() == [str(number) for number in range(40)]
