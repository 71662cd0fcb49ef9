"""CONNMIX's names for sessions and groups."""

from __future__ import annotations

import pytest

from gateway_client import GatewayFailure, MessageTooLarge, Published, calls
from gateway_client.calls.base import EveryCall, OwnerCall, ReadyCall
from gateway_wire import commands as wire

CLIENT = "aaaaaaaaaaaa" + "0" * 20
NODE = "n:aaaaaaaaaaaa"


def test_the_context_is_the_session() -> None:
    """It is replaced whole, or one key of it, at the client's gateway."""
    whole, one = calls.set_context(CLIENT, {"a": 1}), calls.set_context_value(CLIENT, 7, {"b": []})
    assert isinstance(whole, OwnerCall)
    assert isinstance(one, OwnerCall)
    assert (whole.command, whole.node_key) == (wire.SetSession(CLIENT, {"a": 1}), NODE)
    assert one.command == wire.PatchSession(CLIENT, {7: {"b": []}}, [], known=False)
    assert (one.combine([True]), one.combine([])) == (True, False)


def test_a_value_is_what_a_session_can_hold() -> None:
    """The error names the place."""
    with pytest.raises(TypeError, match=r"session\['when'\]\['at'\] is of type object"):
        calls.set_context_value(CLIENT, "when", {"at": object()})
    with pytest.raises(TypeError, match=r"has the key 1\.5 of type float"):
        calls.set_context_value(CLIENT, 1.5, 1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a session is a dict, not list"):
        calls.set_context(CLIENT, [])  # type: ignore[arg-type]


def test_channels_are_groups() -> None:
    """Subscribing is joining, for several at once, each once."""
    joining, leaving = calls.subscribe(CLIENT, "a", 1, "1"), calls.unsubscribe(CLIENT, "a")
    assert isinstance(joining, OwnerCall)
    assert isinstance(leaving, OwnerCall)
    assert joining.command == wire.JoinGroups(CLIENT, ["a", "1"])
    assert leaving.command == wire.LeaveGroups(CLIENT, ["a"])
    assert (joining.node_key, joining.combine([False])) == (NODE, False)


def test_wrong_channels_are_named() -> None:
    """None at all, an empty one, and a list where names stand one by one."""
    with pytest.raises(TypeError, match="subscribe needs at least one channel"):
        calls.subscribe(CLIENT)
    with pytest.raises(TypeError, match="unsubscribe needs at least one channel"):
        calls.unsubscribe(CLIENT)
    with pytest.raises(ValueError, match="a channel is never empty"):
        calls.subscribe(CLIENT, "")
    with pytest.raises(TypeError, match="a channel is a str, int or UUID, not list"):
        calls.subscribe(CLIENT, ["a"])  # type: ignore[arg-type]


def test_publishing_is_sending_to_a_group() -> None:
    """All gateways are asked, and what they reached is added up."""
    call = calls.publish("news", {"a": 1})
    assert isinstance(call, EveryCall)
    assert call.command == wire.SendToGroups(["news"], '{"a":1}', None)
    assert call.size == len('{"a":1}')
    published = call.combine([2, 3])
    assert (published.success, published.fail, published.total) == (5, 0, 5)
    nobody = calls.publish([], "m")
    assert isinstance(nobody, ReadyCall)
    assert nobody.value == 0


def test_a_channel_has_a_name() -> None:
    """As a group has."""
    with pytest.raises(TypeError, match="a channel is a str, int or UUID, not None"):
        calls.publish(None, "m")  # type: ignore[arg-type]
    with pytest.raises(MessageTooLarge):
        calls.publish("x" * 1025, "m")


def test_a_gateway_that_is_missing_counts_as_one_failure() -> None:
    """Nobody knows how many subscribers it has; who it is stands beside."""
    failures = tuple(GatewayFailure(f"h:{n}", "n", "did not answer") for n in (1, 2))
    published = Published(7, failures[:1], failures[1:])
    assert (published, published.success, published.fail, published.total) == (7, 7, 2, 9)
    assert not published.is_complete
    assert repr(published) == "Published(success=7, fail=2, total=9)"
