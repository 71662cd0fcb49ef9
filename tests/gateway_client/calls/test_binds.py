"""What the binds ask."""

from __future__ import annotations

import pytest

from gateway_client import calls
from gateway_client.calls.base import Call, EveryCall, OwnerCall
from gateway_wire import commands as wire

CLIENT = "aaaaaaaaaaaa" + "0" * 20


@pytest.mark.parametrize(
    ("call", "command"),
    [
        (calls.bind_uid(CLIENT, 0), wire.BindUid(CLIENT, "0")),
        (calls.unbind_uid(CLIENT, "u"), wire.UnbindUid(CLIENT, "u")),
        (calls.join_group(CLIENT, 7), wire.JoinGroups(CLIENT, ["7"])),
        (calls.leave_group(CLIENT, ["a", "b"]), wire.LeaveGroups(CLIENT, ["a", "b"])),
    ],
    ids=["bind_uid", "unbind_uid", "join_group", "leave_group"],
)
def test_a_bind_asks_the_clients_gateway(call: Call[bool], command: wire.Command) -> None:
    """An offline client gives False."""
    assert isinstance(call, OwnerCall)
    assert (call.command, call.combine([]), call.combine([True])) == (command, False, True)


def test_a_group_is_dissolved_everywhere() -> None:
    """The result counts the former members."""
    call = calls.ungroup("g", strict=True)
    assert isinstance(call, EveryCall)
    assert (call.command, call.strict, call.combine([1, 2])) == (wire.Ungroup("g"), True, 3)


def test_an_empty_uid_is_refused() -> None:
    """PHP's empty values are errors here, and 0 is a uid."""
    for wrong in ("", None, False):
        with pytest.raises((ValueError, TypeError)):
            calls.bind_uid(CLIENT, wrong)  # type: ignore[arg-type]
