"""What is asked about queues."""

from __future__ import annotations

from gateway_client import calls
from gateway_client.calls.base import EveryCall
from gateway_wire import commands as wire


def test_the_queues_of_all_gateways_are_added_up() -> None:
    """But for the age, and the consumers, who are at every gateway: there the largest counts."""
    call = calls.get_all_queues(partial="return")
    assert isinstance(call, EveryCall)
    assert (call.command, call.is_query, call.partial) == (wire.ListQueues(), True, "return")
    chat = {"waiting": 2, "age": 1.5, "consumers": 3}
    one = {"chat": chat, "dead:chat": {"waiting": 1}}
    other = {"chat": {"waiting": 5, "age": 0.5, "consumers": 2, "new": 1}}
    assert call.combine([one, other]) == {
        "chat": {"waiting": 7, "age": 1.5, "consumers": 3, "new": 1},
        "dead:chat": {"waiting": 1},
    }
    assert chat["waiting"] == 2
    assert call.combine([]) == {}
