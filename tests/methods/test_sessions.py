"""Sessions: what is stored with a connection."""

from tests.methods.conftest import Ask, Connect
from tests.methods.test_sends import NOBODY


async def test_a_session_is_replaced_as_a_whole(ask: Ask, connect: Connect) -> None:
    """`set_session` stores what it is given and nothing of what was there before."""
    ada = await connect()

    assert await ask("get_session", ada.client_id) == {}
    assert await ask("set_session", ada.client_id, {"a": 1, "b": [1, 2]}) is True
    assert await ask("set_session", ada.client_id, {"c": {"d": None}}) is True

    assert await ask("get_session", ada.client_id) == {"c": {"d": None}}


async def test_an_update_merges_dicts_and_replaces_the_rest(ask: Ask, connect: Connect) -> None:
    """Dicts are merged at every level; lists and scalars are replaced."""
    ada = await connect()
    await ask("set_session", ada.client_id, {"cart": {"x": 1, "tags": [1, 2]}, "name": "ada"})

    changes = {"cart": {"y": 2, "tags": [3]}, "age": 36}
    assert await ask("update_session", ada.client_id, changes) is True

    assert await ask("get_session", ada.client_id) == {
        "cart": {"x": 1, "y": 2, "tags": [3]},
        "name": "ada",
        "age": 36,
    }


async def test_an_offline_client_has_no_session(ask: Ask, connect: Connect) -> None:
    """None tells offline from empty; writing says False."""
    await connect()

    assert await ask("get_session", NOBODY) is None
    assert await ask("set_session", NOBODY, {"a": 1}) is False
    assert await ask("update_session", NOBODY, {"a": 1}) is False


async def test_sessions_of_groups_and_all(ask: Ask, connect: Connect) -> None:
    """Each connection of a group, or of the cluster, with its session."""
    ada, bob = await connect(), await connect()
    await ask("join_group", ada.client_id, "room")
    await ask("set_session", ada.client_id, {"name": "ada"})

    assert await ask("get_client_sessions_by_group", "room") == {ada.client_id: {"name": "ada"}}
    assert await ask("get_client_sessions_by_group", "empty") == {}
    assert await ask("get_all_client_sessions") == {
        ada.client_id: {"name": "ada"},
        bob.client_id: {},
    }
