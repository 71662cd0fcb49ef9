"""Consuming in the thread that asks for messages."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway_client import AuthenticationFailed, GatewayClient
from gateway_client.blocking.consumer import LOOK_EVERY, Consumer
from gateway_client.blocking.message import Message
from gateway_client.config import STOP_TIMEOUT
from gateway_wire import commands as wire
from tests.gateway_client.blocking.beside import Beside, take
from tests.gateway_client.peers import PATIENCE, FakeGateway, FakeRegister, PeerLoop, mute


def test_a_message_is_acknowledged_when_the_next_is_asked_for(
    gateway: FakeGateway, consumer: Consumer
) -> None:
    """Not before; so the last one is not, when the loop is left."""
    pushed = Beside(lambda: gateway.push("a", "b", "c"))
    for message in consumer:
        if message.data == "c":
            assert not message.is_settled
            break
    ids = pushed.join()
    consumer.close()
    assert gateway.acknowledged == ids[:2]


def test_an_acknowledgement_leaves_before_the_wait(
    gateway: FakeGateway, consumer: Consumer
) -> None:
    """Nothing is held back while nothing comes; what was in store is acknowledged in one go."""
    first = Beside(lambda: gateway.push("a", "b", "c"))
    taken = iter(consumer)
    for _ in range(3):
        next(taken)
    ids = first.join()
    ender = Beside(lambda: gateway.wait_for(lambda: gateway.acknowledged == ids), consumer.close)
    assert list(taken) == []
    ender.join()
    assert gateway.acknowledged == ids


def test_a_busy_consumer_writes_in_batches(gateway: FakeGateway, client: GatewayClient) -> None:
    """A part of what may be ahead at a time, so that the gateway sends more meanwhile."""
    pushed = Beside(lambda: gateway.push(*range(40)))
    with client.consume("chat", prefetch=40) as consumer:
        take(consumer, 40)
    assert gateway.acknowledged == pushed.join()[:39]
    assert len(gateway.commands(wire.AcknowledgeMessages)) < 20


def test_a_slow_handler_does_not_hold_acknowledgements_back(
    gateway: FakeGateway, consumer: Consumer
) -> None:
    """With messages in store, one leaves when the next message is asked for."""
    pushed = Beside(lambda: gateway.push("a", "b", "c"))
    messages = iter(consumer)
    next(messages)
    begun = time.monotonic()
    while time.monotonic() - begun <= LOOK_EVERY:
        pass
    next(messages)
    gateway.wait_for(lambda: gateway.acknowledged == pushed.join()[:1])


def test_what_is_in_store_goes_back_untried(gateway: FakeGateway, client: GatewayClient) -> None:
    """The gateway is asked to stop first, so that nothing comes afterwards; the links are closed."""
    pushed = Beside(lambda: gateway.push("a", "b", "c"))
    for message in client.consume("chat"):
        assert message.data == "a"
        pushed.join()
        break
    ids = pushed.join()
    gateway.wait_for(lambda: gateway.given_back == [(ids[1:], False)])
    assert gateway.acknowledged == []
    order = [type(command) for command in gateway.received]
    assert order.index(wire.StopConsuming) < order.index(wire.RejectMessages)
    gateway.wait_for(lambda: not any(link.is_open for link in gateway.consumers))


def test_closing_from_another_thread_ends_a_wait(
    gateway: FakeGateway, client: GatewayClient
) -> None:
    """The iteration ends as if nothing more came; a second one, too."""
    consumer = client.consume("chat")
    ender = Beside(lambda: gateway.wait_for(lambda: bool(gateway.consumers)), consumer.close)
    assert list(consumer) == []
    ender.join()
    assert list(consumer) == []
    consumer.close()


def test_a_message_in_hand_is_finished_when_the_consumer_is_closed(
    gateway: FakeGateway, client: GatewayClient
) -> None:
    """It is acknowledged; what is in store goes back."""
    pushed = Beside(lambda: gateway.push("a", "b"))
    handled = []
    consumer = client.consume("chat")
    for message in consumer:
        pushed.join()
        consumer.close()
        handled.append(message.data)
    assert handled == ["a"]
    assert gateway.acknowledged == pushed.join()[:1]
    assert gateway.given_back == [(pushed.join()[1:], False)]


def test_closing_the_client_ends_what_it_consumes(
    gateway: FakeGateway, client: GatewayClient
) -> None:
    """Also where nobody holds the consumer, as with `consume_with`."""
    seen = []

    def handle(message: Message) -> None:
        seen.append(message.data)
        client.close()

    pushed = Beside(lambda: gateway.push("a", "b"))
    client.consume_with(handle, "chat")
    assert seen == ["a"]
    assert gateway.acknowledged == pushed.join()[:1]


def test_what_others_are_at_when_it_is_closed_is_still_acknowledged(
    gateway: FakeGateway, client: GatewayClient
) -> None:
    """A pool of threads that ends after the loop and before the consumer loses nothing."""
    closed = threading.Event()

    def handle(message: Message) -> None:
        closed.wait(PATIENCE)
        assert message.ack()

    pushed = Beside(lambda: gateway.push("a", "b"))
    with (
        client.consume("chat", manual_ack=True) as consumer,
        ThreadPoolExecutor(2) as pool,
    ):
        for count, message in enumerate(consumer, 1):
            pool.submit(handle, message)
            if count == 2:
                consumer.close()
        closed.set()
    assert sorted(gateway.acknowledged) == pushed.join()


def test_what_is_acknowledged_while_it_closes_does_not_disturb_it(
    gateway: FakeGateway, client: GatewayClient
) -> None:
    """Messages are settled by both sides at once, and each by one of them."""
    pushed = Beside(lambda: gateway.push(*range(10_000)))
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with client.consume("chat", manual_ack=True, prefetch=10_000) as consumer:
            taken = take(consumer, 10_000)

            def acknowledge() -> int:
                gateway.wait_for(lambda: bool(gateway.commands(wire.StopConsuming)))
                return sum(message.ack() for message in reversed(taken))

            acknowledging = Beside(acknowledge)
        settled = acknowledging.join()
    finally:
        sys.setswitchinterval(interval)
    gateway.wait_for(lambda: not any(link.is_open for link in gateway.consumers))
    assert len(gateway.acknowledged) == len({*gateway.acknowledged}) == settled
    assert {*gateway.acknowledged} <= {*pushed.join()}


def test_a_signal_handler_may_close_in_the_middle_of_a_wait(
    gateway: FakeGateway, client: GatewayClient
) -> None:
    """As a management command does on SIGTERM."""
    consumer = client.consume("chat")
    before = signal.signal(signal.SIGUSR1, lambda *_: consumer.close())
    try:
        sender = Beside(
            lambda: gateway.wait_for(lambda: bool(gateway.consumers)),
            lambda: os.kill(os.getpid(), signal.SIGUSR1),
        )
        assert list(consumer) == []
        sender.join()
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_an_exception_in_the_wait_closes_the_links(
    gateway: FakeGateway, client: GatewayClient
) -> None:
    """KeyboardInterrupt and SystemExit of a signal handler leave nothing half done."""

    def leave(*_: object) -> None:
        raise SystemExit(7)

    before = signal.signal(signal.SIGUSR1, leave)
    try:
        sender = Beside(
            lambda: gateway.wait_for(lambda: bool(gateway.consumers)),
            lambda: os.kill(os.getpid(), signal.SIGUSR1),
        )
        with pytest.raises(SystemExit):
            list(client.consume("chat"))
        sender.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
    gateway.wait_for(lambda: not any(link.is_open for link in gateway.consumers))
    assert len(gateway.commands(wire.StopConsuming)) == 1


def test_an_exception_in_the_loop_leaves_the_message_unacknowledged(
    gateway: FakeGateway, client: GatewayClient
) -> None:
    """It comes again to somebody, as does what is in store."""
    pushed = Beside(lambda: gateway.push("a", "b"))
    with pytest.raises(LookupError), client.consume("chat") as consumer:  # noqa: PT012
        for _ in consumer:
            pushed.join()
            raise LookupError
    assert gateway.acknowledged == []
    assert gateway.given_back == [(pushed.join()[1:], False)]


def test_closing_waits_for_no_gateway_for_long(gateway: FakeGateway, client: GatewayClient) -> None:
    """One that does not answer costs a second; what it gave is settled."""
    pushed = Beside(lambda: gateway.push("a", "b"))
    messages = iter(client.consume("chat"))
    message = next(messages)
    pushed.join()
    gateway.fault = mute
    begun = time.monotonic()
    client.close()
    assert list(messages) == []
    assert STOP_TIMEOUT <= time.monotonic() - begun < PATIENCE
    assert message.is_settled
    gateway.wait_for(lambda: not any(link.is_open for link in gateway.consumers))


def test_a_consumer_is_iterated_by_one_thread(gateway: FakeGateway, consumer: Consumer) -> None:
    """A second iteration beside the first is refused, and does not disturb it."""
    pushed = Beside(lambda: gateway.push("a", "b"))
    messages = iter(consumer)
    assert next(messages).data == "a"
    with pytest.raises(RuntimeError, match="make another one with consume"):
        next(iter(consumer))
    assert next(messages).data == "b"
    pushed.join()


def test_with_a_block_the_iteration_goes_on_after_a_break(
    gateway: FakeGateway, consumer: Consumer
) -> None:
    """On the same links, with what was in store."""
    pushed = Beside(lambda: gateway.push("a", "b"))
    assert [each.data for each in (*take(consumer, 1), *take(consumer, 1))] == ["a", "b"]
    pushed.join()
    assert len(gateway.consumers) == 1


def test_a_wrong_secret_key_ends_the_iteration(peers: PeerLoop) -> None:
    """No retry mends it."""
    register = FakeRegister(peers, secret_key="right")
    with (
        GatewayClient(str(register.address), secret_key="wrong") as client,
        pytest.raises(AuthenticationFailed),
    ):
        list(client.consume("chat", on_error=lambda _: None))
    register.stop()


def test_a_forked_child_lets_go_of_its_parents_consumer(
    gateway: FakeGateway, client: GatewayClient
) -> None:
    """Its iteration ends, and its parent's goes on."""
    pushed = Beside(lambda: gateway.push("a", "b"))
    seen, child = [], -1
    for message in client.consume("chat"):
        pushed.join()
        seen.append(message.data)
        if message.data == "a":
            child = os.fork()
        if child == 0:
            continue
        if message.data == "b":
            message.ack()
            break
    if child == 0:
        os._exit(len(seen))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    assert seen == ["a", "b"]
    gateway.wait_for(lambda: gateway.acknowledged == pushed.join())


