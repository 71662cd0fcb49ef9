"""Bytes counted by object."""

import pytest

from gateway.shared_bytes import SharedBytes


def test_an_object_counts_once_until_its_last_release() -> None:
    """The first hold adds the size, the last release takes it away."""
    held, frame = SharedBytes(), bytes(10)
    held.hold(frame)
    held.hold(frame)
    held.release(frame)

    assert (held.total, len(held)) == (10, 1)

    held.release(frame)

    assert (held.total, len(held)) == (0, 0)


def test_equal_objects_count_each() -> None:
    """Two objects are memory twice, whatever they hold."""
    held = SharedBytes()
    frames = [bytes(bytearray(10)) for _ in range(2)]
    for frame in frames:
        held.hold(frame)

    assert held.total == 20
    assert repr(held) == "<SharedBytes 20 B in 2 objects>"


def test_releasing_what_is_not_held_is_an_error() -> None:
    """A wrong account shows at once."""
    with pytest.raises(KeyError):
        SharedBytes().release(b"never held")
