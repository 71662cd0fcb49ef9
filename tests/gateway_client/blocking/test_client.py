"""The blocking client over real sockets: what is answered, and what goes wrong."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import socket
import threading
import time
import warnings
from collections.abc import Callable

import pytest

from gateway_client import (
    AuthenticationFailed,
    GatewayClient,
    GatewayUnavailable,
    MessageTooLarge,
    PartialResult,
    RegisterUnavailable,
    ReplyTimeout,
)
from gateway_wire import commands as wire
from gateway_wire.errors import ErrorCode
from tests.gateway_client.peers import (
    FakeGateway,
    FakeRegister,
    PeerLoop,
    answer_with,
    cut_link,
    mute,
    refuse,
)

MakeGateway = Callable[..., FakeGateway]
SHORT = 0.3
"""Seconds for a call that is meant to time out."""


def test_a_message_reaches_who_is_bound(client: GatewayClient, gateway: FakeGateway) -> None:
    """Bind, join, send, ask and close, as an application does."""
    me = gateway.connect()
    assert client.bind_uid(me, 42) is True
    assert client.join_group(me, ["news", 7]) is True
    assert client.send_to_uid(42, {"type": "hi"}) == 1
    assert client.send_to_group("news", b"\x00") == 1
    assert client.send_to_client(me, "hello") == 1
    assert client.is_online(me)
    assert client.is_uids_online([42, "43"]) == {42: True, "43": False}
    assert client.close_client(me, "bye", 4001, "done") is True
    assert client.is_online(me) is False
    assert gateway.commands(wire.SendToUids) == [wire.SendToUids(["42"], '{"type":"hi"}')]
    assert gateway.commands(wire.CloseClient) == [wire.CloseClient(me, "bye", 4001, "done")]


def test_answers_of_several_gateways_become_one(
    client: GatewayClient, register: FakeRegister, gateway: FakeGateway, other: FakeGateway
) -> None:
    """Counts add up, uids are united, batches are keyed as asked."""
    register.tell(gateway, other)
    a, b = gateway.connect(1, "u"), other.connect(2, "u")
    assert client.get_all_client_count() == 2
    assert sorted(client.get_all_client_id_list()) == sorted([a, b])
    assert client.get_all_uid_count() == 1
    assert client.batch_get_client_id_by_uid(["u", 5]) == {"u": [a, b], 5: []}
    assert client.send_to_uid("u", "m") == 2
    assert client.send_to_all("m", [a, b], [b]) == 1


def test_an_unknown_client_is_offline_after_one_look(
    client: GatewayClient, register: FakeRegister
) -> None:
    """A node that nobody knows is looked up once and then counts as offline for a second."""
    nobody = "c" * 32
    assert client.is_online(nobody) is False
    looks = len(register.received)
    assert client.get_session(nobody) is None
    assert client.send_to_client(nobody, "m") == 0
    assert len(register.received) == looks


def test_a_gateway_that_is_announced_later_is_used(
    client: GatewayClient, register: FakeRegister, gateway: FakeGateway, other: FakeGateway
) -> None:
    """What the register pushes is known at the next call."""
    assert client.get_all_client_count() == 0
    there = other.connect()
    register.tell(gateway, other)
    assert client.is_online(there)


def test_answers_in_parts_are_joined(client: GatewayClient, gateway: FakeGateway) -> None:
    """A long answer comes in parts."""
    gateway.fault = answer_with(["a"], ["b"], ["c"])
    assert client.get_all_client_id_list() == ["a", "b", "c"]


def test_without_a_register_the_error_says_what_to_start() -> None:
    """A register that refuses is named, with the command that starts it."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{sock.getsockname()[1]}"
        with (
            GatewayClient(address, secret_key="") as client,
            pytest.raises(RegisterUnavailable, match=f"register start --listen {address}"),
        ):
            client.get_all_client_count()


def test_without_a_gateway_the_error_names_the_register(
    client: GatewayClient, register: FakeRegister
) -> None:
    """An empty directory is GatewayUnavailable."""
    register.nodes = []
    with pytest.raises(GatewayUnavailable, match=str(register.address)):
        client.send_to_all("m")


@pytest.mark.usefixtures("deaf")
def test_connecting_takes_a_part_of_a_calls_time(client: GatewayClient) -> None:
    """Of 5 s it is given up after 3, as not sent: there is time left to say so."""
    with pytest.raises(GatewayUnavailable, match=r"accepted no link within 3\.0 s"):
        client.send_to_uid("u", "m")


