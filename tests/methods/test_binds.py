"""Binding to uids and joining groups."""

from tests.methods.conftest import Ask, Connect
from tests.methods.test_sends import NOBODY


async def test_bind_tells_whether_the_client_was_there(ask: Ask, connect: Connect) -> None:
    """True for an open connection, False for one that is not."""
    ada = await connect()

    assert await ask("bind_uid", ada.client_id, "ada") is True
    assert await ask("bind_uid", NOBODY, "ada") is False

    assert await ask("get_uid_by_client_id", ada.client_id) == "ada"
    assert await ask("get_client_id_by_uid", "ada") == [ada.client_id]


async def test_a_new_bind_replaces_the_old_one(ask: Ask, connect: Connect) -> None:
    """A connection has one uid at a time."""
    ada = await connect()
    await ask("bind_uid", ada.client_id, "ada")

    await ask("bind_uid", ada.client_id, "bob")

    assert await ask("is_uid_online", "ada") is False
    assert await ask("get_client_id_by_uid", "bob") == [ada.client_id]


async def test_unbind_minds_the_uid(ask: Ask, connect: Connect) -> None:
    """Only the uid that is bound can be unbound; another one changes nothing."""
    ada = await connect()
    await ask("bind_uid", ada.client_id, "ada")

    assert await ask("unbind_uid", ada.client_id, "bob") is True
    assert await ask("get_uid_by_client_id", ada.client_id) == "ada"
    assert await ask("unbind_uid", ada.client_id, "ada") is True

    assert await ask("get_uid_by_client_id", ada.client_id) is None
    assert await ask("unbind_uid", NOBODY, "ada") is False


async def test_uids_are_compared_as_text(ask: Ask, connect: Connect) -> None:
    """1 and "1" are one uid, and 0 is a valid one."""
    ada, bob = await connect(), await connect()
    await ask("bind_uid", ada.client_id, 1)
    await ask("bind_uid", bob.client_id, 0)

    assert await ask("get_uid_by_client_id", ada.client_id) == "1"
    assert await ask("is_uid_online", "1") is True
    assert await ask("is_uid_online", 0) is True


async def test_joining_and_leaving_are_idempotent(ask: Ask, connect: Connect) -> None:
    """A second join or leave changes nothing and is no error."""
    ada = await connect()

    assert await ask("join_group", ada.client_id, "room") is True
    assert await ask("join_group", ada.client_id, "room") is True
    assert await ask("get_client_count_by_group", "room") == 1
    assert await ask("leave_group", ada.client_id, "room") is True
    assert await ask("leave_group", ada.client_id, "room") is True

    assert await ask("get_client_count_by_group", "room") == 0
    assert await ask("get_all_group_id_list") == []
    assert await ask("join_group", NOBODY, "room") is False
    assert await ask("leave_group", NOBODY, "room") is False


async def test_ungroup_dissolves_on_all_gateways(ask: Ask, connect: Connect) -> None:
    """All memberships end, connections stay open, other groups stay."""
    browsers = [await connect() for _ in range(4)]
    for each in browsers:
        await ask("join_group", each.client_id, "room")
    await ask("join_group", browsers[0].client_id, "other")

    assert await ask("ungroup", "room") == 4

    assert await ask("get_client_count_by_group", "room") == 0
    assert await ask("get_all_group_id_list") == ["other"]
    assert await ask("get_all_client_count") == 4
    assert await ask("ungroup", "room") == 0


async def test_a_connection_takes_its_bindings_with_it(ask: Ask, connect: Connect) -> None:
    """After a close neither uid nor group nor session knows the connection."""
    ada = await connect()
    await ask("bind_uid", ada.client_id, "ada")
    await ask("join_group", ada.client_id, "room")
    await ask("set_session", ada.client_id, {"a": 1})

    assert await ask("close_client", ada.client_id) is True

    assert await ask("is_online", ada.client_id) is False
    assert await ask("is_uid_online", "ada") is False
    assert await ask("get_all_group_id_list") == []
    assert await ask("get_session", ada.client_id) is None
