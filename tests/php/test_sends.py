"""What PHP sends, and which browsers get it."""

from collections.abc import Callable

from gateway_client import GatewayClient
from tests.php.conftest import Open, Page
from tests.php.programs import PhpClient
from tests.support.cluster import close_code

People = dict[str, Page]

ALL = ("ann", "phone", "1001", "bob", "guest", "loner")


def reached(people: People, ours: GatewayClient, send: Callable[[], object]) -> list[str]:
    """Give the names of those that receive what is sent, as often as they do."""
    send()
    return [name for name, page in people.items() for _ in page.received(ours)]


def test_to_all(php: PhpClient, ours: GatewayClient, people: People) -> None:
    """`sendToAll` reaches everybody at every gateway, less those who are excluded."""
    ids = {name: page.client_id for name, page in people.items()}

    assert reached(people, ours, lambda: php("sendToAll", "hi")) == [*ALL]
    without = reached(people, ours, lambda: php("sendToAll", "hi", None, ids["ann"]))
    assert without == [*ALL[1:]]
    without = reached(
        people, ours, lambda: php("sendToAll", "hi", None, [ids["ann"], ids["phone"]])
    )
    assert without == [*ALL[2:]]


def test_to_some(php: PhpClient, ours: GatewayClient, people: People) -> None:
    """`sendToAll` with client ids reaches each of these once, and an empty list reaches nobody."""
    ids = [people[name].client_id for name in ("ann", "phone", "bob", "ann")]

    assert reached(people, ours, lambda: php("sendToAll", "hi", ids)) == ["ann", "phone", "bob"]
    less = reached(people, ours, lambda: php("sendToAll", "hi", ids, [ids[2]]))
    assert less == ["ann", "phone"]
    assert reached(people, ours, lambda: php("sendToAll", "hi", [])) == []


def test_to_one(php: PhpClient, ours: GatewayClient, people: People) -> None:
    """`sendToClient` brings the bytes as a text message."""
    for message in ("hello", "推送 ✓", "", "x" * 200_000):
        php("sendToClient", people["bob"].client_id, message)
        assert people["bob"].text() == message
    assert reached(people, ours, lambda: None) == []


def test_to_uids(php: PhpClient, ours: GatewayClient, people: People) -> None:
    """`sendToUid` reaches every connection of each uid, whoever bound it, and each once."""
    assert reached(people, ours, lambda: php("sendToUid", "ann", "hi")) == ["ann", "phone"]
    assert reached(people, ours, lambda: php("sendToUid", 1001, "hi")) == ["1001"]
    several = ["bob", "1001", 1001, "bob", "nobody"]
    assert reached(people, ours, lambda: php("sendToUid", several, "hi")) == ["1001", "bob"]
    assert reached(people, ours, lambda: php("sendToUid", ["", "0", 0], "hi")) == []


def test_to_groups(php: PhpClient, ours: GatewayClient, people: People) -> None:
    """`sendToGroup` reaches the members of each group, less the excluded, and each once."""
    assert reached(people, ours, lambda: php("sendToGroup", "red", "hi")) == [
        "ann",
        "phone",
        "1001",
    ]
    both = reached(people, ours, lambda: php("sendToGroup", ["red", "77", "none"], "hi"))
    assert both == ["ann", "phone", "1001", "bob", "guest"]
    exclude = [people[name].client_id for name in ("ann", "phone")]
    assert reached(people, ours, lambda: php("sendToGroup", "red", "hi", exclude)) == ["1001"]


def test_raw(php: PhpClient, ours: GatewayClient, people: People) -> None:
    """With `$raw` a message is a finished websocket frame, of whatever kind."""
    binary = b"\x82\x03\x00\xff\x7f"

    php("sendToAll", binary, [people["ann"].client_id, people["phone"].client_id], None, True)
    assert [people[name].text() for name in ("ann", "phone")] == [b"\x00\xff\x7f"] * 2
    php("sendToGroup", 77, binary, None, True)
    assert reached(people, ours, lambda: None) == ["1001", "bob", "guest"]


def test_sent_and_gone(php: PhpClient, people: People) -> None:
    """What a program sends right before it hangs up is done, as those of PHP-FPM do."""
    for number in range(50):
        php("leave", people["bob"].client_id, str(number))
        php("leave", people["ann"].client_id, str(number))
    assert {people[name].text() for name in ("ann", "bob") for _ in range(50)} == {
        str(number) for number in range(50)
    }


def test_close(php: PhpClient, ours: GatewayClient, open_page: Open) -> None:
    """`closeClient` closes with 1000, behind its last message; who is not there is no error."""
    silent, told = open_page(), open_page()

    php("closeClient", silent.client_id)
    php("closeClient", told.client_id, "bye")
    php("closeClient", f"{told.client_id[:12]}00000001")

    assert told.text() == "bye"
    assert [close_code(page) for page in (silent, told)] == [1000, 1000]
    assert ours.is_online(told.client_id) is False


def test_destroy(php: PhpClient, open_page: Open) -> None:
    """`destoryClient` cuts the connection without a word."""
    page = open_page()
    php("destoryClient", page.client_id)
    assert close_code(page) == 1006
