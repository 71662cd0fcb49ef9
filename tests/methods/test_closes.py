"""Closing connections: with a code, after a last message, or at once."""

import pytest
from websockets.exceptions import ConnectionClosed

from tests.methods.conftest import Ask, Connect
from tests.methods.test_sends import NOBODY


async def test_close_client_sends_a_last_message_and_a_code(ask: Ask, connect: Connect) -> None:
    """The message comes first, then a Close frame with the application's code and reason."""
    ada = await connect()

    assert await ask("close_client", ada.client_id, "bye", 4001, "paid too late") is True

    assert await ada.next() == "bye"
    assert await ada.closed() == (4001, "paid too late")
    assert await ask("close_client", NOBODY) is False


async def test_close_client_closes_with_1000_unless_told(ask: Ask, connect: Connect) -> None:
    """Without arguments it is a normal closure without a message."""
    ada = await connect()

    assert await ask("close_client", ada.client_id) is True

    assert await ada.closed() == (1000, "")


async def test_a_closed_client_is_offline_at_once(ask: Ask, connect: Connect) -> None:
    """The next call of the same caller finds it gone, whatever its socket still has to do."""
    ada = await connect()

    await ask("close_client", ada.client_id)

    assert await ask("is_online", ada.client_id) is False
    assert await ask("send_to_client", ada.client_id, "too late") == 0


async def test_destroy_client_cuts_without_a_close_frame(ask: Ask, connect: Connect) -> None:
    """The browser sees 1006."""
    ada = await connect()

    assert await ask("destroy_client", ada.client_id) is True

    with pytest.raises(ConnectionClosed):
        await ada.next()
    assert await ada.closed() == (1006, "")
    assert await ask("destroy_client", NOBODY) is False


async def test_close_uid_and_group_close_every_connection(ask: Ask, connect: Connect) -> None:
    """All connections of a uid, or of a group, wherever they are; the count says how many."""
    browsers = [await connect() for _ in range(4)]
    for each in browsers[:2]:
        await ask("bind_uid", each.client_id, "ada")
    for each in browsers[2:]:
        await ask("join_group", each.client_id, "room")

    assert await ask("close_uid", "ada", "logged out", 4003) == 2
    assert await ask("close_group", "room", None, 4004, "room closed") == 2

    for each in browsers[:2]:
        assert await each.next() == "logged out"
        assert await each.closed() == (4003, "")
    for each in browsers[2:]:
        assert await each.closed() == (4004, "room closed")
    assert await ask("get_all_client_count") == 0
