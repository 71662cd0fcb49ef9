"""The secret key guards register and gateways against PHP programs, too."""

import pytest

from tests.php.conftest import KEY, Cluster, Open
from tests.php.programs import PhpClient, PhpError
from tests.support.waiting import eventually


@pytest.mark.parametrize("key", ["", f"{KEY}?"])
def test_the_register_refuses(cluster: Cluster, key: str) -> None:
    """A program with another key, or none, learns no address."""
    stranger = PhpClient(cluster.register.ready.listen, key)
    with stranger, pytest.raises(PhpError, match="closed the connection"):
        stranger("getAllClientIdCount")


@pytest.mark.parametrize(("key", "logged"), [("", "before a secret key"), (f"{KEY}?", "key")])
def test_a_gateway_refuses(cluster: Cluster, open_page: Open, key: str, logged: str) -> None:
    """A program that knows where a gateway is gets nothing there, and the log says why."""
    page, stranger = open_page(), PhpClient(cluster.register.ready.listen, key)
    with stranger, pytest.raises(PhpError, match="closed the connection"):
        stranger("sendToClient", page.client_id, "hello")
    assert page.received(cluster.ours) == []
    assert eventually(lambda: [each for each in cluster.gateways if logged in each.stderr])
