"""Asking who is there."""

from collections.abc import Awaitable, Callable

import pytest

from tests.methods.conftest import Ask, Browser, Connect
from tests.methods.test_sends import NOBODY


@pytest.fixture
async def people(ask: Ask, connect: Connect) -> dict[str, Browser]:
    """Ada twice and Bob in "red"; Bob and somebody without a uid in "blue"; one in no group."""
    names = ["ada", "ada's phone", "bob", "stranger", "loner"]
    people = {name: await connect() for name in names}
    uids = {"ada": "ada", "ada's phone": "ada", "bob": "bob", "loner": "loner"}
    groups = {"red": ["ada", "ada's phone", "bob"], "blue": ["bob", "stranger"]}
    for name, uid in uids.items():
        await ask("bind_uid", people[name].client_id, uid)
    for group, members in groups.items():
        for name in members:
            await ask("join_group", people[name].client_id, group)
    return people


def ids(people: dict[str, Browser], *names: str) -> list[str]:
    """Give the client ids of some people, sorted."""
    return sorted(people[name].client_id for name in names or people)


async def test_online(ask: Ask, people: dict[str, Browser]) -> None:
    """Connections and uids are online or not; a batch is keyed by the caller's values."""
    assert await ask("is_online", people["stranger"].client_id) is True
    assert await ask("is_online", NOBODY) is False
    assert await ask("is_uid_online", "ada") is True
    assert await ask("is_uid_online", "nobody") is False
    assert await ask("is_uids_online", ["ada", "nobody"]) == {"ada": True, "nobody": False}
    assert await ask("is_uids_online", []) == {}


async def test_clients_of_uids(ask: Ask, people: dict[str, Browser]) -> None:
    """Every connection of a uid is listed, and none for a uid that is offline."""
    adas = ids(people, "ada", "ada's phone")

    assert sorted(await ask("get_client_id_by_uid", "ada")) == adas
    assert await ask("get_client_id_by_uid", "nobody") == []
    batch = await ask("batch_get_client_id_by_uid", ["ada", "bob", "nobody"])
    assert {uid: sorted(found) for uid, found in batch.items()} == {
        "ada": adas,
        "bob": ids(people, "bob"),
        "nobody": [],
    }


async def test_all_clients(ask: Ask, people: dict[str, Browser]) -> None:
    """List and count hold every connection."""
    assert sorted(await ask("get_all_client_id_list")) == ids(people)
    assert await ask("get_all_client_count") == len(people)


async def test_clients_of_groups(ask: Ask, people: dict[str, Browser]) -> None:
    """One group, several groups (each member once), a group that nobody is in."""
    red = ids(people, "ada", "ada's phone", "bob")
    both = ids(people, "ada", "ada's phone", "bob", "stranger")

    assert sorted(await ask("get_client_id_list_by_group", "red")) == red
    assert sorted(await ask("get_client_id_list_by_group", ["red", "blue"])) == both
    assert await ask("get_client_id_list_by_group", "green") == []
    assert await ask("get_client_count_by_group", "red") == 3
    assert await ask("get_client_count_by_group", "green") == 0
    counts = await ask("batch_get_client_count_by_group", ["red", "blue", "green"])
    assert counts == {"red": 3, "blue": 2, "green": 0}


async def test_uids_of_clients_and_groups(ask: Ask, people: dict[str, Browser]) -> None:
    """A uid counts once however many connections it has; members without one are skipped."""
    assert await ask("get_uid_by_client_id", people["bob"].client_id) == "bob"
    assert await ask("get_uid_by_client_id", people["stranger"].client_id) is None
    assert await ask("get_uid_by_client_id", NOBODY) is None
    assert sorted(await ask("get_uid_list_by_group", "red")) == ["ada", "bob"]
    assert await ask("get_uid_list_by_group", "blue") == ["bob"]
    assert sorted(await ask("get_uid_list_by_group", ["red", "blue"])) == ["ada", "bob"]
    assert await ask("get_uid_count_by_group", "red") == 2
    assert await ask("get_uid_count_by_group", "green") == 0


async def test_all_uids(ask: Ask, people: dict[str, Browser]) -> None:
    """Each uid of the cluster once."""
    assert sorted(await ask("get_all_uid_list")) == ["ada", "bob", "loner"]
    assert await ask("get_all_uid_count") == 3
    assert len(people) == 5


async def test_all_groups(ask: Ask, people: dict[str, Browser]) -> None:
    """Every group with its members and uids, those without a uid left out of the uids."""
    assert sorted(await ask("get_all_group_id_list")) == ["blue", "red"]
    uids = await ask("get_all_group_uid_list")
    assert {group: sorted(found) for group, found in uids.items()} == {
        "red": ["ada", "bob"],
        "blue": ["bob"],
    }
    assert await ask("get_all_group_uid_count") == {"red": 2, "blue": 1}
    clients = await ask("get_all_group_client_id_list")
    assert {group: sorted(found) for group, found in clients.items()} == {
        "red": ids(people, "ada", "ada's phone", "bob"),
        "blue": ids(people, "bob", "stranger"),
    }
    assert await ask("get_all_group_client_id_count") == {"red": 3, "blue": 2}


EMPTY_ANSWERS = {
    "get_all_client_id_list": [],
    "get_all_client_count": 0,
    "get_all_uid_list": [],
    "get_all_uid_count": 0,
    "get_all_group_id_list": [],
    "get_all_group_uid_list": {},
    "get_all_group_uid_count": {},
    "get_all_group_client_id_list": {},
    "get_all_group_client_id_count": {},
    "get_all_client_sessions": {},
}


@pytest.mark.parametrize("method", EMPTY_ANSWERS)
async def test_an_empty_cluster_answers_empty(ask: Ask, method: str) -> None:
    """With nobody connected every question about all has an empty answer."""
    assert await ask(method) == EMPTY_ANSWERS[method]


async def test_answers_hold_while_browsers_come_and_go(ask: Ask, connect: Connect) -> None:
    """Who stays is in every answer, whoever comes and goes meanwhile."""
    stays = await connect()
    await ask("bind_uid", stays.client_id, "stays")
    await ask("join_group", stays.client_id, "room")
    questions: list[tuple[str, tuple[str, ...], Callable[[list[str]], bool]]] = [
        ("get_all_client_id_list", (), lambda found: stays.client_id in found),
        ("get_client_id_list_by_group", ("room",), lambda found: stays.client_id in found),
        ("get_client_id_by_uid", ("stays",), lambda found: found == [stays.client_id]),
        ("get_all_uid_list", (), lambda found: "stays" in found),
    ]

    for _ in range(5):
        guest = await connect()
        joined: Awaitable[bool] = ask("join_group", guest.client_id, "room")
        assert await joined is True
        for method, arguments, is_right in questions:
            assert is_right(await ask(method, *arguments)), method
        assert await ask("get_client_count_by_group", "room") == 2
        assert await ask("close_client", guest.client_id) is True
        assert await ask("get_client_count_by_group", "room") == 1
        assert await ask("get_all_client_count") == 1
