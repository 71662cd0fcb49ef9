"""Workers that consume, too: on links of their own, with replies over the worker's."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from gateway_client import GatewayClient
from gateway_process.errors import ExitCode
from tests.support.cluster import Browser, browse, gateway, register
from tests.support.daemons import Daemon
from tests.support.waiting import eventually
from tests.support.workers import Journal, metric, worker

ROUTES = ("--route", "/chat=queue:chat", "--route", "/orders=queue:orders")


class Stage(NamedTuple):
    """A gateway and its worker, and whoever looks at the queues."""

    serving: Daemon
    journal: Journal
    client: GatewayClient
    browse: Callable[[str], Browser]


@pytest.fixture
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """Start a cluster with the application that the test names."""
    journal = Journal(tmp_path)
    with ExitStack() as stack:
        directory = stack.enter_context(register())
        door = stack.enter_context(gateway(directory, *ROUTES))
        serving = worker(directory, request.param, environment=journal.environment)
        stack.enter_context(serving)
        eventually(lambda: metric(door, "workers") == 1)
        client = stack.enter_context(GatewayClient(directory.ready.listen, secret_key=""))
        yield Stage(
            serving,
            journal,
            client,
            lambda path: stack.enter_context(browse(door.ready.ws + path)),
        )


@pytest.mark.parametrize(
    ("stage", "kind"),
    [("consuming", "task"), ("consuming:Blocking", "thread")],
    indirect=["stage"],
)
def test_a_worker_consumes_beside_its_events(stage: Stage, kind: str) -> None:
    """In the background and in a handler; its stop is in order, and ends what is consumed."""
    chatting, ordering, page = (stage.browse(path) for path in ("/chat", "/orders", "/"))
    chatting.socket.send("hello")
    assert chatting.text() == f"a {kind} got hello"
    ordering.socket.send("tea")
    page.socket.send("next")
    assert page.text() == "a handler got tea"
    stage.serving.stop(code=ExitCode.OK)
    assert len(stage.journal.notes("stop")) == 1
    chatting.socket.send("left")
    eventually(lambda: stage.client.get_all_queues()["chat"]["waiting"] == 1)
    chat = stage.client.get_all_queues()["chat"]
    assert (chat["pushed"], chat["delivered"], chat["acknowledged"]) == (2, 1, 1)
    assert (chat["consumers"], chat["unacknowledged"]) == (0, 0)
    assert "Traceback" not in stage.serving.stderr
