"""What a consumer asks for: topics, prefetch, name."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from gateway_client.subscription import DEFAULT_PREFETCH, Subscription, subscription
from gateway_wire.limits import MAX_ID_LENGTH, MAX_PREFETCH


def test_topics_are_names_each_once() -> None:
    """Numbers and UUIDs travel as text, and a topic that is named twice is consumed once."""
    asked = subscription(["chat", 7, "7", UUID(int=1), "chat"])

    assert asked == Subscription(("chat", "7", str(UUID(int=1))), DEFAULT_PREFETCH, "")


@pytest.mark.parametrize("prefetch", [1, MAX_PREFETCH])
def test_prefetch_within_its_limits_is_taken(prefetch: int) -> None:
    """One message at a time is the least; as many as a topic holds are the most."""
    assert subscription(["chat"], prefetch, "me").prefetch == prefetch


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (([],), ValueError, "names no topic"),
        (([""],), ValueError, "a topic is never empty"),
        ((["t" * (MAX_ID_LENGTH + 1)],), ValueError, "the topic has"),
        (([None],), TypeError, "a topic is a str"),
        (
            ([["chat", "orders"]],),
            TypeError,
            r"\['chat', 'orders'\] was given as a topic: give one",
        ),
        ((["chat"], 0), ValueError, "prefetch is 0: give 1 to 10,000"),
        ((["chat"], MAX_PREFETCH + 1), ValueError, "prefetch is 10001"),
        ((["chat"], 1.0), TypeError, "prefetch is 1.0"),
        ((["chat"], True), TypeError, "prefetch is True"),
        ((["chat"], 1, None), TypeError, "name is None"),
        ((["chat"], 1, "n" * (MAX_ID_LENGTH + 1)), ValueError, "the name has"),
    ],
)
def test_what_could_only_be_a_mistake_is_refused(
    arguments: Any, error: type[Exception], text: str
) -> None:
    """Each error names what was wrong, before anything is dialled."""
    with pytest.raises(error, match=text):
        subscription(*arguments)
