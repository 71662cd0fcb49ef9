"""Tests of the ping wheel."""

from __future__ import annotations

import pytest

from gateway.edge.keepalive import KeepAlive


class Client:
    """A connection that counts pings and answers or not."""

    def __init__(self, *, answers: bool = True) -> None:
        self.pings = 0
        self.answers = answers

    def ping(self) -> None:
        self.pings += 1

    def silent(self) -> bool:
        return bool(self.pings) and not self.answers


def wheel(interval: int, timeout: int) -> tuple[KeepAlive[Client], list[Client]]:
    """Return a wheel and the list of those given up."""
    given_up: list[Client] = []
    return KeepAlive(interval, timeout, given_up.append), given_up


def test_every_client_is_pinged_once_an_interval() -> None:
    """In one round of the wheel each connection gets one ping."""
    keepalive, _ = wheel(25, 20)
    clients = [Client() for _ in range(100)]
    for client in clients:
        keepalive.add(client)
    for _ in range(25):
        keepalive.turn()

    assert {client.pings for client in clients} == {1}


def test_an_accept_storm_is_no_ping_storm() -> None:
    """Connections that come at the same time are pinged evenly over the interval."""
    keepalive, _ = wheel(25, 20)
    clients = [Client() for _ in range(15_000)]
    for client in clients:
        keepalive.add(client)
    keepalive.turn()

    assert sum(client.pings for client in clients) == 600


@pytest.mark.parametrize(("interval", "timeout"), [(5, 3), (5, 5), (1, 1)])
def test_silence_is_judged_after_the_timeout(interval: int, timeout: int) -> None:
    """A silent client is given up `timeout` ticks after its ping, not earlier."""
    keepalive, given_up = wheel(interval, timeout)
    client = Client(answers=False)
    keepalive.add(client)
    while not client.pings:
        keepalive.turn()
    for _ in range(timeout - 1):
        keepalive.turn()
    before = list(given_up)
    keepalive.turn()

    assert before == []
    assert given_up == [client]


def test_a_client_that_answers_stays() -> None:
    """Signs of life keep a connection for ever."""
    keepalive, given_up = wheel(3, 2)
    keepalive.add(Client())
    for _ in range(50):
        keepalive.turn()

    assert given_up == []


def test_a_new_client_is_not_judged_before_its_first_ping() -> None:
    """The timeout hand says nothing about those that were not asked."""
    keepalive, given_up = wheel(4, 2)
    clients = [Client(answers=False) for _ in range(4)]
    for client in clients:
        keepalive.add(client)
    keepalive.turn()
    keepalive.turn()

    assert given_up == []


def test_a_removed_client_is_left_alone() -> None:
    """Removing forgets, and may be done twice."""
    keepalive, given_up = wheel(2, 1)
    client = Client(answers=False)
    slot = keepalive.add(client)
    keepalive.remove(slot, client)
    keepalive.remove(slot, client)
    for _ in range(5):
        keepalive.turn()

    assert (client.pings, given_up) == (0, [])


def test_messages_go_out_with_the_pings() -> None:
    """`on_interval` is called for each connection that is pinged."""
    keepalive, _ = wheel(2, 1)
    client, sent = Client(), list[Client]()
    keepalive.add(client)
    keepalive.on_interval = sent.append
    for _ in range(4):
        keepalive.turn()

    assert sent == [client, client]


def test_zero_turns_it_off() -> None:
    """Interval 0 sends no pings; timeout 0 sends them and gives nobody up."""
    off, _ = wheel(0, 20)
    patient, given_up = wheel(2, 0)
    unasked, asked = Client(answers=False), Client(answers=False)
    off.remove(off.add(unasked), unasked)
    off.add(unasked)
    patient.add(asked)
    for _ in range(6):
        off.turn()
        patient.turn()

    assert unasked.pings == 0
    assert (asked.pings, given_up) == (3, [])


def test_a_timeout_above_the_interval_is_refused() -> None:
    """One flag cannot tell two pings apart, so they must not overlap."""
    with pytest.raises(ValueError, match=r"ping_timeout \(6 ticks\) is longer"):
        wheel(5, 6)


def test_repr_counts() -> None:
    """The wheel shows what it holds."""
    keepalive, _ = wheel(5, 2)
    keepalive.add(Client())

    assert repr(keepalive) == "<KeepAlive slots=5 hand=0 connections=1>"
