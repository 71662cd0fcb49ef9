import asyncio

import pytest

from gateway_process.channel import Channel, Message


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


def test_a_peer_that_does_not_read_fails_the_sender() -> None:
    """Orders to a peer that is stuck fail at once instead of blocking."""
    ours, theirs = pair()
    with pytest.raises(BlockingIOError):
        ours.send({"order": "x" * 10_000_000})
    ours.close()
    theirs.close()
