"""Arguments that are wrong: a clear error at every door, and nothing is sent."""

from typing import Any

import pytest

from tests.methods.conftest import Ask, Connect, HttpRefused
from tests.methods.test_sends import NOBODY

LARGE = "x" * (1024 * 1024 + 1)

WRONG: dict[str, tuple[str, tuple[Any, ...], type[Exception], str]] = {
    "empty uid": ("send_to_uid", ("", "m"), ValueError, "uid"),
    "empty uid bound": ("bind_uid", (NOBODY, ""), ValueError, "uid"),
    "no uid": ("bind_uid", (NOBODY, None), TypeError, "uid"),
    "boolean uid": ("bind_uid", (NOBODY, True), TypeError, "uid"),
    "fractional uid": ("is_uid_online", (1.5,), TypeError, "uid"),
    "empty group": ("join_group", (NOBODY, ""), ValueError, "group"),
    "no group": ("send_to_group", (None, "m"), TypeError, "group"),
    "empty name in a list": ("send_to_group", (["red", ""], "m"), ValueError, "group"),
    "malformed client_id": ("send_to_client", ("12x", "m"), ValueError, "client_id"),
    "client_id of upper case": ("is_online", ("A" * 32,), ValueError, "client_id"),
    "session that is no dict": ("set_session", (NOBODY, [1]), TypeError, "session"),
    "close code of others": ("close_client", (NOBODY, None, 1002), ValueError, "1002"),
    "message too large": ("send_to_all", (LARGE,), ValueError, "1,048,577"),
}


@pytest.mark.parametrize("case", WRONG)
async def test_a_wrong_argument_is_refused_with_its_name(ask: Ask, case: str) -> None:
    """The error names what was wrong, before anything is sent."""
    method, arguments, error, named = WRONG[case]

    with pytest.raises((error, HttpRefused)) as caught:
        await ask(method, *arguments)

    assert named in str(caught.value)


async def test_the_largest_message_passes(ask: Ask, connect: Connect) -> None:
    """A message of exactly `max_message` bytes arrives whole."""
    ada = await connect()
    ada.websocket.protocol.max_message_size = None

    assert await ask("send_to_client", ada.client_id, LARGE[:-1]) == 1

    assert await ada.next() == LARGE[:-1]
