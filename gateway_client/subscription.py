"""What a consumer asks each gateway for, checked where the program says it.

Pure. Topics are names as groups are: they travel as text, and what could only be a mistake is refused before anything is
dialled.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gateway_wire.limits import MAX_PREFETCH
from gateway_wire.names import Name, name_of

__all__ = ["DEFAULT_PREFETCH", "Subscription", "subscription"]

DEFAULT_PREFETCH: Final = 100
"""Messages that each gateway may send ahead: enough to hide a round trip, few enough to share the work."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a consumer asks each gateway for.

    Attributes:
        topics: The topics, each once.
        prefetch: How many messages each gateway may have unacknowledged with this consumer.
        name: How status and logs of the gateways name the consumer; may be empty.
    """

    topics: tuple[str, ...]
    prefetch: int = DEFAULT_PREFETCH
    name: str = ""


def subscription(
    topics: Iterable[Name], prefetch: int = DEFAULT_PREFETCH, name: str = ""
) -> Subscription:
    """Check what a caller of `consume` asks for.

    Raises:
        TypeError: If a topic, `prefetch` or `name` is of another type.
        ValueError: If there is no topic, one is empty or too long, or `prefetch` is out of range.
    """
    texts = tuple(dict.fromkeys(map(_topic, topics)))
    if not texts:
        raise ValueError('consume() names no topic: give one or several, such as consume("chat")')
    if isinstance(prefetch, bool) or not isinstance(prefetch, int):
        raise TypeError(f"prefetch is {prefetch!r}: give a number of messages")
    if not 1 <= prefetch <= MAX_PREFETCH:
        raise ValueError(
            f"prefetch is {prefetch}: give 1 to {MAX_PREFETCH:,} messages for each gateway"
        )
    if not isinstance(name, str):
        raise TypeError(f"name is {name!r}: give text, or leave it out")
    return Subscription(texts, prefetch, name and name_of("name", name))


def _topic(topic: Name) -> str:
    if isinstance(topic, list | tuple | set | frozenset):
        raise TypeError(
            f"{topic!r:.80} was given as a topic: give one or several, as consume(*topics)"
        )
    return name_of("topic", topic)
