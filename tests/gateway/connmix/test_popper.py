"""A connection as a consumer: what is written is dealt with, what is not goes to others."""

from collections.abc import Callable

import pytest

from gateway.connmix.codes import Code, ConnmixError
from gateway.connmix.dialects import LONG, SHORT
from gateway.connmix.popper import PREFETCH, Popper
from gateway.queues.limits import QueueLimits
from gateway.queues.queues import Queues
from tests.gateway.support import bare


class Stage:
    """Queues, one client that sends, and connections that pop."""

    def __init__(self, limits: QueueLimits | None = None) -> None:
        self.queues = Queues(limits)
        self.client = bare("1")
        self.wakes = 0

    def _wake(self) -> None:
        self.wakes += 1

    def popper(self, *topics: str, wake: Callable[[], None] | None = None) -> Popper:
        popper = Popper(self.queues, "connmix 127.0.0.1:1", wake or self._wake)
        if topics:
            popper.pop(topics, SHORT)
        return popper

    def push(self, *messages: object, topic: str = "foo") -> None:
        for each in messages:
            self.queues.push(topic, each, self.client, 0.0)

    def counters(self, topic: str = "foo") -> tuple[int, int, int]:
        """Give how many of a topic are acknowledged, unacknowledged and waiting."""
        state = self.queues.states(0.0)[topic]
        return (
            int(state["acknowledged"]),
            int(state["unacknowledged"]),
            int(state["waiting"]),
        )


def written(popper: Popper) -> list[tuple[object, int]]:
    """Write all that there is; give data and tries of each."""
    messages = []
    while (message := popper.next()) is not None:
        messages.append((message.data, message.tries))
        popper.written()
    return messages


def test_it_is_woken_and_acknowledges_what_was_written() -> None:
    """A message that is being written is unacknowledged until it is."""
    stage = Stage()
    popper = stage.popper("foo")
    stage.push("a")

    assert stage.wakes == 1
    message = popper.next()
    assert message is not None
    assert (message.data, stage.counters()) == ("a", (0, 1, 0))
    popper.written()
    assert stage.counters() == (1, 0, 0)
    assert popper.next() is None


def test_it_pops_several_topics_each_in_its_dialect() -> None:
    """More may be popped later, and the spelling of each pop is kept."""
    stage = Stage()
    popper = stage.popper("foo", "bar")
    popper.pop(["old"], LONG)
    stage.push("a")
    stage.push("b", topic="old")

    assert [data for data, _ in written(popper)] == ["a", "b"]
    assert popper.dialects == {"foo": SHORT, "bar": SHORT, "old": LONG}
    assert repr(popper) == "<Popper of 3 topics, 0 messages wait>"


def test_a_topic_is_popped_once() -> None:
    """A second pop of one of the topics is refused as a whole."""
    stage = Stage()
    popper = stage.popper("foo")

    with pytest.raises(ConnmixError, match="pops 'foo' already") as caught:
        popper.pop(["bar", "foo"], SHORT)

    assert caught.value.code is Code.ALREADY_POPPING
    assert popper.dialects == {"foo": SHORT}


def test_too_many_topics_are_refused() -> None:
    """The error names the setting; what was popped before goes on."""
    stage = Stage(QueueLimits(topics=2))
    popper = stage.popper("foo")

    with pytest.raises(ConnmixError, match="--queue-topics") as caught:
        popper.pop(["bar", "baz"], SHORT)

    assert caught.value.code is Code.POP_FAILED
    assert popper.dialects == {"foo": SHORT}
    stage.push("a")
    assert written(popper) == [("a", 1)]


def test_no_more_than_the_prefetch_waits_for_one_connection() -> None:
    """What it has no room for waits where another connection takes it."""
    stage = Stage()
    slow = stage.popper("foo")
    for number in range(PREFETCH + 1):
        stage.client = bare(str(number + 1))
        stage.push(number)

    assert stage.counters() == (0, PREFETCH, 1)
    assert written(stage.popper("foo")) == [(PREFETCH, 1)]
    assert len(written(slow)) == PREFETCH


def test_unpop_gives_back_what_was_not_written() -> None:
    """Others get it as if it had never been here; what is being written stays dealt with."""
    stage = Stage()
    popper = stage.popper("foo")
    stage.push("a", "b", "c")
    popper.next()

    popper.unpop()
    popper.written()

    assert stage.counters() == (1, 0, 2)
    assert popper.next() is None
    assert written(stage.popper("foo")) == [("b", 1), ("c", 1)]


def test_it_may_pop_again_after_an_unpop() -> None:
    """The connection is the same consumer as before."""
    stage = Stage()
    popper = stage.popper("foo")
    popper.unpop()
    stage.push("a")

    popper.pop(["foo"], LONG)

    assert written(popper) == [("a", 1)]
    assert popper.dialects == {"foo": LONG}


def test_an_unpop_of_nothing_is_refused() -> None:
    """The error says what begins a pop."""
    with pytest.raises(ConnmixError, match=r"pops nothing; queue\.pop") as caught:
        Stage().popper().unpop()

    assert caught.value.code is Code.UNPOP_FAILED


def test_the_end_gives_back_everything() -> None:
    """What was being written was a try, for some of it may have arrived; the rest was none."""
    stage = Stage()
    popper = stage.popper("foo")
    stage.push("a", "b")
    popper.next()

    popper.close()
    popper.close()

    assert written(stage.popper("foo")) == [("a", 2), ("b", 1)]
