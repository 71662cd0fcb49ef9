"""A worker in PHP: the events it is told, and what it does with them."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from gateway_client import GatewayClient
from tests.php.programs import PhpWorker
from tests.support.cluster import Browser, browse, close_code, gateway, get_text, register, split
from tests.support.waiting import eventually


class Stage:
    """A register, two gateways and a worker in PHP.

    Attributes:
        register: The register.
        gateways: The gateways.
        worker: The worker.
        ours: Our own client.
    """

    def __init__(self, stack: ExitStack) -> None:
        self.register = stack.enter_context(register())
        self.gateways = [
            stack.enter_context(gateway(self.register, "--php-start-port", "0")) for _ in range(2)
        ]
        self.worker = stack.enter_context(self.another_worker("Events:0"))
        self.ours = stack.enter_context(GatewayClient(self.register.ready.listen))
        self.has_workers(1)

    def another_worker(self, name: str) -> PhpWorker:
        """Give one more worker, not yet started."""
        return PhpWorker(self.register.ready.listen, name)

    def has_workers(self, number: int) -> None:
        """Wait until every gateway has so many workers."""
        line = f"\ngatewayworker_gateway_workers {number}"
        http = [each.ready.http for each in self.gateways]
        eventually(lambda: all(line in get_text(each, "/metrics") for each in http))


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """A stage for all tests here; nobody is connected when one begins."""
    with ExitStack() as stack:
        yield Stage(stack)


@pytest.fixture
def page(stage: Stage) -> Iterator[Browser]:
    """A browser whose worker has been told that it came."""
    with browse(f"{stage.gateways[0].ready.ws}/chat?room=7&tags[]=a", origin=None) as browser:
        yield browser
    while told(stage.worker)["event"] != "close":
        pass


def told(worker: PhpWorker) -> dict[str, Any]:
    """Give the next event."""
    return worker.event()


def opened(worker: PhpWorker) -> dict[str, Any]:
    """Read the two events of an opening; give what the handshake told."""
    connect, websocket = told(worker), told(worker)
    assert [connect["event"], websocket["event"]] == ["connect", "websocket"]
    assert connect["client_id"] == websocket["client_id"]
    return websocket


def test_it_knows_every_gateway(stage: Stage) -> None:
    """The register told it of both gateways."""
    assert stage.worker.ready.gateways == "2"


def test_opening(stage: Stage, page: Browser) -> None:
    """It is told who came, from where, and what the request of the handshake was."""
    event = opened(stage.worker)

    assert event["client_id"] == page.client_id
    assert event["session"] == []
    assert event["from"] == "127.0.0.1"
    assert event["port"] == split(stage.gateways[0].ready.ws)[1]
    assert event["body"]["get"] == {"room": "7", "tags": ["a"]}
    assert event["body"]["server"]["REQUEST_URI"] == "/chat?room=7&tags[]=a"


def test_messages(stage: Stage, page: Browser) -> None:
    """It gets each message in order, and answers on the same link."""
    opened(stage.worker)
    for number in range(100):
        page.socket.send(f"echo {number}")
    assert [page.text() for _ in range(100)] == [str(number) for number in range(100)]
    assert [told(stage.worker)["body"] for _ in range(100)] == [
        f"echo {number}" for number in range(100)
    ]


def test_session(stage: Stage, page: Browser) -> None:
    """It gets the session with each event; what it writes back the next event has, and our client."""
    opened(stage.worker)
    stage.ours.set_session(page.client_id, {"name": "Ann"})
    page.socket.send("count")
    assert told(stage.worker)["session"] == {"name": "Ann"}

    eventually(lambda: stage.ours.get_session(page.client_id) == {"count": 1, "name": "Ann"})
    page.socket.send("count")
    assert told(stage.worker)["session"] == {"count": 1, "name": "Ann"}


def test_uid_and_group(stage: Stage, page: Browser) -> None:
    """What it binds and joins our client sees, and what it publishes the group gets."""
    for order in ("bind ann", "join red", "publish red"):
        page.socket.send(order)
    assert page.text() == "red"
    assert stage.ours.get_client_id_by_uid("ann") == [page.client_id]
    assert stage.ours.get_client_id_list_by_group("red") == [page.client_id]


@pytest.mark.parametrize(("order", "code"), [("close bye", 1000), ("destroy", 1006)])
def test_closing(stage: Stage, page: Browser, order: str, code: int) -> None:
    """It may close a connection, and is told of the end with the session."""
    opened(stage.worker)
    stage.ours.set_session(page.client_id, {"n": 1})
    page.socket.send(order)
    assert told(stage.worker)["body"] == order
    assert close_code(page) == code


def test_the_end_brings_the_session(stage: Stage) -> None:
    """The event of an end has the session as it was last."""
    with browse(stage.gateways[1].ready.ws) as page:
        opened(stage.worker)
        stage.ours.set_session(page.client_id, {"n": 1})
    event = told(stage.worker)
    assert [event["event"], event["client_id"], event["session"]] == [
        "close",
        page.client_id,
        {"n": 1},
    ]


def test_a_gateway_that_comes_later(stage: Stage) -> None:
    """The register tells of it while the link lives, and of its end."""
    with gateway(stage.register, "--php-start-port", "0") as late:
        assert told(stage.worker) == {"event": "gateways", "count": 3}
        with browse(late.ready.ws) as page:
            assert opened(stage.worker)["client_id"] == page.client_id
        assert told(stage.worker)["event"] == "close"
        late.stop()
    assert told(stage.worker) == {"event": "gateways", "count": 2}


def test_another_takes_over(stage: Stage) -> None:
    """When a worker dies its clients go on with another one."""
    with browse(stage.gateways[0].ready.ws) as page:
        opened(stage.worker)
        with stage.another_worker("Events:1") as other:
            stage.has_workers(2)
            stage.worker.kill()
            stage.has_workers(1)
            page.socket.send("echo still here")
            assert page.text() == "still here"
            assert told(other)["body"] == "echo still here"
            stage.worker.start()
            stage.has_workers(2)
