"""Context, channels and queues: CONNMIX's names, through every door."""

import json

from tests.methods.conftest import Ask, Connect
from tests.methods.test_sends import NOBODY


async def test_the_context_is_the_session(ask: Ask, connect: Connect) -> None:
    """It is replaced as a whole, or one key of it, which is replaced and not merged."""
    ada = await connect()

    assert await ask("set_context", ada.client_id, {"a": 1, "cart": {"x": 1}}) is True
    assert await ask("set_context_value", ada.client_id, "cart", {"y": 2}) is True
    assert await ask("get_session", ada.client_id) == {"a": 1, "cart": {"y": 2}}

    assert await ask("set_context", ada.client_id, {}) is True
    assert await ask("get_session", ada.client_id) == {}


async def test_an_offline_client_has_no_context(ask: Ask, connect: Connect) -> None:
    """Writing and subscribing say False."""
    await connect()

    assert await ask("set_context", NOBODY, {"a": 1}) is False
    assert await ask("set_context_value", NOBODY, "a", 1) is False
    assert await ask("subscribe", NOBODY, "news") is False
    assert await ask("unsubscribe", NOBODY, "news") is False


async def test_a_channel_is_a_group(ask: Ask, connect: Connect) -> None:
    """Whoever is subscribed is a member, and receives once what is published."""
    ada, bob = await connect(), await connect()
    assert await ask("subscribe", ada.client_id, "news", "sport") is True
    await ask("join_group", bob.client_id, "sport")

    published = await ask("publish", ["news", "sport"], {"goal": 1})
    if isinstance(published, dict):  # over HTTP
        assert published == {"success": 2, "fail": 0, "total": 2}
    else:
        assert (published.success, published.fail, published.total) == (2, 0, 2)
    for browser in (ada, bob):
        assert [json.loads(each) for each in await browser.received()] == [{"goal": 1}]

    assert await ask("unsubscribe", ada.client_id, "sport") is True
    assert await ask("get_client_id_list_by_group", "sport") == [bob.client_id]
    assert await ask("get_client_id_list_by_group", "news") == [ada.client_id]


async def test_without_routes_there_are_no_queues(ask: Ask, connect: Connect) -> None:
    """And nothing to tell of."""
    await connect()

    assert await ask("get_all_queues") == {}
