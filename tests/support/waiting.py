"""Waiting at the level of processes, where no event can be awaited.

Inside one process a test waits for the event itself (a future, a line, a frame) and never polls.
"""

import time
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

PATIENCE: Final = 20.0
"""Seconds before a test gives up on another process; generous, for a machine that is busy."""

INTERVAL: Final = 0.02
"""Seconds between two looks."""


def eventually(question: Callable[[], T], timeout: float = PATIENCE) -> T:
    """Ask until the answer is true, and give it.

    An `AssertionError` or `OSError` of the question counts as a no, so it may itself be a row of
    assertions or a connection attempt.

    Args:
        question: A look from outside at another process, without side effects.
        timeout: Seconds until the test fails with the last answer.
    """
    deadline = time.monotonic() + timeout
    while True:
        answer: object
        try:
            result = question()
        except (AssertionError, OSError) as error:
            answer = error
        else:
            if result:
                return result
            answer = result
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {timeout} s; the last answer: {answer!r}")
        time.sleep(INTERVAL)
