"""Acknowledgements: one batch per gateway and turn of the loop."""

import asyncio

from businessworker.acknowledgements import Acknowledgements
from businessworker.lane import Feed
from tests.businessworker.sources import Acknowledged, RecordingSource


async def test_a_turn_is_one_batch_for_each_gateway() -> None:
    """What is finished in one turn is told together, the next turn by itself."""
    acknowledgements = Acknowledgements(asyncio.get_running_loop())
    one, other = RecordingSource(), RecordingSource()
    feeds = Feed(one), Feed(other)
    for event_id in (1, 2):
        for feed in feeds:
            acknowledgements.add(feed, event_id)
    assert one.record == []
    assert repr(acknowledgements) == "<Acknowledgements to 2 gateways>"
    await asyncio.sleep(0)
    acknowledgements.add(feeds[0], 3)
    await asyncio.sleep(0)
    assert one.record == [Acknowledged([1, 2]), Acknowledged([3])]
    assert other.record == [Acknowledged([1, 2])]


async def test_a_lost_gateway_is_told_nothing() -> None:
    """Neither what was finished before its loss and not yet told, nor what came after."""
    acknowledgements = Acknowledgements(asyncio.get_running_loop())
    source = RecordingSource()
    feed = Feed(source)
    acknowledgements.add(feed, 1)
    feed.is_lost = True
    acknowledgements.add(feed, 2)
    acknowledgements.flush()
    assert source.record == []
