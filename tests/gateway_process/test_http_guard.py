"""Who is served on an HTTP port, with a key and without."""

import pytest

from gateway_process.http_guard import Refusal, refusal_of
from gateway_process.secret import Secret

OPEN = Secret()
KEY = Secret("s3cret")
LOCAL = {"Host": "127.0.0.1:6789"}


def asked(
    headers: dict[str, str], *, key: Secret = OPEN, peer: str = "127.0.0.1", method: str = "GET"
) -> Refusal | None:
    """Ask the guard."""
    return refusal_of(key, peer=peer, method=method, headers=headers)


@pytest.mark.parametrize(
    ("peer", "headers"),
    [
        ("127.0.0.1", {"Host": "127.0.0.1:6789"}),
        ("127.0.0.1", {"Host": "localhost"}),
        ("::1", {"Host": "[::1]:6789"}),
        ("::ffff:127.0.0.1", {"Host": "LOCALHOST:6789"}),
        ("127.0.0.1", {"Host": "127.0.0.1:6789", "Origin": "http://127.0.0.1:6789"}),
    ],
)
def test_without_a_key_this_machine_is_served(peer: str, headers: dict[str, str]) -> None:
    """Programs of the machine itself need nothing, nor does a page of the port's own."""
    assert asked(headers, peer=peer) is None


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1:6789", "http://127.0.0.1"),
        ("127.0.0.1:6789", "http://127.0.0.1:6789"),
        ("[::1]:6789", "http://[::1]"),
        ("localhost:6789", "https://LOCALHOST"),
        ("localhost", "http://localhost"),
    ],
)
def test_a_websocket_client_may_name_the_host_as_its_origin(host: str, origin: str) -> None:
    """What is no browser makes its origin from the URL that it dials, with the port or without."""
    assert asked({"Host": host, "Origin": origin, "Upgrade": "websocket"}) is None


@pytest.mark.parametrize(
    "origin",
    ["http://127.0.0.1:80", "http://127.0.0.1:8000", "http://localhost", "https://a.example"],
)
def test_a_websocket_of_another_page_is_refused(origin: str) -> None:
    """Another port of the host, another name of it, and any other host are somebody else's."""
    refusal = asked(LOCAL | {"Origin": origin, "Upgrade": "websocket"})

    assert refusal is not None
    assert refusal.status == 403


def test_the_origin_without_its_port_is_for_websockets_alone() -> None:
    """For any other request it is a page of another port: a browser always names the port."""
    assert asked(LOCAL | {"Origin": "http://127.0.0.1"}) is not None


@pytest.mark.parametrize(
    ("peer", "headers", "told"),
    [
        ("10.0.0.7", {"Host": "127.0.0.1"}, "another machine"),
        ("127.0.0.1", {"Host": "evil.example:6789"}, "'evil.example:6789'"),
        ("127.0.0.1", {"Host": "10.0.0.1"}, "'10.0.0.1'"),
        ("127.0.0.1", {}, "''"),
        ("127.0.0.1", LOCAL | {"Origin": "https://evil.example"}, "'https://evil.example'"),
        ("127.0.0.1", LOCAL | {"Origin": "null"}, "'null'"),
        ("127.0.0.1", LOCAL | {"Origin": "http://127.0.0.1:8000"}, "page"),
        ("127.0.0.1", LOCAL | {"Forwarded": "for=10.0.0.7"}, "proxy"),
        ("127.0.0.1", LOCAL | {"X-Forwarded-For": "10.0.0.7"}, "proxy"),
        ("127.0.0.1", LOCAL | {"x-forwarded-proto": "https"}, "proxy"),
        ("127.0.0.1", LOCAL | {"X-Real-IP": "10.0.0.7"}, "proxy"),
    ],
)
def test_without_a_key_nobody_else_is(peer: str, headers: dict[str, str], told: str) -> None:
    """Whatever tells of somebody else is refused by name, with the remedy."""
    refusal = asked(headers, peer=peer)

    assert refusal is not None
    assert (refusal.status, refusal.code) == (403, "forbidden")
    assert told in refusal.message
    assert "--api-key-file" in refusal.message


@pytest.mark.parametrize("authorization", ["Bearer s3cret", "bearer s3cret"])
def test_the_key_opens_from_anywhere(authorization: str) -> None:
    """With the key it does not matter where a request comes from."""
    headers = {"Host": "api.example", "X-Forwarded-For": "1.2.3.4", "Origin": "https://a.example"}

    assert asked(headers | {"Authorization": authorization}, key=KEY, peer="10.0.0.7") is None


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer wrong", "Basic s3cret", "s3cret", "Bearer s3cret2", "Bearer \udcff"],
)
def test_without_the_key_nobody_is_served(authorization: str) -> None:
    """Where there is a key, this machine needs it too."""
    refusal = asked(LOCAL | {"Authorization": authorization}, key=KEY)

    assert refusal is not None
    assert (refusal.status, refusal.code) == (401, "unauthorized")
    assert "s3cret" not in refusal.message


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8"])
def test_a_post_brings_json(kind: str) -> None:
    """The one content type that a foreign page cannot send without asking is accepted."""
    assert asked(LOCAL | {"Content-Type": kind}, method="POST") is None


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/plain"}])
def test_a_post_of_anything_else_is_refused(headers: dict[str, str]) -> None:
    """Forms and plain text, which pages may send anywhere, are refused."""
    refusal = asked(LOCAL | headers, method="POST")

    assert refusal is not None
    assert refusal.status == 415
    assert "application/json" in refusal.message
