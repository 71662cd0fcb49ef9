"""Uids and groups: what PHP binds our client sees, and the other way round."""

import pytest

from gateway_client import GatewayClient
from tests.php.conftest import Open, Page
from tests.php.programs import PhpClient

People = dict[str, Page]


def test_bind(php: PhpClient, ours: GatewayClient, open_page: Open) -> None:
    """`bindUid` replaces the uid before; text and number are one."""
    client_id = open_page().client_id

    for uid, bound in (("ann", "ann"), (1001, "1001"), ("007", "007"), ("推送", "推送")):
        php("bindUid", client_id, uid)
        assert ours.get_uid_by_client_id(client_id) == php("getUidByClientId", client_id) == bound


@pytest.mark.parametrize("empty", ["", "0", 0])
def test_empty_names(
    php: PhpClient, ours: GatewayClient, open_page: Open, empty: str | int
) -> None:
    """What is empty in PHP is no uid and no group."""
    client_id = open_page().client_id

    php("bindUid", client_id, empty)
    php("joinGroup", client_id, empty)

    assert ours.get_uid_by_client_id(client_id) is None
    assert ours.get_all_group_id_list() == []


def test_unbind(php: PhpClient, ours: GatewayClient, open_page: Open) -> None:
    """`unbindUid` takes the uid away if it is that one."""
    client_id = open_page().client_id
    ours.bind_uid(client_id, "ann")

    php("unbindUid", client_id, "bob")
    assert ours.is_uid_online("ann")
    php("unbindUid", client_id, "ann")
    assert not ours.is_uid_online("ann")


def test_join_and_leave(php: PhpClient, ours: GatewayClient, open_page: Open) -> None:
    """`joinGroup` and `leaveGroup` are idempotent, and mean the groups of our client."""
    client_id = open_page().client_id

    for _ in range(2):
        php("joinGroup", client_id, "red")
        php("joinGroup", client_id, 77)
    assert sorted(ours.get_all_group_id_list()) == ["77", "red"]

    for _ in range(2):
        php("leaveGroup", client_id, "77")
    php("leaveGroup", client_id, "none")
    assert ours.get_all_group_id_list() == ["red"]
    ours.leave_group(client_id, "red")
    assert php("getAllGroupIdList") == {}


def test_ungroup(php: PhpClient, ours: GatewayClient, people: People) -> None:
    """`ungroup` dissolves a group at every gateway; its members stay connected."""
    php("ungroup", "red")

    assert ours.get_client_count_by_group("red") == 0
    assert ours.get_all_group_id_list() == ["77"]
    assert ours.get_all_client_count() == len(people)


def test_unknown_client(php: PhpClient, ours: GatewayClient, open_page: Open) -> None:
    """A client that is not there is skipped without a word."""
    nobody = f"{open_page().client_id[:12]}00000001"

    for method in ("bindUid", "unbindUid", "joinGroup", "leaveGroup", "sendToClient"):
        php(method, nobody, "x")
    php("destoryClient", nobody)

    assert ours.get_all_uid_list() == ours.get_all_group_id_list() == []
