"""What waits for a client that takes nothing, and what is kept of it."""

from gateway.backlog import Backlog, Nowhere
from gateway.shared_bytes import SharedBytes

FRAME = b"x" * 100


def test_a_backlog_counts_what_it_takes_over_and_what_follows() -> None:
    """A frame that stands in it several times, or in several, is memory once and waits for each."""
    held = SharedBytes()
    one, other = Backlog([FRAME, b"y"], held, _ignore), Backlog([], held, _ignore)
    one.append(FRAME)
    other.append(FRAME)

    assert [one, other] == [[FRAME, b"y", FRAME], [FRAME]]
    assert (one.size, other.size, held.total) == (201, 100, 101)


def test_what_the_transport_holds_counts_until_the_client_has_taken_it() -> None:
    """That too may be shared with others; taking it twice changes nothing."""
    held = SharedBytes()
    backlog = Backlog([b"next"], held, _ignore)
    backlog.give(FRAME)
    assert (backlog.given, backlog.size, held.total) == (FRAME, 104, 104)

    backlog.taken()
    backlog.taken()
    assert (backlog.given, backlog.size, held.total) == (None, 4, 4)


def test_frames_that_were_taken_out_count_no_longer() -> None:
    """Whoever takes frames from the front says so."""
    held = SharedBytes()
    backlog = Backlog([FRAME, b"y"], held, _ignore)
    piece = backlog[:1]
    del backlog[:1]
    backlog.drop(piece)

    assert (backlog, backlog.size, held.total) == ([b"y"], 1, 1)


def test_a_backlog_forgets_everything() -> None:
    """Nothing of it counts any more."""
    held = SharedBytes()
    backlog = Backlog([FRAME], held, _ignore)
    backlog.give(b"given")
    backlog.clear()

    assert (backlog, backlog.given, backlog.size, held.total) == ([], None, 0, 0)


def test_whoever_bounds_a_backlog_is_told_of_each_frame() -> None:
    """But not of those that were there before, nor of a farewell, which is kept whatever it means."""
    grown: list[int] = []
    backlog = Backlog([FRAME], SharedBytes(), lambda: grown.append(len(backlog)))
    backlog.append(FRAME)
    backlog.keep(b"farewell")

    assert grown == [2]
    assert len(backlog) == 3


def test_nowhere_keeps_nothing() -> None:
    """What goes there is counted as refused."""
    nowhere = Nowhere()
    nowhere.append(FRAME)
    nowhere.append(FRAME)

    assert (nowhere, nowhere.refused) == ([], 2)


def _ignore() -> None:
    pass
