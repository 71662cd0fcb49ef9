"""Lines in the log about peers that are refused, each once.

Who is refused tries again, a gateway each second and a web application at each request: the log shall say
who and why, and not be full of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import logging

__all__ = ["Refusals"]

REMEMBERED: Final = 1000
"""Lines that are known to stand in the log; then the account begins anew, and each may come once more."""


class Refusals:
    """Warns of each peer and reason once."""

    __slots__ = ("_logger", "_told")

    def __init__(self, logger: logging.Logger) -> None:
        """Begin with nothing told.

        Args:
            logger: Where the lines go.
        """
        self._logger = logger
        self._told: set[tuple[str, str]] = set()

    def __repr__(self) -> str:
        return f"<Refusals {len(self._told)} told>"

    def tell(self, remote: str, text: str) -> None:
        """Warn, unless the same was said of the same host before.

        Args:
            remote: The peer's address, `host:port`; it may have another port each time.
            text: The line; the address may stand in it.
        """
        host = remote.rpartition(":")[0]
        line = (host, text.replace(remote, host))
        if line in self._told:
            return
        if len(self._told) >= REMEMBERED:
            self._told.clear()
        self._told.add(line)
        self._logger.warning("%s", text)
