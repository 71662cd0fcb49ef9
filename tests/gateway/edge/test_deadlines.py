"""Tests of deadlines that lie equally far ahead."""

from __future__ import annotations

from gateway.edge.deadlines import Deadlines


def test_each_thing_expires_once_after_its_delay() -> None:
    """A thing waits for the delay in full ticks and expires in the tick after."""
    due: list[str] = []
    deadlines = Deadlines(3, due.append)
    history = []
    for name in "abcdefg":
        deadlines.add(name)
        deadlines.turn()
        history.append("".join(due))

    assert history == ["", "", "", "a", "ab", "abc", "abcd"]


def test_things_of_one_tick_expire_in_order() -> None:
    """What was added first expires first."""
    due: list[int] = []
    deadlines = Deadlines(1, due.append)
    for number in range(5):
        deadlines.add(number)
    deadlines.turn()
    deadlines.turn()

    assert due == [0, 1, 2, 3, 4]


def test_what_was_removed_does_not_expire() -> None:
    """A thing that has finished is forgotten at once, and the others keep their times."""
    due: list[str] = []
    deadlines = Deadlines(1, due.append)
    for name in "abc":
        deadlines.add(name)
    deadlines.remove("b")
    deadlines.remove("b")

    assert len(deadlines) == 2

    deadlines.turn()
    deadlines.add("b")
    deadlines.turn()

    assert due == ["a", "c"]
    assert len(deadlines) == 1


def test_one_that_expires_may_remove_and_add() -> None:
    """What is called when a time has come may finish others, and begin new ones."""
    due: list[int] = []

    def expire(number: int) -> None:
        due.append(number)
        deadlines.remove(number + 1)
        deadlines.add(number + 10)

    deadlines = Deadlines(1, expire)
    deadlines.add(0)
    deadlines.turn()
    deadlines.turn()

    assert due == [0]
    assert len(deadlines) == 1


def test_what_has_expired_is_forgotten() -> None:
    """No more is kept than was added within the delay."""
    deadlines = Deadlines[int](2, lambda _: None)
    for number in range(100):
        deadlines.add(number)
        deadlines.turn()

    assert len(deadlines) == 2
    assert repr(deadlines) == "<Deadlines ticks=2 waiting=2>"