def test_a_forked_child_waits_for_no_thread_of_its_parent(
    gateway: FakeGateway, client: GatewayClient
) -> None:
    """Whatever that was at: what can be said of its messages is said at once, and counts for nothing."""
    told, go_on = threading.Event(), threading.Event()

    def on_error(_: Exception) -> None:
        told.set()
        go_on.wait(PATIENCE)

    with client.consume("chat", manual_ack=True, on_error=on_error) as ours:
        pushed = Beside(lambda: gateway.push("a"))
        [message] = take(ours, 1)
        pushed.join()
        waiting = Beside(lambda: list(ours))
        gateway.cut_links()
        assert told.wait(PATIENCE)  # inside of a turn
        child = os.fork()
        if child == 0:
            signal.alarm(5)
            os._exit(message.ack())
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        go_on.set()
        ours.close()
        waiting.join()


GEVENT = """
from gevent import monkey
monkey.patch_all()
import sys, gevent
from gateway_client import GatewayClient

client = GatewayClient(sys.argv[1], secret_key="")
consumer = client.consume("chat")
seen, turns = [], []

def consume():
    for message in consumer:
        seen.append(message.data)
        message.reply("got it")

def others():
    while len(seen) < 2:
        turns.append(1)
        gevent.sleep(0.001)
    consumer.close()

consuming, closing = gevent.spawn(consume), gevent.spawn(others)
print("ready", flush=True)
gevent.joinall([consuming, closing], raise_error=True)
assert seen == ["a", "b"], seen
assert len(turns) > 1  # the other greenlet ran while this one waited
print("done")
"""


def test_greenlets_run_while_one_of_them_waits(
    register: FakeRegister, gateway: FakeGateway
) -> None:
    """Under gevent a wait yields to other greenlets, and one of them may end it."""
    sender = gateway.connect(5)

    def push() -> None:
        for data in "ab":
            gateway.push(data, client_id=sender)

    with Beside(push):
        done = subprocess.run(
            [sys.executable, "-c", GEVENT, str(register.address)],
            capture_output=True,
            text=True,
            timeout=40,
            check=False,
        )
    assert (done.returncode, done.stdout, done.stderr) == (0, "ready\ndone\n", "")
    gateway.wait_for(lambda: gateway.acknowledged == [1, 2])
