"""The recorders that users' tests work with."""

from __future__ import annotations

import inspect

import pytest

from gateway_client import METHODS, Gateway, GatewayUnavailable, InvalidClientId, Reached
from gateway_client.aio.message import AsyncMessage
from gateway_client.blocking.message import Message
from gateway_client.testing import (
    ANYBODY,
    AsyncRecordingGateway,
    RecordedCall,
    RecordingGateway,
)

CLIENT = "a" * 32
ARGUMENTS = {
    "client_id": CLIENT,
    "client_ids": [CLIENT],
    "uid": 1,
    "uids": [1],
    "group": "g",
    "groups": ["g"],
    "message": "m",
    "session": {},
    "context": {},
    "key": "k",
    "value": 1,
    "channel": "g",
    "channels": "g",
    "data": "m",
}


def _arguments(name: str) -> list[object]:
    parameters = inspect.signature(METHODS[name]).parameters.values()
    return [ARGUMENTS[p.name] for p in parameters if p.default is p.empty]


def test_calls_are_recorded_as_they_were_made() -> None:
    """Each call stands in the record with the arguments that were given, by name."""
    gateway = RecordingGateway()
    gateway.send_to_uid(42, {"type": "thanks"})
    gateway.join_group(CLIENT, group="g")
    assert gateway.calls == [
        RecordedCall("send_to_uid", {"uid": 42, "message": {"type": "thanks"}}),
        RecordedCall("join_group", {"client_id": CLIENT, "group": "g"}),
    ]
    assert gateway.arguments_of("join_group") == [{"client_id": CLIENT, "group": "g"}]
    assert repr(gateway) == "<RecordingGateway 2 calls>"


def test_arguments_are_checked_as_by_the_real_one() -> None:
    """A wrong argument raises what the real client raises, and is not recorded."""
    gateway = RecordingGateway()
    with pytest.raises(TypeError):
        gateway.send_to_uid(None, "m")  # type: ignore[call-overload]
    with pytest.raises(InvalidClientId):
        gateway.is_online("nonsense")
    with pytest.raises(TypeError):
        gateway.is_online()  # type: ignore[call-arg]
    assert gateway.calls == []


def test_nothing_is_lost_unless_the_test_says_so() -> None:
    """Code that looks at `.lost` runs, and can be shown a loss."""
    gateway = RecordingGateway()
    gateway.send_to_uid(42, "m", confirm=False)
    assert gateway.lost == 0
    gateway.lost = 3
    assert gateway.lost == 3


@pytest.mark.parametrize("name", METHODS)
async def test_every_method_answers_as_a_friendly_cluster(name: str) -> None:
    """Both recorders know every method, and say the same."""
    value = getattr(RecordingGateway(), name)(*_arguments(name))
    assert await getattr(AsyncRecordingGateway(), name)(*_arguments(name)) == value
    if name.startswith(("send_", "close_", "ungroup")):
        assert value == 1
    elif name.startswith(("bind_", "join_", "is_online")):
        assert value is True


def test_what_a_method_answers_can_be_said() -> None:
    """A value, an exception to raise, or a function of the arguments."""
    gateway = RecordingGateway()
    gateway.answer("is_online", False)
    assert gateway.is_online(CLIENT) is False
    gateway.answer("send_to_uid", GatewayUnavailable((), ["r:1"]))
    with pytest.raises(GatewayUnavailable):
        gateway.send_to_uid(1, "m")
    gateway.answer("get_uid_by_client_id", lambda client_id: client_id[:3])
    assert gateway.get_uid_by_client_id(CLIENT) == "aaa"
    assert gateway.send_to_all("m", confirm=False) is None
    with pytest.raises(ValueError, match="no method 'sendToUid'"):
        gateway.answer("sendToUid", 1)


async def test_pipelines_are_recorded_with_the_rest() -> None:
    """Their commands stand in the record, their answers in the results."""
    gateway, agateway = RecordingGateway(), AsyncRecordingGateway()
    gateway.answer("is_online", GatewayUnavailable())
    with gateway.pipeline() as p:
        p.send_to_uid(1, "m")
        p.is_online(CLIENT)
        with pytest.raises(InvalidClientId):
            p.is_online("x")
    assert p.results[0] == Reached(1)
    assert isinstance(p.results[1], GatewayUnavailable)
    async with agateway.pipeline() as q:
        q.get_all_client_count()
    assert q.results == [0]
    assert [call.method for call in gateway.calls] == ["send_to_uid", "is_online"]
    gateway.close()
    await agateway.aclose()


def test_a_block_that_raises_has_no_results() -> None:
    """As with the real pipeline."""
    with pytest.raises(LookupError), RecordingGateway().pipeline() as p:  # noqa: PT012
        p.get_all_client_count()
        raise LookupError
    assert p.results == []


def test_the_signatures_are_the_real_ones() -> None:
    """A test that passes the wrong keyword fails as the program would."""
    assert inspect.signature(RecordingGateway().send_to_uid) == inspect.signature(
        Gateway.send_to_uid
    )


