"""How late the loop is."""

import asyncio
import time

from hypothesis import given
from hypothesis import strategies as st

from gateway.admin.lag import LoopLag, WorstOfLast


@given(st.lists(st.floats(0, 10)), st.integers(1, 5))
def test_the_worst_is_the_largest_of_the_last(values: list[float], keep: int) -> None:
    """At any time the value is the maximum of the last `keep`, and 0 of none."""
    worst = WorstOfLast(keep)
    for number, value in enumerate(values):
        worst.add(value)
        assert worst.value == max(values[max(0, number + 1 - keep) : number + 1])
    assert values or worst.value == 0


async def test_a_stall_of_the_loop_shows() -> None:
    """A callback that blocks over the time of a look is seen as lateness."""
    lag = LoopLag(look=0.01)
    lag.start()
    time.sleep(0.06)  # noqa: ASYNC251 - the stall
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert 0.04 < lag.seconds < 60
    lag.stop()


async def test_stopping_is_harmless_at_any_time() -> None:
    """It may be stopped when it never started, and twice."""
    lag = LoopLag()
    lag.stop()
    lag.start()
    lag.stop()
    lag.stop()
    assert lag.seconds == 0
    assert repr(lag) == "<LoopLag 0.0 ms>"
