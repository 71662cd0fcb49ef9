"""What the cases of one run share: how many browsers, how long, and the stage that most of them use."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from typing import Final, Self

from bench.stage import Stage

__all__ = ["CONNECTIONS", "Plan"]

CONNECTIONS: Final = 4_000
"""Browsers of a run, as in the figures of other gateways that ours are held beside."""


class Plan:
    """Options of a run, and its stage; a context manager that ends what was started.

    Attributes:
        connections: Browsers that were asked for; None for as many as each case is about.
        seconds: How long the cases go on that take as long as they are given; None for their default.
    """

    def __init__(self, connections: int | None = None, seconds: float | None = None) -> None:
        """Plan a run; nothing is started before a case asks for it."""
        self.connections = connections
        self.seconds = seconds
        self._stack = ExitStack()

    def __repr__(self) -> str:
        return f"<Plan for {self.size_of(CONNECTIONS)} browsers>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def size_of(self, default: int) -> int:
        """Return how many browsers a case has that is about so many."""
        return self.connections or default

    def seconds_of(self, default: float) -> float:
        """Return how long a case goes on that goes on so long by default."""
        return self.seconds or default

    @cached_property
    def stage(self) -> Stage:
        """The floor and the cluster, with a crowd at each."""
        return self._stack.enter_context(Stage(self.size_of(CONNECTIONS)))