def test_known_gateways_are_used_while_every_register_is_gone(
    client: GatewayClient, register: FakeRegister, gateway: FakeGateway
) -> None:
    """Pushes go on; only a client of an unknown gateway cannot be judged."""
    me = gateway.connect()
    assert client.is_online(me)
    register.stop()
    assert client.send_to_client(me, "m") == 1
    with pytest.raises(RegisterUnavailable):
        client.is_online("c" * 32)


def test_one_register_of_two_is_enough(peers: PeerLoop, register: FakeRegister) -> None:
    """The union of the answers counts, and one that is gone is not waited for."""
    gone = FakeRegister(peers)
    gone.stop()
    addresses = [str(gone.address), str(register.address)]
    with GatewayClient(addresses, secret_key="") as client:
        assert client.get_all_client_count() == 0


def test_a_wrong_key_is_named_with_the_address(peers: PeerLoop, gateway: FakeGateway) -> None:
    """Keys that differ, or stand on one side only, are AuthenticationFailed."""
    register = FakeRegister(peers, gateway, secret_key="right")
    for key in ("wrong", ""):
        with (
            GatewayClient(str(register.address), secret_key=key) as client,
            pytest.raises(AuthenticationFailed, match=str(register.address)),
        ):
            client.get_all_client_count()
    register.stop()


def test_with_the_right_key_it_works(peers: PeerLoop, make_gateway: MakeGateway) -> None:
    """Both sides prove the key to each other; a gateway with another key is named."""
    gateway = make_gateway(secret_key="key")
    register = FakeRegister(peers, gateway, secret_key="key")
    with GatewayClient(str(register.address), secret_key="key") as client:
        assert client.get_all_client_count() == 0
        stranger = make_gateway("bbbbbbbbbbbb", secret_key="another")
        register.tell(stranger)
        gateway.stop()
        with pytest.raises((AuthenticationFailed, PartialResult), match=str(stranger.address)):
            client.get_all_client_count()
    register.stop()


# A gateway that does not answer


def test_a_silent_gateway_costs_one_caller_its_timeout(
    client: GatewayClient, register: FakeRegister, gateway: FakeGateway, other: FakeGateway
) -> None:
    """The first call waits and names it in unknown; the next ones do not wait and name it too."""
    register.tell(gateway, other)
    gateway.connect(uid="u")
    assert client.get_all_client_count() == 1
    other.fault = mute
    first = client.send_to_uid("u", "m", timeout=SHORT)
    assert (first, [failure.node_id for failure in first.unknown]) == (1, [other.node_id])
    asked = len(other.received)
    second = client.send_to_uid("u", "m")
    assert (second, [failure.node_id for failure in second.not_sent]) == (1, [other.node_id])
    published = client.publish("g", "m")
    assert (published.success, published.fail, published.total) == (0, 1, 1)
    assert [failure.node_id for failure in published.not_sent] == [other.node_id]
    assert len(other.received) == asked
    with pytest.raises(PartialResult, match=str(other.address)):
        client.get_all_client_count()
    assert client.get_all_client_count(partial="return") == 1


def test_the_others_are_written_to_before_a_silent_one_is_waited_for(
    client: GatewayClient, register: FakeRegister, gateway: FakeGateway, other: FakeGateway
) -> None:
    """A message is at the other gateways while the caller still waits."""
    register.tell(other, gateway)
    client.get_all_client_count()
    other.fault = mute
    caller = threading.Thread(target=client.send_to_all, args=("m",), kwargs={"timeout": 5})
    caller.start()
    gateway.wait_for(lambda: bool(gateway.commands(wire.SendToAll)))
    assert caller.is_alive()
    other.cut_links()
    caller.join()


def test_a_call_for_a_client_of_a_silent_gateway_times_out(
    client: GatewayClient, gateway: FakeGateway
) -> None:
    """ReplyTimeout says that it may have been executed; the next call does not wait."""
    me = gateway.connect()
    gateway.fault = mute
    with pytest.raises(ReplyTimeout, match=r"did not answer within 0\.3 s"):
        client.bind_uid(me, 1, timeout=SHORT)
    with pytest.raises(GatewayUnavailable, match="left alone"):
        client.bind_uid(me, 1)


