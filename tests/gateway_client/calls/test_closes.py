"""What the closes ask."""

from __future__ import annotations

import pytest

from gateway_client import calls
from gateway_client.calls.base import EveryCall, OwnerCall, ReadyCall
from gateway_wire import commands as wire

CLIENT = "aaaaaaaaaaaa" + "0" * 20


def test_a_close_carries_message_code_and_reason() -> None:
    """Without arguments it closes with 1000 and no message."""
    call = calls.close_client(CLIENT, {"bye": 1}, 4001, "done")
    assert isinstance(call, OwnerCall)
    assert call.command == wire.CloseClient(CLIENT, '{"bye":1}', 4001, "done")
    plain = calls.close_client(CLIENT)
    assert isinstance(plain, OwnerCall)
    assert plain.command == wire.CloseClient(CLIENT, None, 1000, "")
    destroy = calls.destroy_client(CLIENT)
    assert isinstance(destroy, OwnerCall)
    assert destroy.command == wire.DestroyClient(CLIENT)


def test_uids_and_groups_are_closed_everywhere() -> None:
    """Every gateway is asked; an empty list closes nobody."""
    uid, group = calls.close_uid(5, "bye", 3501), calls.close_group(["a", "b"])
    assert isinstance(uid, EveryCall)
    assert isinstance(group, EveryCall)
    assert uid.command == wire.CloseUids(["5"], "bye", 3501, "")
    assert group.command == wire.CloseGroups(["a", "b"], None, 1000, "")
    assert isinstance(calls.close_uid([]), ReadyCall)
    assert isinstance(calls.close_group([]), ReadyCall)


@pytest.mark.parametrize("code", [999, 1001, 1006, 3000, 5000])
def test_codes_that_are_not_the_applications_are_refused(code: int) -> None:
    """The close-code catalogue decides, before anything travels."""
    for close in (calls.close_client, calls.close_uid, calls.close_group):
        with pytest.raises(ValueError, match=f"close code {code}"):
            close(CLIENT, None, code)


def test_a_reason_fits_a_close_frame() -> None:
    """At most 123 bytes."""
    with pytest.raises(ValueError, match="124 bytes"):
        calls.close_client(CLIENT, reason="x" * 124)
