"""Lines in the log about peers that are refused, each once an hour.

Who is refused tries again, a gateway each second and a web application at each request, and who sends garbage
sends another each time: the log shall say who and why, and not be full of it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

__all__ = ["FORGOTTEN_AFTER", "HOSTS", "LINES_PER_HOST", "Refusals"]

FORGOTTEN_AFTER: Final = 3600.0
"""Seconds after which the account begins anew, and each line may come once more."""

LINES_PER_HOST: Final = 20
"""Different lines about one host: more than a mistake of its operator brings."""

HOSTS: Final = 1000
"""Hosts of which lines are known to stand in the log; then the account begins anew, too."""


class Refusals:
    """Warns of each peer and reason once."""

    __slots__ = ("_begun", "_clock", "_logger", "_told")

    def __init__(self, logger: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with nothing told.

        Args:
            logger: Where the lines go.
            clock: Gives the time in seconds.
        """
        self._logger = logger
        self._clock = clock
        self._begun = clock()
        # The lines about each host.
        self._told: dict[str, set[str]] = {}

    def __repr__(self) -> str:
        return f"<Refusals {sum(map(len, self._told.values()))} told>"

    def tell(self, remote: str, text: str) -> None:
        """Warn, unless the same was said of the same host before, or enough.

        Args:
            remote: The peer's address, `host:port`; it may have another port each time.
            text: The line; the address may stand in it.
        """
        host = remote.rpartition(":")[0]
        lines = self._lines_about(host)
        line = text.replace(remote, host)
        if line in lines or len(lines) >= LINES_PER_HOST:
            return
        lines.add(line)
        self._logger.warning("%s", text)
        if len(lines) == LINES_PER_HOST:
            self._logger.warning(
                "what else is refused of %s is counted in the metrics, and not logged for an hour",
                host,
            )

    def _lines_about(self, host: str) -> set[str]:
        now = self._clock()
        if now - self._begun >= FORGOTTEN_AFTER or len(self._told) > HOSTS:
            self._told.clear()
            self._begun = now
        return self._told.setdefault(host, set())