async def test_what_uses_a_client_of_its_own_can_be_tested() -> None:
    """They are context managers, as GatewayClient and AsyncGatewayClient are."""
    with RecordingGateway() as gateway:
        gateway.send_to_all("m")
    async with AsyncRecordingGateway() as agateway:
        await agateway.send_to_all("m")
    assert gateway.calls == agateway.calls


def test_what_is_queued_outside_of_the_block_is_refused() -> None:
    """As by the real pipeline."""
    gateway = RecordingGateway()
    with pytest.raises(RuntimeError, match="outside of the pipeline's with block"):
        gateway.pipeline().send_to_all("m")
    assert gateway.calls == []


async def test_what_is_said_to_the_current_client_is_recorded() -> None:
    """A handler's test needs no event; arguments are checked."""
    gateway, asynchronous = RecordingGateway(), AsyncRecordingGateway()
    gateway.send_to_current_client({"n": 1})
    gateway.close_current_client()
    await asynchronous.destroy_current_client()
    assert gateway.arguments_of("send_to_current_client") == [{"message": {"n": 1}}]
    assert gateway.arguments_of("close_current_client") == [{}]
    assert asynchronous.calls == [RecordedCall("destroy_current_client", {})]
    with pytest.raises(TypeError):
        gateway.send_to_current_client(7)  # type: ignore[arg-type]


def _answer_everybody(gateway: RecordingGateway) -> None:
    for message in gateway.consume("chat"):
        message.reply({"got": message.data})


async def _answer_everybody_async(gateway: AsyncRecordingGateway) -> None:
    async for message in gateway.consume("chat"):
        await message.reply({"got": message.data})


async def test_a_consumer_gets_what_the_test_puts() -> None:
    """In order, on its topics; then its loop ends. Replies and acknowledgements are recorded."""
    gateway, asynchronous = RecordingGateway(), AsyncRecordingGateway()
    for each in (gateway, asynchronous):
        each.put("chat", "a", client_id=CLIENT, uid=42, headers={"host": "h"}, session={"n": 1})
        each.put("other", "b")
        each.put("chat", "c", tries=2)
    _answer_everybody(gateway)
    await _answer_everybody_async(asynchronous)
    for each in (gateway, asynchronous):
        assert each.arguments_of("send_to_client") == [
            {"client_id": CLIENT, "message": {"got": "a"}},
            {"client_id": ANYBODY, "message": {"got": "c"}},
        ]
        first, second = each.acknowledged
        assert (first.topic, first.uid, first.headers, first.session, first.redelivered) == (
            "chat",
            "42",
            {"host": "h"},
            {"n": 1},
            False,
        )
        assert (second.tries, second.uid, second.redelivered) == (2, None, True)
        assert each.given_back == []


async def test_what_a_handler_raises_on_is_recorded_as_given_back() -> None:
    """And does not come again; `on_error` is told."""
    told: list[Exception] = []

    def handle(message: Message) -> None:
        if message.data == "bad":
            raise LookupError("no such order")

    async def handle_async(message: AsyncMessage) -> None:
        if message.data == "bad":
            raise LookupError("no such order")

    gateway, asynchronous = RecordingGateway(), AsyncRecordingGateway()
    for each in (gateway, asynchronous):
        for data in ("good", "bad", "fine"):
            each.put("chat", data)
    gateway.consume_with(handle, "chat", on_error=told.append)
    await asynchronous.consume_with(handle_async, "chat", on_error=told.append)
    for each in (gateway, asynchronous):
        assert [message.data for message in each.acknowledged] == ["good", "fine"]
        assert [message.data for message in each.given_back] == ["bad"]
    assert [str(error) for error in told] == ["no such order"] * 2


async def test_a_loop_that_is_left_acknowledges_as_the_real_one() -> None:
    """The message in hand stays open, and others wait for the next consumer."""
    gateway, asynchronous = RecordingGateway(), AsyncRecordingGateway()
    for each in (gateway, asynchronous):
        for number in range(3):
            each.put("chat", number)
    with gateway.consume("chat") as consumer:
        for message in consumer:
            if message.data == 1:
                break
    async with asynchronous.consume("chat") as aconsumer:
        async for amessage in aconsumer:
            if amessage.data == 1:
                break
    for each in (gateway, asynchronous):
        assert [message.data for message in each.acknowledged] == [0]
    assert [message.data for message in gateway.consume("chat")] == [2]
    assert [amessage.data async for amessage in asynchronous.consume("chat")] == [2]


async def test_what_a_consumer_gets_wrong_is_told_as_by_the_real_one() -> None:
    """Before a message is given."""
    gateway, asynchronous = RecordingGateway(), AsyncRecordingGateway()
    for each in (gateway, asynchronous):
        with pytest.raises(ValueError, match="names no topic"):
            each.consume()
        with pytest.raises(TypeError, match="a topic is a str, int or UUID"):
            each.put(None, "a")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="async def"):
        gateway.consume_with(_answer_everybody_async, "chat")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not async def"):
        await asynchronous.consume_with(_answer_everybody, "chat")  # type: ignore[arg-type]
