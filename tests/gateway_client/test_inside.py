"""What the class-level clients do when their process is a worker; the worker's own side is businessworker's."""

from __future__ import annotations

import contextvars
import os
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar, cast

import pytest

from gateway_client import AsyncGateway, Gateway, GatewayClient, MessageTooLarge, inside
from gateway_client.calls.base import Call
from gateway_wire.commands import CloseClient, Command, DestroyClient, SendToClients
from tests.gateway_client.peers import FakeRegister

R = TypeVar("R")
CLIENT = "a" * 32


class Worker:
    """A worker that keeps what it is given, and answers with its name."""

    def __init__(self) -> None:
        self.max_message = 100
        self.lost = 7
        self.calls: list[tuple[str, Any]] = []

    def run(self, call: Call[R]) -> R:
        self.calls.append(("run", call.name))
        return cast("R", call.name)

    async def run_async(self, call: Call[R]) -> R:
        self.calls.append(("run_async", call.name))
        return cast("R", call.name)

    def run_all(self, calls: Sequence[Call[Any]], timeout: float | None) -> list[Any]:
        self.calls.append(("run_all", timeout))
        return [call.name for call in calls]

    def refuse_on_loop(self, name: str) -> None:
        raise RuntimeError(f"{name} on the loop")

    async def run_all_async(self, calls: Sequence[Call[Any]], timeout: float | None) -> list[Any]:
        self.calls.append(("run_all_async", timeout))
        return [call.name for call in calls]


class Current:
    """The client of an event."""

    def __init__(self) -> None:
        self.client_id = CLIENT
        self.sent: list[Command] = []

    def send(self, command: Command) -> None:
        self.sent.append(command)


@pytest.fixture
def worker() -> Iterator[Worker]:
    """A worker that this process is."""
    worker = Worker()
    inside.install(worker)
    yield worker
    inside.uninstall()


def in_event(current: Current, *calls: Any) -> None:
    """Make calls as a handler of this client's event does."""
    context = contextvars.copy_context()
    context.run(inside.current_client.set, current)
    for call in calls:
        context.run(call)


async def test_calls_and_pipelines_go_to_the_worker(worker: Worker) -> None:
    """Both class-level clients hand over what they are asked, and what was lost is the worker's."""
    answers: list[object] = [Gateway.send_to_uid(1, "m"), await AsyncGateway.bind_uid(CLIENT, 1)]
    assert answers == ["send_to_uid", "bind_uid"]
    with Gateway.pipeline(timeout=2) as pipeline:
        pipeline.send_to_uid(1, "m")
    assert pipeline.results == ["send_to_uid"]
    async with AsyncGateway.pipeline() as asynchronous:
        asynchronous.join_group(CLIENT, "g")
    assert asynchronous.results == ["join_group"]
    assert worker.calls == [
        ("run", "send_to_uid"),
        ("run_async", "bind_uid"),
        ("run_all", 2),
        ("run_all_async", None),
    ]
    assert (Gateway.lost, AsyncGateway.lost) == (7, 7)
    Gateway.close()
    await AsyncGateway.aclose()


@pytest.mark.parametrize("facade", [Gateway, AsyncGateway])
def test_a_pipelines_timeout_is_checked(worker: Worker, facade: Any) -> None:
    """A wrong one is told before anything is queued."""
    with pytest.raises(ValueError, match="timeout is 0"):
        facade.pipeline(timeout=0)


def test_others_keep_links_of_their_own(worker: Worker, register: FakeRegister) -> None:
    """A subclass and a client object do not speak through the worker."""

    class Other(Gateway):
        register_address = str(register.address)
        secret_key = ""

    assert Other.get_all_client_count() == 0
    assert Other.lost == 0
    Other.close()
    with GatewayClient(str(register.address), secret_key="") as client:
        assert client.get_all_client_count() == 0
    assert worker.calls == []


def test_the_current_client_is_that_of_the_event(worker: Worker) -> None:
    """Messages of every form, a close with and without a last word, and a cut."""
    current = Current()
    in_event(
        current,
        lambda: Gateway.send_to_current_client("text"),
        lambda: Gateway.send_to_current_client(b"\x00"),
        lambda: Gateway.send_to_current_client({"n": [1]}),
        lambda: Gateway.close_current_client({"bye": 1}),
        Gateway.close_current_client,
        Gateway.destroy_current_client,
    )
    assert current.sent == [
        SendToClients([CLIENT], "text"),
        SendToClients([CLIENT], b"\x00"),
        SendToClients([CLIENT], '{"n":[1]}'),
        CloseClient(CLIENT, '{"bye":1}'),
        CloseClient(CLIENT),
        DestroyClient(CLIENT),
    ]


def test_it_is_unknown_outside_of_an_event() -> None:
    """The error says where it may be called, and what to use elsewhere."""
    with pytest.raises(RuntimeError, match=r"outside of an event.*use send_to_client"):
        Gateway.send_to_current_client("m")
    with pytest.raises(RuntimeError, match=r"close_current_client.*use close_client"):
        Gateway.close_current_client()
    with pytest.raises(RuntimeError, match=r"destroy_current_client.*use destroy_client"):
        Gateway.destroy_current_client()


def test_messages_to_it_are_checked(worker: Worker) -> None:
    """As those to everybody else, by the worker's limit; a test without a worker has the default's."""
    current = Current()
    with pytest.raises(MessageTooLarge):
        in_event(current, lambda: Gateway.send_to_current_client("m" * 101))
    with pytest.raises(TypeError, match="a message is"):
        Gateway.send_to_current_client(7)  # type: ignore[arg-type]
    inside.uninstall()
    in_event(current, lambda: Gateway.send_to_current_client("m" * 101))
    assert len(current.sent) == 1


async def test_awaiting_it_gives_up_no_turn(worker: Worker) -> None:
    """The asyncio methods end in the first step."""
    current = Current()
    said = AsyncGateway.send_to_current_client("m")

    def step() -> None:
        with pytest.raises(StopIteration):
            said.send(None)

    in_event(current, step)
    assert current.sent == [SendToClients([CLIENT], "m")]


def test_only_the_class_level_clients_have_it() -> None:
    """A client object may belong to another cluster than the event."""
    assert not hasattr(GatewayClient, "send_to_current_client")


def test_a_forked_child_is_outside(worker: Worker) -> None:
    """It has neither the worker nor its client, also within the handler that forked."""

    def handler() -> None:
        child = os.fork()
        if child == 0:
            is_outside = inside.worker is None and inside.current_client.get() is None
            os._exit(0 if is_outside else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    in_event(Current(), handler)
    assert inside.worker is worker
