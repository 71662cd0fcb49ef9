"""For the tests of applications: gateways that record what they are asked, and need no cluster.

::

    def test_an_order_tells_its_customer(monkeypatch):
        gateway = RecordingGateway()
        monkeypatch.setattr("shop.views.Gateway", gateway)
        place_order(customer=42)
        assert gateway.arguments_of("send_to_uid") == [{"uid": 42, "message": {"type": "thanks"}}]

Arguments are checked as the real client checks them, so a test fails where the program would. Every
method succeeds and finds what a friendly cluster would: clients are there, messages reach one
connection, lists are empty; `answer` says otherwise.

A consumer is given what the test puts, and its loop ends where a real one would wait::

    gateway.put("chat", {"frame": {"type": "text", "data": "hello", "finish": True}}, uid=42)
    answer_everybody(gateway)                      # for message in gateway.consume("chat"): ...
    assert gateway.arguments_of("send_to_client") == [{"client_id": ANYBODY, "message": "hello to you"}]
    assert [message.uid for message in gateway.acknowledged] == ["42"]
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, Final, Generic, NamedTuple, Self, TypeVar, cast

from gateway_client.aio.consuming_methods import AsyncConsuming
from gateway_client.aio.methods import AsyncCurrentMethods, AsyncMethods
from gateway_client.blocking.consuming_methods import BlockingConsuming
from gateway_client.blocking.methods import BlockingCurrentMethods, BlockingMethods
from gateway_client.calls import METHODS, Builder
from gateway_client.calls.base import Call, EveryCall, OwnerCall, OwnersCall, ReadyCall
from gateway_client.calls.current import CURRENT
from gateway_client.facade import method_of
from gateway_client.options import check_options
from gateway_client.pipeline_methods import OUTSIDE, PipelineMethods
from gateway_client.reached import Reached
from gateway_client.recorded_queue import AsyncRecordingConsumer, RecordedQueue, RecordingConsumer
from gateway_client.subscription import Subscription
from gateway_client.troubles import OnError
from gateway_wire.commands import QueueMessage
from gateway_wire.commands.replies import COUNT, FLAG, SESSION
from gateway_wire.names import Name, name_of

__all__ = ["ANYBODY", "AsyncRecordingGateway", "RecordedCall", "RecordingGateway"]

ANYBODY: Final = "0" * 32
"""The client that sent a message of which the test does not say who did."""

C = TypeVar("C", bound="_Recorder")


class RecordedCall(NamedTuple):
    """One call that was made.

    Attributes:
        method: The method's name.
        arguments: The arguments that were given, by the names of the parameters.
    """

    method: str
    arguments: dict[str, Any]


class _Recorder:
    """What both recorders share: the record, and the answers.

    Attributes:
        calls: Every call, in order.
        lost: As the real ones count it; nothing is lost here unless the test says so.
        acknowledged: The messages that a consumer has acknowledged, in this order.
        given_back: Those that it gave back, by `nack` or since a handler raised; they do not come again.
    """

    def __init__(self) -> None:
        self.calls: list[RecordedCall] = []
        self.lost = 0
        self._answers: dict[str, Any] = {}
        self._queue = RecordedQueue(self)
        self._message_ids = itertools.count(1)
        self.acknowledged = self._queue.acknowledged
        self.given_back = self._queue.given_back

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {len(self.calls)} calls>"

    def arguments_of(self, method: str) -> list[dict[str, Any]]:
        """Return the arguments of each call of one method, in order."""
        return [call.arguments for call in self.calls if call.method == method]

    def answer(self, method: str, value: Any) -> None:
        """Say what a method returns from now on.

        Args:
            method: Its name.
            value: What it returns; an exception is raised; a callable is called with the arguments
                of the call, by name, and its result returned.

        Raises:
            ValueError: If there is no such method.
        """
        if method not in METHODS:
            raise ValueError(f"there is no method {method!r} that answers")
        self._answers[method] = value

    def put(
        self,
        topic: Name,
        data: Any,
        *,
        client_id: str = ANYBODY,
        uid: Name | None = None,
        headers: Mapping[str, str] | None = None,
        session: Mapping[Any, Any] | None = None,
        tries: int = 1,
    ) -> None:
        """Put a message where `consume` finds it, behind those that were put before.

        Args:
            topic: The topic.
            data: What `message.data` shall be.
            client_id: The client that sent it.
            uid: What the client was bound to.
            headers: The headers of its handshake.
            session: Its session.
            tries: How often it was sent, this time included; above 1 it is `redelivered`.
        """
        message = QueueMessage(
            next(self._message_ids),
            name_of("topic", topic),
            client_id,
            data,
            None if uid is None else name_of("uid", uid),
            dict(headers or {}),
            dict(session or {}),
            tries,
        )
        self._queue.put(message)

    def record(self, build: Builder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Check and record one call, and return its answer."""
        check_options(kwargs)
        call = build(*args, **kwargs)
        arguments = dict(inspect.signature(build).bind(*args, **kwargs).arguments)
        self.calls.append(RecordedCall(build.__name__, arguments))
        if not call.confirm:
            return None
        if build.__name__ not in self._answers:
            return _friendly(call)
        answer = self._answers[build.__name__]
        if isinstance(answer, BaseException):
            raise answer
        return answer(**arguments) if callable(answer) else answer


