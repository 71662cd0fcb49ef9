"""One message, and the lane of a client."""

import pytest

from gateway.queues.lane import Delivery, Lane
from gateway.queues.limits import MESSAGE_OVERHEAD, QueueLimits
from gateway.queues.topic import Topic
from gateway_wire.frames import pack_field
from tests.gateway.support import bare

ANN = bare("ann")


def message(message_id: int, data: object = None) -> Delivery:
    """Give a message of ann's."""
    return Delivery(message_id, "t", ANN, pack_field(data), 0.0)


def test_the_data_of_a_message_cannot_be_changed() -> None:
    """Neither by who put it there nor by who looks at it."""
    data = {"list": [1, 2], 3: b"\xff"}
    one = message(1, data)
    data["list"] = []
    one.data["list"].append(3)
    assert one.data == {"list": [1, 2], 3: b"\xff"}


def test_a_message_counts_what_it_takes() -> None:
    """Its data as it is packed, and what the gateway needs beside."""
    assert message(1, "x" * 100).size == MESSAGE_OVERHEAD + 2 + 100


def test_a_message_can_begin_again_elsewhere() -> None:
    """As one that was never sent, of the same client at the same time."""
    one = message(1, "data")
    one.tries, one.sent_size = 6, 100
    one.begin_again(9, "dead:t")
    assert (one.message_id, one.topic, one.tries, one.sent_size) == (9, "dead:t", 1, 0)
    assert (one.connection, one.data) == (ANN, "data")


def test_a_lane_is_a_line_that_can_be_put_back() -> None:
    """What comes back stands before what waits, in its order."""
    lane = Lane(Topic("t", QueueLimits()), ANN)
    one, two, three, four = map(message, range(1, 5))
    lane.add(three)
    lane.put_back([one, two])
    lane.add(four)
    assert [lane.next() for _ in range(4)] == [one, two, three, four]


def test_a_lane_that_nothing_waits_in_has_no_next() -> None:
    """Whoever asks has lost count."""
    lane = Lane(Topic("t", QueueLimits()), ANN)
    with pytest.raises(AssertionError, match="has nothing that waits"):
        lane.next()
    lane.put_back([])
    with pytest.raises(AssertionError):
        lane.next()