def test_a_link_cut_in_mid_call_is_unknown_and_then_dialled_again(
    client: GatewayClient, gateway: FakeGateway
) -> None:
    """Nothing is sent twice: the cut call is unknown, and the next one uses a new link."""
    me = gateway.connect()
    gateway.fault = cut_link
    with pytest.raises(ReplyTimeout, match="was lost before it answered"):
        client.join_group(me, "g")
    reached = client.send_to_all("m")
    assert (reached, len(reached.unknown)) == (0, 1)
    assert len(gateway.commands(wire.JoinGroups)) == 1
    gateway.fault = None
    assert client.join_group(me, "g")


def test_a_link_that_was_closed_meanwhile_is_dialled_again(
    client: GatewayClient, gateway: FakeGateway
) -> None:
    """An idle link that the gateway closed is found before anything is written."""
    me = gateway.connect()
    assert client.is_online(me)
    gateway.cut_links()
    assert client.is_online(me)
    assert gateway.openings == 2


def test_a_gateway_that_refuses_is_not_dialled_at_once_again(
    client: GatewayClient, gateway: FakeGateway
) -> None:
    """Certainly not executed; within a second it is not even tried."""
    me = gateway.connect()
    client.is_online(me)
    gateway.stop()
    with pytest.raises(GatewayUnavailable, match="refused"):
        client.is_online(me)
    gateway.start()
    with pytest.raises(GatewayUnavailable, match="dialled again in"):
        client.is_online(me)


def test_a_gateway_that_all_registers_dropped_is_forgotten(
    client: GatewayClient, register: FakeRegister, gateway: FakeGateway, other: FakeGateway
) -> None:
    """While a link to it lives it is asked; afterwards its clients are offline."""
    there = other.connect()
    register.tell(gateway, other)
    assert client.is_online(there)
    register.tell(gateway)
    assert client.is_online(there)
    other.stop()
    assert client.is_online(there) is False


def test_what_a_gateway_refuses_is_raised(client: GatewayClient, gateway: FakeGateway) -> None:
    """An error answer becomes the error of the call."""
    gateway.fault = refuse(ErrorCode.TOO_LARGE, "the session is too large")
    with pytest.raises(MessageTooLarge, match="the session is too large"):
        client.set_session(gateway.connect(), {"a": 1})


def test_what_is_no_answer_ends_the_link(client: GatewayClient, gateway: FakeGateway) -> None:
    """A peer that breaks the protocol is not spoken to on that link again."""
    gateway.fault = answer_with("not a count")
    with pytest.raises(ReplyTimeout, match="answered by a number"):
        client.get_all_client_count()
    gateway.fault = None
    assert client.get_all_client_count() == 0


def test_an_interrupted_call_gives_its_answer_to_nobody(
    client: GatewayClient, gateway: FakeGateway
) -> None:
    """After an interruption in mid-call the link is closed, so no later call gets that answer."""
    client.get_all_client_count()
    gateway.fault = lambda *_: os.kill(os.getpid(), signal.SIGINT)
    # Where the tests run in a shell's background, it is ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            client.get_all_client_id_list()
    finally:
        signal.signal(signal.SIGINT, before)
    gateway.fault = None
    assert client.get_all_client_count() == 0
    assert gateway.openings == 2


# Unconfirmed sends


def test_an_unconfirmed_send_keeps_its_place(client: GatewayClient, gateway: FakeGateway) -> None:
    """What one thread sends arrives in its order, confirmed or not, on one link."""
    for number in range(50):
        assert client.send_to_all(str(number), confirm=number % 7 == 0) in {None, 0}
    client.get_all_client_count()
    sent = [command.message for command in gateway.commands(wire.SendToAll)]
    assert sent == [str(number) for number in range(50)]
    assert gateway.openings == 1


def test_a_thread_that_ends_after_an_unconfirmed_send_has_sent_it(
    client: GatewayClient, gateway: FakeGateway
) -> None:
    """The link goes with its thread, and what was written still arrives."""
    thread = threading.Thread(
        target=client.send_to_all, args=("last words",), kwargs={"confirm": False}
    )
    thread.start()
    thread.join()
    gateway.wait_for(lambda: bool(gateway.commands(wire.SendToAll)))


def test_what_is_lost_unconfirmed_is_counted(
    client: GatewayClient, register: FakeRegister, gateway: FakeGateway, other: FakeGateway
) -> None:
    """A gateway that could not be asked is counted; only nobody at all is an error."""
    register.tell(gateway, other)
    client.get_all_client_count()
    other.stop()
    assert client.send_to_all("m", confirm=False) is None
    assert client.lost == 1
    gateway.stop()
    with pytest.raises(GatewayUnavailable):
        client.send_to_all("m", confirm=False)


