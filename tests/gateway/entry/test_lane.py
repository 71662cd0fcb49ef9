"""What waits behind a handler, and when the connection is not read for it."""

from gateway.entry.lane import MAX_WAITING, MAX_WAITING_BYTES, Lane
from gateway_wire.close_codes import CloseReason
from tests.gateway.support import bare, pipe_of

END = CloseReason(1000, "closed", "")


def reading(lane: Lane) -> bool:
    """Give whether the lane's connection is read."""
    assert pipe_of(lane.connection).is_reading != lane.is_paused
    return not lane.is_paused


def test_what_waits_comes_out_in_order() -> None:
    """The end is one of it."""
    lane = Lane(bare("a"))
    for item in ("one", b"two", END):
        lane.put(item)
    assert repr(lane) == "<Lane a 3 waiting>"
    assert [lane.take() for _ in range(len(lane))] == ["one", b"two", END]


def test_too_many_messages_pause_reading_until_half_are_left() -> None:
    """What came before the pause is kept."""
    lane = Lane(bare("a"))
    for _ in range(MAX_WAITING):
        lane.put("x")
        assert reading(lane)
    lane.put("x")
    assert not reading(lane)
    assert repr(lane) == f"<Lane a {MAX_WAITING + 1} waiting, paused>"
    while not reading(lane):
        lane.take()
    assert len(lane) == MAX_WAITING // 2


def test_too_many_bytes_pause_reading() -> None:
    """One message may pass the bound; it is read again when that is handled."""
    lane = Lane(bare("a"))
    lane.put("x" * (MAX_WAITING_BYTES + 1))
    assert not reading(lane)
    lane.take()
    assert reading(lane)


def test_dropped_messages_count_no_longer() -> None:
    """The end stays."""
    lane = Lane(bare("a"))
    lane.put(b"x" * (MAX_WAITING_BYTES + 1))
    lane.put(END)
    assert lane.drop_messages() == 1
    assert reading(lane)
    assert lane.take() is END


def test_a_hold_pauses_reading() -> None:
    """Whatever waits, and as long as any hold lasts."""
    lane = Lane(bare("a"))
    with lane.held():
        with lane.held():
            assert not reading(lane)
        assert not reading(lane)
    assert reading(lane)
