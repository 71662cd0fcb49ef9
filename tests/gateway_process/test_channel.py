import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Final

import pytest

from gateway_process.channel import MAX_WAITING, Channel, ChannelFull, Message
from tests.gateway_process.supervising import until
from tests.support.waiting import PATIENCE


def loops() -> list[Callable[[], asyncio.AbstractEventLoop]]:
    """Give what makes the loops that run on this machine: a supervisor's and a child's."""
    try:
        return [asyncio.new_event_loop, import_module("uvloop").new_event_loop]
    except ModuleNotFoundError:
        return [asyncio.new_event_loop]


LOOPS: Final = loops()


def pair() -> tuple[Channel, Channel]:
    """Give both ends."""
    ours, theirs = Channel.pair()
    return ours, Channel(theirs)


async def test_messages_arrive_in_order_and_end_with_the_peer() -> None:
    """What one side sends the other hears, up to and including the end."""
    ours, theirs = pair()
    for number in range(3):
        ours.send({"number": number})
    ours.close()
    assert [message async for message in theirs.messages()] == [{"number": n} for n in range(3)]
    theirs.close()


def test_first_message_is_read_without_a_loop_and_the_rest_with_one() -> None:
    """What came together with the first message is not lost when the loop takes over."""
    ours, theirs = pair()
    ours.send({"first": "x" * 100_000})
    ours.send({"second": 2})
    ours.close()
    assert theirs.receive() == {"first": "x" * 100_000}

    async def rest() -> list[Message]:
        return [message async for message in theirs.messages()]

    assert asyncio.run(rest()) == [{"second": 2}]
    theirs.close()


def test_end_before_a_message_is_none() -> None:
    """A peer that is gone before it said anything gives no message."""
    ours, theirs = pair()
    ours.close()
    assert theirs.receive() is None
    theirs.close()


@pytest.mark.parametrize("make_loop", LOOPS)
def test_what_the_kernel_does_not_take_follows_in_order(
    make_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """Messages larger than the kernel's buffer neither block nor tear, whoever reads late."""
    sent: list[Message] = [{"number": n, "text": "x" * 300_000} for n in range(4)]

    async def talk() -> None:
        ours, theirs = pair()
        for message in sent:
            ours.send(message)
        assert "waiting=0" not in repr(ours)
        heard = theirs.messages()
        assert [await anext(heard) for _ in sent] == sent
        theirs.send({"answer": 1})
        assert await anext(ours.messages()) == {"answer": 1}
        await asyncio.sleep(0)
        assert "waiting=0" in repr(ours)
        ours.send({"last": True})
        ours.close()
        assert [message async for message in heard] == [{"last": True}]
        theirs.close()

    with asyncio.Runner(loop_factory=make_loop) as runner:
        runner.run(talk())


async def test_a_peer_that_does_not_read_fails_the_sender() -> None:
    """What waits is bounded; a message is sent whole or not at all."""
    ours, theirs = pair()
    ours.send({"order": "x" * 2 * MAX_WAITING})
    with pytest.raises(ChannelFull, match="bytes are unread"):
        ours.send({"order": "lost"})
    heard = theirs.messages()
    assert await anext(heard) == {"order": "x" * 2 * MAX_WAITING}
    ours.send({"order": "stop"})
    assert await anext(heard) == {"order": "stop"}
    ours.close()
    theirs.close()


async def test_a_peer_that_goes_away_ends_the_writing() -> None:
    """What waits for one that is gone is dropped; the next message says that it is gone."""
    ours, theirs = pair()
    ours.send({"order": "x" * 1_000_000})
    theirs.close()
    await until(lambda: "waiting=0" in repr(ours))
    with pytest.raises(BrokenPipeError):
        ours.send({"order": "stop"})
    ours.close()


async def test_closing_drops_what_waits() -> None:
    """An end that is closed watches its descriptor no more."""
    ours, theirs = pair()
    ours.send({"order": "x" * 1_000_000})
    ours.close()
    assert "fd=-1 waiting=0" in repr(ours)
    theirs.close()


def test_last_message_follows_what_waits() -> None:
    """When the loop has ended, the last word is sent after all others, or fails in time."""
    ours, theirs = pair()

    async def queue() -> None:
        ours.send({"answer": "x" * 1_000_000})

    asyncio.run(queue())
    with ThreadPoolExecutor(1) as pool:
        heard = pool.submit(lambda: [theirs.receive(), theirs.receive()])
        ours.send_last({"failed": "why"}, PATIENCE)
        assert heard.result() == [{"answer": "x" * 1_000_000}, {"failed": "why"}]
    with pytest.raises(TimeoutError):
        ours.send_last({"failed": "x" * 1_000_000}, 0.01)
    ours.close()
    theirs.close()
