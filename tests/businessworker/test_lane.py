"""What is kept of a client: little while it is idle."""

from businessworker.lane import Feed, Lane
from businessworker.sessions import NO_SESSION
from gateway_wire.commands import ClientMessage
from tests.businessworker.sources import RecordingSource
from tests.businessworker.stage import assigned


def lane() -> Lane:
    """Make the lane of a client of a gateway of its own."""
    feed = Feed(RecordingSource())
    feed.lanes["a"] = Lane(feed, assigned("a"))
    return feed.lanes["a"]


def test_an_idle_client_has_no_queue_and_shares_what_is_alike() -> None:
    """No queue, no own empty session, one text for the listener of all clients."""
    one, other = lane(), lane()
    assert not hasattr(one, "__dict__")
    assert one.queue is None
    assert one.session is other.session is NO_SESSION
    assert one.listener is other.listener


def test_events_come_out_in_their_order_and_leave_nothing_behind() -> None:
    """When the last is done the queue is gone."""
    client = lane()
    events = [ClientMessage(number, "a", None, "") for number in range(3)]
    client.event, client.since = events[0], 1.0
    client.add(events[1], 2.0)
    client.add(events[2], 3.0)
    assert repr(client) == "<Lane a: ClientMessage, 2 more>"
    assert client.oldest == 1.0
    assert client.advance() is events[1]
    assert client.since == 2.0
    assert client.advance() is events[2]
    assert client.advance() is None
    assert client.queue is None
    assert repr(client) == "<Lane a: idle, 0 more>"


def test_the_oldest_event_may_not_have_begun() -> None:
    """A client that waits for its old handler counts from its first event."""
    client = lane()
    client.add(ClientMessage(1, "a", None, ""), 2.0)
    assert client.oldest == 2.0
    assert client.drop() == 1
    assert client.drop() == 0


def test_a_feed_names_its_gateway() -> None:
    """Address, number of clients and whether it is lost stand in its repr."""
    feed = lane().feed
    assert repr(feed) == "<Feed of 10.0.0.1:2900 with 1 clients>"
    feed.is_lost = True
    assert repr(feed) == "<Feed of 10.0.0.1:2900 with 1 clients, lost>"
