"""What the sends ask."""

from __future__ import annotations

import pytest

from gateway_client import calls
from gateway_client.calls.base import EveryCall, OwnerCall, OwnersCall, ReadyCall
from gateway_client.errors import InvalidClientId
from gateway_wire import commands as wire

CLIENT = "aaaaaaaaaaaa" + "0" * 20
OTHER = "bbbbbbbbbbbb" + "0" * 20


def test_to_all_is_one_command_to_every_gateway() -> None:
    """Excluded ids go along; without any the field is nil."""
    call = calls.send_to_all({"a": 1}, exclude_client_ids=CLIENT)
    assert isinstance(call, EveryCall)
    assert call.command == wire.SendToAll('{"a":1}', [CLIENT])
    plain = calls.send_to_all("m", None, [])
    assert isinstance(plain, EveryCall)
    assert plain.command == wire.SendToAll("m", None)


def test_to_listed_clients_asks_their_gateways_only() -> None:
    """A list of ids is partitioned by owner, less the excluded ones; an empty one asks nobody."""
    call = calls.send_to_all("m", [CLIENT, OTHER], OTHER)
    assert isinstance(call, OwnersCall)
    assert call.owners == {CLIENT: "n:aaaaaaaaaaaa"}
    for nobody in (calls.send_to_all("m", []), calls.send_to_all("m", [CLIENT], [CLIENT])):
        assert isinstance(nobody, ReadyCall)
        assert nobody.value == 0


def test_to_one_client_asks_its_gateway() -> None:
    """An id that is none is refused."""
    call = calls.send_to_client(CLIENT, b"m", confirm=False, timeout=2)
    assert isinstance(call, OwnerCall)
    assert (call.command, call.node_key) == (wire.SendToClients([CLIENT], b"m"), "n:aaaaaaaaaaaa")
    assert (call.confirm, call.timeout, call.size, call.combine([])) == (False, 2, 1, 0)
    for wrong in ("", "x" * 32, CLIENT.upper()):
        with pytest.raises(InvalidClientId):
            calls.send_to_client(wrong, "m")


def test_to_uids_and_groups_takes_one_or_several() -> None:
    """Names travel as text, each once; an empty list asks nobody."""
    to_uid = calls.send_to_uid([1, "1", "b"], "é", strict=True)
    assert isinstance(to_uid, EveryCall)
    assert (to_uid.command, to_uid.strict, to_uid.size) == (
        wire.SendToUids(["1", "b"], "é"),
        True,
        2,
    )
    to_group = calls.send_to_group("g", "m", [CLIENT])
    assert isinstance(to_group, EveryCall)
    assert to_group.command == wire.SendToGroups(["g"], "m", [CLIENT])
    assert isinstance(calls.send_to_uid([], "m"), ReadyCall)
    assert isinstance(calls.send_to_group([], "m"), ReadyCall)


def test_arguments_are_checked_even_when_nobody_is_asked() -> None:
    """A wrong message is an error whoever it was for."""
    with pytest.raises(TypeError):
        calls.send_to_uid([], None)  # type: ignore[arg-type]
