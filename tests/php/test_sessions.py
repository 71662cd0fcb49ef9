"""Sessions, which PHP and Python share."""

from typing import Any, Final

import pytest

from gateway_client import GatewayClient
from tests.php.conftest import Open, Page
from tests.php.programs import PhpClient

People = dict[str, Page]

OF_PHP: Final[dict[Any, Any]] = {
    "name": "Ann",
    "visits": 3,
    "share": 0.1,
    "paid": True,
    "card": None,
    "bytes": b"\xff\x00\xfe",
    "empty": {},
    "list": {0: 1, 1: {0: "a"}},
    "gaps": {5: "x", "y": -1},
    7: "推送",
}
"""A session as PHP has it: every array is one of keys and values."""

IN_PYTHON: Final = OF_PHP | {"empty": [], "list": [1, ["a"]]}


def test_from_php_to_python(php: PhpClient, ours: GatewayClient, open_page: Open) -> None:
    """What PHP sets our client reads; lists and empty arrays are lists there."""
    client_id = open_page().client_id
    php("setSession", client_id, OF_PHP)
    assert ours.get_session(client_id) == IN_PYTHON


def test_from_php_to_php(php: PhpClient, open_page: Open) -> None:
    """What PHP sets it gets back, in its order."""
    client_id = open_page().client_id
    php("setSession", client_id, OF_PHP)
    assert repr(php("getSession", client_id)) == repr(OF_PHP)


def test_from_python_to_php(php: PhpClient, ours: GatewayClient, open_page: Open) -> None:
    """What Python sets PHP reads, keys of digits as numbers."""
    client_id = open_page().client_id
    ours.set_session(client_id, IN_PYTHON | {"empty": {}, "12": "a"})
    assert php("getSession", client_id) == OF_PHP | {12: "a"}


def test_offline_is_not_empty(php: PhpClient, open_page: Open) -> None:
    """A client without a session has an empty one; one that is not there has null."""
    client_id = open_page().client_id
    assert php("getSession", client_id) == {}
    assert php("getSession", f"{client_id[:12]}00000001") is None


def test_update(php: PhpClient, ours: GatewayClient, open_page: Open) -> None:
    """`updateSession` merges at every depth, lists by their index; Python's changes go between."""
    client_id = open_page().client_id
    ours.set_session(client_id, {"a": 1, "list": [1, 2, 3], "deep": {"x": {"y": 1}}})

    php("updateSession", client_id, {"b": 2, "list": [9], "deep": {"x": {"z": 2}}})
    ours.update_session(client_id, {"a": 5})

    expected = {"a": 5, "list": [9, 2, 3], "deep": {"x": {"y": 1, "z": 2}}, "b": 2}
    assert ours.get_session(client_id) == expected


def test_written_back_as_text(php: PhpClient, ours: GatewayClient, open_page: Open) -> None:
    """`setSocketSession` takes what serialize() made; nothing at all clears the session."""
    client_id = open_page().client_id

    php("setSocketSession", client_id, 'a:1:{s:1:"n";i:1;}')
    assert ours.get_session(client_id) == {"n": 1}
    php("setSocketSession", client_id, "")
    assert ours.get_session(client_id) == {}


@pytest.mark.parametrize("method", ["getAllClientSessions", "getAllClientInfo"])
def test_all_sessions(php: PhpClient, ours: GatewayClient, people: People, method: str) -> None:
    """Everybody's session is told, by client id."""
    ours.set_session(people["bob"].client_id, {"n": 1})
    told = {page.client_id: {"n": 1} if name == "bob" else {} for name, page in people.items()}
    assert php(method) == told


@pytest.mark.parametrize("method", ["getClientSessionsByGroup", "getClientInfoByGroup"])
def test_sessions_of_a_group(
    php: PhpClient, ours: GatewayClient, people: People, method: str
) -> None:
    """Only members' sessions are told."""
    ours.set_session(people["bob"].client_id, {"n": 1})
    members: dict[str, Any] = {people[name].client_id: {} for name in ("1001", "guest")}
    assert php(method, 77) == members | {people["bob"].client_id: {"n": 1}}
    assert php(method, "none") == {}
