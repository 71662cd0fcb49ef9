"""Checks of waiting."""

from collections.abc import Iterator

import pytest

from tests.support.waiting import eventually


def test_the_first_true_answer_is_given() -> None:
    """Answers that are false, and errors of a look, are waited out."""
    answers: Iterator[int | Exception] = iter([0, OSError("refused"), AssertionError("not yet"), 7])

    def look() -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert eventually(look) == 7


def test_the_last_answer_stands_in_the_failure() -> None:
    """When time is up the test fails and says what was seen."""
    with pytest.raises(AssertionError, match=r"the last answer: \[\]"):
        eventually(list, timeout=0)
