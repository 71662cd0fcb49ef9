"""What is asked about who is online."""

from __future__ import annotations

from gateway_client import calls
from gateway_client.calls.base import EveryCall, OwnerCall, ReadyCall
from gateway_wire import commands as wire

CLIENT = "aaaaaaaaaaaa" + "0" * 20


def test_a_client_is_asked_for_at_its_gateway() -> None:
    """A client whose gateway is unknown is offline."""
    call = calls.is_online(CLIENT)
    assert isinstance(call, OwnerCall)
    assert (call.command, call.combine([])) == (wire.IsOnline(CLIENT), False)


def test_a_uid_is_online_if_any_gateway_has_it() -> None:
    """One gateway that lists it is enough."""
    call = calls.is_uid_online(5)
    assert isinstance(call, EveryCall)
    assert call.command == wire.OnlineUids(["5"])
    assert call.combine([[], ["5"]]) is True
    assert call.combine([[], []]) is False


def test_many_uids_are_answered_by_the_callers_own_values() -> None:
    """`1` and `"1"` are one uid, and both keys are answered."""
    call = calls.is_uids_online([1, "1", "b"])
    assert isinstance(call, EveryCall)
    assert call.command == wire.OnlineUids(["1", "b"])
    assert call.combine([["1"], []]) == {1: True, "1": True, "b": False}
    nobody = calls.is_uids_online([])
    assert isinstance(nobody, ReadyCall)
    assert nobody.value == {}
