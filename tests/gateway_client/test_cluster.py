"""Whom a call asks."""

from typing import Any

import pytest

from gateway_client import calls
from gateway_client.calls import Call
from gateway_client.cluster import Cluster
from gateway_client.config import configure
from gateway_client.directory import Node
from gateway_client.errors import GatewayUnavailable, MessageTooLarge
from gateway_wire import commands as wire
from gateway_wire.addresses import Address

A = Node("aaaaaaaaaaaa", Address("h", 1), 0, ("n:aaaaaaaaaaaa", "p:0123456789ab"))
B = Node("bbbbbbbbbbbb", Address("h", 2), 0, ("n:bbbbbbbbbbbb",))
ON_A = A.node_id + "0" * 20
ON_A_PHP = "0123456789ab" + "0" * 8
ON_B = B.node_id + "0" * 20
NOWHERE = "c" * 32


def cluster(*nodes: Node) -> Cluster:
    """A cluster that knows these gateways."""
    made = Cluster(configure("r:1", "", max_message=10))
    made.directory.learn(nodes)
    return made


def asked(call: Call[Any], *nodes: Node) -> dict[str, wire.Command]:
    """The command that each gateway is asked."""
    return {node.node_id: command for node, command in cluster(*nodes).plan(call, 0.0)[1]}


def test_a_call_to_all_asks_every_gateway_the_same() -> None:
    """All gateways get the very same command, so that it is encoded once."""
    commands = list(asked(calls.send_to_uid("u", "m"), A, B).values())
    assert len(commands) == 2
    assert commands[0] is commands[1]


def test_without_gateways_there_is_nobody_to_ask() -> None:
    """The error names the register."""
    with pytest.raises(GatewayUnavailable, match="no gateway is announced at the register r:1"):
        cluster().plan(calls.get_all_client_count(), 0.0)


def test_a_call_for_one_client_asks_its_gateway() -> None:
    """Every written form of an id finds its gateway; nobody is asked about an unknown one."""
    assert list(asked(calls.is_online(ON_B), A, B)) == [B.node_id]
    assert list(asked(calls.is_online(ON_A_PHP), A, B)) == [A.node_id]
    assert asked(calls.is_online(NOWHERE), A, B) == {}


def test_several_clients_are_asked_where_they_are() -> None:
    """Each gateway is told about its own clients, in all their forms, and unknown ones are left out."""
    commands = asked(calls.send_to_all("m", [ON_A, ON_B, ON_A_PHP, NOWHERE]), A, B)
    assert commands == {
        A.node_id: wire.SendToClients([ON_A, ON_A_PHP], "m"),
        B.node_id: wire.SendToClients([ON_B], "m"),
    }


def test_excluded_clients_are_not_asked_for() -> None:
    """Excluding from a list needs no gateway."""
    assert asked(calls.send_to_all("m", [ON_A, ON_B], [ON_B]), A, B) == {
        A.node_id: wire.SendToClients([ON_A], "m")
    }


def test_a_single_gateway_is_asked_for_its_counter() -> None:
    """Counts of uids are cheap with one gateway and exact with several."""
    assert asked(calls.get_all_uid_count(), A) == {A.node_id: wire.CountUids()}
    assert set(map(type, asked(calls.get_all_uid_count(), A, B).values())) == {wire.ListUids}


def test_gateways_that_are_left_alone_are_named() -> None:
    """A silent gateway is not asked, and its share counts as not sent."""
    made = cluster(A, B)
    made.health.timed_out(B.node_id, "did not answer", 0.0)
    tally, asks = made.plan(calls.send_to_uid("u", "m"), 0.5)
    assert [node for node, _ in asks] == [A]
    tally.answered(1)
    assert tally.result().not_sent[0].node_id == B.node_id


def test_unknown_owners_are_to_be_looked_up() -> None:
    """Keys that nobody announced are named, unless they were looked up lately."""
    made = cluster(A)
    assert made.unknown(calls.is_online(NOWHERE), 0.0) == ["n:cccccccccccc"]
    assert made.unknown(calls.send_to_all("m", [ON_A, ON_B]), 0.0) == ["n:bbbbbbbbbbbb"]
    assert made.unknown(calls.get_all_client_count(), 0.0) == []
    made.directory.note_absent(["n:cccccccccccc"], 0.0)
    assert made.unknown(calls.is_online(NOWHERE), 0.5) == []


def test_a_message_above_the_limit_is_refused_before_anybody_is_asked() -> None:
    """max_message counts bytes."""
    made = cluster(A)
    assert made.unknown(calls.send_to_uid("u", "x" * 10), 0.0) == []
    with pytest.raises(MessageTooLarge, match="the message has 12 bytes, the limit is 10"):
        made.unknown(calls.send_to_uid("u", "é" * 6), 0.0)


def test_a_child_takes_over_the_gateways() -> None:
    """What was known is known after a fork, without a register's answer."""
    child = cluster(A).renewed()
    assert child.directory.nodes == (A,)
    assert "r:1" in repr(child)