# Threads, forks, loops


def test_threads_share_a_client(client: GatewayClient, gateway: FakeGateway) -> None:
    """Many threads call at once, each gets its own answers."""
    clients = [gateway.connect(number, f"u{number}") for number in range(8)]
    seen: list[bool] = []

    def ask(me: str, uid: str) -> None:
        seen.extend(client.get_uid_by_client_id(me) == uid for _ in range(50))

    threads = [
        threading.Thread(target=ask, args=(me, f"u{number}")) for number, me in enumerate(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 400
    assert gateway.links() <= 8


def test_a_child_process_uses_links_of_its_own(client: GatewayClient, gateway: FakeGateway) -> None:
    """After fork the child opens its own links, and the parent's go on."""
    me = gateway.connect()
    assert client.is_online(me)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the peers' thread is not forked
        child = os.fork()
        if child == 0:
            ok = client.is_online(me) and client.get_all_client_count() == 1
            os._exit(0 if ok else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert client.is_online(me)
    assert gateway.openings == 2


async def test_on_the_thread_of_a_running_loop_it_warns_once(client: GatewayClient) -> None:
    """The warning names AsyncGateway; in a worker thread there is none."""
    with pytest.warns(RuntimeWarning, match="AsyncGateway"):
        client.get_all_client_count()
    client.get_all_client_count()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        await asyncio.to_thread(client.get_all_client_count)


def test_a_closed_client_can_be_used_again(client: GatewayClient, gateway: FakeGateway) -> None:
    """close() closes every link; a later call opens new ones."""
    client.get_all_client_count()
    client.close()
    gateway.wait_for(lambda: not gateway.listener.links)
    assert client.get_all_client_count() == 0
    assert str(gateway.address) in repr(client)


def test_a_call_under_way_fails_when_the_client_is_closed(
    client: GatewayClient, gateway: FakeGateway
) -> None:
    """Another thread that closes the client does not make an answer out of nothing."""
    me = gateway.connect()
    client.is_online(me)
    errors: list[Exception] = []

    def ask() -> None:
        try:
            client.is_online(me, timeout=1)
        except ReplyTimeout as error:
            errors.append(error)

    gateway.fault = mute
    caller = threading.Thread(target=ask)
    caller.start()
    gateway.wait_for(lambda: len(gateway.commands(wire.IsOnline)) == 2)
    client.close()
    caller.join()
    assert len(errors) == 1


def test_a_call_that_does_not_fit_a_frame_is_sent_to_nobody(
    client: GatewayClient, register: FakeRegister, gateway: FakeGateway, other: FakeGateway
) -> None:
    """One gateway's share that is too large keeps the others from getting theirs."""
    register.tell(gateway, other)
    many = [f"{other.node_id}{number:020x}" for number in range(130_000)]
    with pytest.raises(MessageTooLarge, match="send it in several calls"):
        client.send_to_all("m", [gateway.connect(), *many])
    assert client.get_all_client_count() == 1
    assert gateway.commands(wire.SendToClients) == []


def test_many_descriptors_are_no_limit(client: GatewayClient) -> None:
    """Descriptors above 1,023, which select() could not take, are fine."""
    held = [socket.socket()]
    while held[-1].fileno() <= 1023:
        held.append(socket.socket())
    try:
        assert client.get_all_client_count() == 0
    finally:
        for each in held:
            each.close()


def test_a_deadline_holds_for_the_whole_call(client: GatewayClient, gateway: FakeGateway) -> None:
    """An answer that trickles in by parts does not extend the time."""

    def trickle(link: object, command: object, request_id: int) -> None:
        del command

        def part() -> None:
            if link.is_open:  # type: ignore[attr-defined]
                link.send(wire.ReplyPart(["x"]), request_id)  # type: ignore[attr-defined]
                asyncio.get_running_loop().call_later(0.05, part)

        part()

    gateway.fault = trickle
    begun = time.monotonic()
    with pytest.raises(ReplyTimeout):
        client.get_all_client_id_list(timeout=SHORT)
    assert time.monotonic() - begun >= SHORT


def test_it_can_be_used_in_a_spawned_process(register: FakeRegister) -> None:
    """The module imports and works in a fresh interpreter."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        assert pool.apply(_count, (str(register.address),)) == 0


def _count(address: str) -> int:
    with GatewayClient(address, secret_key="") as client:
        return client.get_all_client_count()
