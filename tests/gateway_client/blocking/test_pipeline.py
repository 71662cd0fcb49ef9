"""The blocking pipeline over real sockets."""

from __future__ import annotations

import pytest

from gateway_client import GatewayClient, GatewayUnavailable, Reached, ReplyTimeout
from gateway_client.blocking.pipeline import MAX_OPEN
from gateway_wire import commands as wire
from tests.gateway_client.peers import FakeGateway, FakeRegister, mute


def test_results_stand_in_the_order_of_the_commands(
    client: GatewayClient, gateway: FakeGateway
) -> None:
    """Values of every kind, each at its place."""
    me = gateway.connect()
    with client.pipeline() as p:
        p.bind_uid(me, 1)
        p.send_to_uid([], "nobody")
        p.send_to_uid(1, "m")
        p.get_uid_list_by_group("g")
        p.is_online("c" * 32)
        p.send_to_all("m", confirm=False)
    assert p.results == [True, Reached(0), Reached(1), [], False, None]
    assert gateway.openings == 1


def test_each_command_fails_alone(client: GatewayClient, gateway: FakeGateway) -> None:
    """An exception stands at the place of its command; a wrong argument is raised at once."""
    client.get_all_client_count()
    gateway.fault = lambda link, command, request_id: link.send(
        wire.Reply(0) if isinstance(command, wire.CountClients) else wire.Error("invalid", "no"),
        request_id,
    )
    with client.pipeline() as p:
        p.get_all_client_count()
        p.get_all_client_id_list()
        with pytest.raises(TypeError):
            p.send_to_uid(None, "m")  # type: ignore[arg-type]
    assert p.results[0] == 0
    assert "refused: no (invalid)" in str(p.results[1])
    assert len(p.results) == 2


def test_a_long_pipeline_goes_through_in_order(client: GatewayClient, gateway: FakeGateway) -> None:
    """Far more than the sockets hold is sent and answered, in order."""
    count = MAX_OPEN * 3
    with client.pipeline() as p:
        for number in range(count):
            p.send_to_uid("u", f"{number}:{'x' * 100}")
    assert p.results == [0] * count
    sent = [str(command.message).partition(":")[0] for command in gateway.commands(wire.SendToUids)]
    assert sent == [str(number) for number in range(count)]


def test_a_gateway_that_stops_answering_fails_its_share(
    client: GatewayClient, register: FakeRegister, gateway: FakeGateway, other: FakeGateway
) -> None:
    """The other gateway's share is done; the silent one is named in each result."""
    register.tell(gateway, other)
    client.get_all_client_count()
    other.fault = mute
    there = other.connect()
    with client.pipeline(timeout=0.3) as p:
        p.send_to_all("m")
        p.is_online(there)
    assert p.results[0].unknown[0].node_id == other.node_id
    assert isinstance(p.results[1], ReplyTimeout)


def test_commands_for_a_gateway_that_is_gone_say_so(
    client: GatewayClient, gateway: FakeGateway
) -> None:
    """What cannot be sent is GatewayUnavailable, command by command."""
    client.get_all_client_count()
    gateway.stop()
    with client.pipeline() as p:
        p.send_to_all("m")
        p.send_to_all("m")
    assert [type(result) for result in p.results] == [GatewayUnavailable] * 2


def test_a_block_that_raises_sends_nothing(client: GatewayClient, gateway: FakeGateway) -> None:
    """What was queued is dropped and the exception goes on."""
    client.get_all_client_count()
    with pytest.raises(LookupError), client.pipeline() as p:  # noqa: PT012 - the block raises
        p.send_to_all("m")
        raise LookupError
    assert p.results == []
    client.get_all_client_count()
    assert gateway.commands(wire.SendToAll) == []


def test_it_keeps_its_place_among_the_threads_other_calls(
    client: GatewayClient, gateway: FakeGateway
) -> None:
    """An unconfirmed send before a pipeline arrives before it."""
    client.send_to_all("1", confirm=False)
    with client.pipeline() as p:
        p.send_to_all("2")
        p.send_to_all("3", confirm=False)
    client.send_to_all("4")
    assert [each.message for each in gateway.commands(wire.SendToAll)] == ["1", "2", "3", "4"]
    assert "Pipeline of 0 commands" in repr(client.pipeline())


def test_what_is_queued_outside_of_the_block_is_refused(client: GatewayClient) -> None:
    """Nothing would send it."""
    p = client.pipeline()
    with pytest.raises(RuntimeError, match="outside of the pipeline's with block"):
        p.send_to_all("before")
    with p:
        p.get_all_client_count()
    with pytest.raises(RuntimeError, match="outside of the pipeline's with block"):
        p.send_to_all("after")
    assert p.results == [0]
