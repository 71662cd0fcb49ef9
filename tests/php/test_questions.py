"""What PHP asks about who is there, and how the answers look in PHP."""

from typing import Any

import pytest

from gateway_client import GatewayClient
from tests.php.conftest import Page, keyed
from tests.php.programs import PhpClient

People = dict[str, Page]


def ids(people: People, *names: str) -> set[str]:
    """Give the client ids of some people, of all if none is named."""
    return {people[name].client_id for name in names or people}


def same(names: set[str]) -> dict[str, str]:
    """Give PHP's lists of client ids, in which each is its own key."""
    return {name: name for name in names}


def listed(array: dict[int, str]) -> set[str]:
    """Give the values of an array that is a list in PHP."""
    assert [*array] == [*range(len(array))]
    return {*array.values()}


def test_online(php: PhpClient, people: People) -> None:
    """Clients and uids are online, 1, or not, 0; several are keyed by what was asked."""
    assert php("isOnline", people["guest"].client_id) == 1
    assert php("isOnline", f"{people['guest'].client_id[:12]}00000001") == 0
    assert [php("isUidOnline", uid) for uid in ("ann", 1001, "nobody", "0", "")] == [1, 1, 0, 0, 0]
    assert php("isUidsOnline", ["ann", "nobody", "1001"]) == {"ann": 1, "nobody": 0, 1001: 1}


def test_clients_of_uids(php: PhpClient, people: People) -> None:
    """A uid's clients are a list over all gateways, an empty one for who is offline."""
    assert listed(php("getClientIdByUid", "ann")) == ids(people, "ann", "phone")
    assert php("getClientIdByUid", "nobody") == {}
    batch = php("batchGetClientIdByUid", ["ann", "1001", "nobody"])
    assert {uid: listed(found) for uid, found in batch.items()} == {
        "ann": ids(people, "ann", "phone"),
        1001: ids(people, "1001"),
        "nobody": set(),
    }


def test_uids(php: PhpClient, people: People) -> None:
    """Uids are told once each, as text; clients without one are skipped, and have null."""
    assert php("getAllUidList") == keyed(("ann", "1001", "bob"))
    assert php("getAllUidCount") == 3
    assert php("getUidListByGroup", 77) == keyed(("1001", "bob"))
    assert php("getUidListByGroup", ["77", "red"]) == keyed(("ann", "1001", "bob"))
    assert php("getUidCountByGroup", "red") == 2
    assert php("getUidCountByGroup", "none") == 0
    assert php("getUidByClientId", people["1001"].client_id) == "1001"
    assert php("getUidByClientId", people["guest"].client_id) is None


@pytest.mark.parametrize("method", ["getAllClientIdCount", "getAllClientCount"])
def test_count_of_all(php: PhpClient, people: People, method: str) -> None:
    """Everybody at every gateway counts."""
    assert php(method) == len(people)


@pytest.mark.parametrize("method", ["getClientIdCountByGroup", "getClientCountByGroup"])
def test_count_of_a_group(php: PhpClient, people: People, method: str) -> None:
    """Members count; the group without a name is everybody, and 0 is no group."""
    asked = ("red", 77, "77", "none", "", "0")
    assert [php(method, group) for group in asked] == [3, 3, 3, 0, len(people), 0]


def test_counts_of_groups(php: PhpClient, people: People) -> None:
    """Several groups are keyed by what was asked."""
    assert php("batchGetClientIdCountByGroup", ["red", 77, "none"]) == {"red": 3, 77: 3, "none": 0}


def test_clients(php: PhpClient, people: People) -> None:
    """Lists of clients have each as its own key, once however many groups it is in."""
    assert php("getAllClientIdList") == same(ids(people))
    assert php("getClientIdListByGroup", "red") == same(ids(people, "ann", "phone", "1001"))
    assert php("getClientIdListByGroup", ["red", 77]) == same(ids(people) - ids(people, "loner"))
    assert php("getClientIdListByGroup", "none") == {}


def test_groups(php: PhpClient, ours: GatewayClient, people: People) -> None:
    """Groups are told once each; one whose name is a number is a number in PHP."""
    assert php("getAllGroupIdList") == {"red": "red", 77: 77}
    for page in people.values():
        ours.leave_group(page.client_id, 77)
    assert php("getAllGroupIdList") == {"red": "red"}


def test_members_of_all_groups(php: PhpClient, people: People) -> None:
    """The lists of all groups are complete, though clients without uid or group came first.

    Those who have both come first in an answer: PHP's client stops at the first who has not.
    """
    clients: dict[Any, dict[str, str]] = {
        "red": same(ids(people, "ann", "phone", "1001")),
        77: same(ids(people, "1001", "bob", "guest")),
    }

    assert php("getAllGroupClientIdList") == clients
    assert php("getAllGroupClientIdCount") == {"red": 3, 77: 3}
    assert php("getAllGroupUidList") == {"red": keyed(("ann", "1001")), 77: keyed(("1001", "bob"))}
    assert php("getAllGroupUidCount") == {"red": 2, 77: 2}


def test_nobody(php: PhpClient, ours: GatewayClient) -> None:
    """With nobody there every list is empty."""
    assert ours.get_all_client_count() == 0
    empty = (
        "getAllClientIdList",
        "getAllUidList",
        "getAllGroupIdList",
        "getAllGroupUidList",
        "getAllGroupClientIdList",
        "getAllClientSessions",
    )
    assert [php(method) for method in empty] == [{}] * len(empty)
    assert php("batchGetClientIdByUid", []) == php("batchGetClientIdCountByGroup", []) == {}