class RecordingGateway(_Recorder, BlockingConsuming, BlockingCurrentMethods, BlockingMethods):
    """Stands in for `Gateway` or a `GatewayClient` in tests.

    Attributes:
        calls: Every call, in order.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def pipeline(self, *, timeout: float | None = None) -> RecordingPipeline[RecordingGateway]:
        """Return a pipeline that records its commands with the others."""
        check_options({"timeout": timeout})
        return RecordingPipeline(self)

    def close(self) -> None:
        """Do nothing, as there is nothing to close."""

    def _make_consumer(
        self, asked: Subscription, *, manual_ack: bool, on_error: OnError | None
    ) -> RecordingConsumer:
        return RecordingConsumer(self._queue, asked, manual_ack=manual_ack, on_error=on_error)


class AsyncRecordingGateway(_Recorder, AsyncConsuming, AsyncCurrentMethods, AsyncMethods):
    """Stands in for `AsyncGateway` or an `AsyncGatewayClient` in tests.

    Attributes:
        calls: Every call, in order.
    """

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def pipeline(self, *, timeout: float | None = None) -> RecordingPipeline[AsyncRecordingGateway]:
        """Return a pipeline that records its commands with the others."""
        check_options({"timeout": timeout})
        return RecordingPipeline(self)

    async def aclose(self) -> None:
        """Do nothing, as there is nothing to close."""

    def _make_consumer(
        self, asked: Subscription, *, manual_ack: bool, on_error: OnError | None
    ) -> AsyncRecordingConsumer:
        return AsyncRecordingConsumer(self._queue, asked, manual_ack=manual_ack, on_error=on_error)


class RecordingPipeline(PipelineMethods, Generic[C]):
    """A pipeline that records, for `with` and `async with`.

    Attributes:
        results: After the block, the answer to each command, or the exception.
    """

    def __init__(self, recorder: C) -> None:
        self.results: list[Any] = []
        self._recorder = recorder
        self._queued: list[Any] = []
        self._is_inside = False

    def __enter__(self) -> Self:
        self._is_inside = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_inside = False
        if error is None:
            self.results = self._queued

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, traceback)

    def record(self, build: Builder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Record one command."""
        if not self._is_inside:
            raise RuntimeError(OUTSIDE)
        check_options(kwargs)
        build(*args, **kwargs)  # a wrong argument is raised here, as in a real pipeline
        try:
            self._queued.append(self._recorder.record(build, args, kwargs))
        except Exception as error:  # noqa: BLE001 - whatever the test told it to raise
            self._queued.append(error)


def _friendly(call: Call[Any]) -> Any:
    """Return what a cluster would answer in which everybody is there and has nothing."""
    if isinstance(call, OwnerCall):
        return call.combine([_FRIENDLY.get(call.command.reply)])
    if isinstance(call, EveryCall):
        return call.combine([] if call.is_query else [1])
    if isinstance(call, OwnersCall):
        return Reached(len(call.owners))
    return cast("ReadyCall[Any]", call).value


_FRIENDLY = {FLAG: True, COUNT: 1, SESSION: {}}


def _recording(build: Builder) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return self.record(build, args, kwargs)

    return method


def _async_recording(build: Builder) -> Callable[..., Coroutine[Any, Any, Any]]:
    async def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return self.record(build, args, kwargs)

    return method


# The methods themselves are those of the facades; here each is made to record.
for _name, _build in METHODS.items():
    setattr(RecordingGateway, _name, method_of(_build, _recording(_build), "{}"))
    setattr(AsyncRecordingGateway, _name, method_of(_build, _async_recording(_build), "{}"))
    setattr(RecordingPipeline, _name, method_of(_build, _recording(_build), "None"))
for _name, _build in CURRENT.items():
    setattr(RecordingGateway, _name, method_of(_build, _recording(_build), "None"))
    setattr(AsyncRecordingGateway, _name, method_of(_build, _async_recording(_build), "None"))
