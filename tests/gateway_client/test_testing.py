"""The recorders that users' tests work with."""

from __future__ import annotations

import inspect

import pytest

from gateway_client import METHODS, Gateway, GatewayUnavailable, InvalidClientId, Reached
from gateway_client.testing import AsyncRecordingGateway, RecordedCall, RecordingGateway

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
