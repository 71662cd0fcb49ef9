"""The secret order of short numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_wire.permutation import MAX_BITS, Permutation


@pytest.mark.parametrize("bits", [2, 8, 12])
def test_it_is_a_permutation(bits: int) -> None:
    """Every number is hit exactly once."""
    permute = Permutation(bits)

    assert sorted(map(permute, range(1 << bits))) == [*range(1 << bits)]


@given(bits=st.sampled_from([32, 40, 64]), data=st.data())
def test_long_numbers_stay_in_range_and_apart(bits: int, data: st.DataObject) -> None:
    """Different numbers are mapped to different ones of as many bits."""
    permute = Permutation(bits, b"key")
    numbers = data.draw(st.sets(st.integers(0, 2**bits - 1), max_size=20))

    mapped = set(map(permute, numbers))

    assert len(mapped) == len(numbers)
    assert all(0 <= each < 2**bits for each in mapped)


def test_the_key_says_which_it_is() -> None:
    """One key gives one permutation, another key another, and none given a random one."""
    of_key = [*map(Permutation(40, b"key"), range(10))]

    assert [*map(Permutation(40, b"key"), range(10))] == of_key
    assert [*map(Permutation(40, b"kez"), range(10))] != of_key
    assert [*map(Permutation(40), range(10))] != [*map(Permutation(40), range(10))]


def test_neighbours_are_far_apart() -> None:
    """A number and the next differ in about half of the bits: who has one id cannot tell another."""
    permute = Permutation(40, b"key")
    pairs = 2000

    flips = [0] * 40
    for number in range(pairs):
        difference = permute(number) ^ permute(number + 1)
        for bit in range(40):
            flips[bit] += difference >> bit & 1

    # By chance: 1,000 of 2,000, with a standard deviation of 22; seven of these on either side.
    assert all(844 < count < 1156 for count in flips)


@pytest.mark.parametrize("bits", [0, 1, 39, MAX_BITS + 2, -2])
def test_other_widths_are_refused(bits: int) -> None:
    """Halves must be whole, and fit what is hashed."""
    with pytest.raises(ValueError, match=f"even number of bits from 2 to 64, not {bits}"):
        Permutation(bits)


def test_it_tells_its_width_and_not_its_key() -> None:
    """The repr may stand in a log."""
    assert repr(Permutation(40, b"key")) == "<Permutation of 40 bits>"
