"""The one way from any thread onto the event loop.

Letters are opened in the order in which they were posted, all that lie there in one turn, and a batch
costs the loop one wake-up. Since everything that threads want of the loop comes this way, what one thread
posts is done in its order, and before whatever that thread asks of the loop afterwards.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVarTuple, Unpack

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

__all__ = ["Mailbox"]

_logger = logging.getLogger(__name__)
_Args = TypeVarTuple("_Args")


class Mailbox:
    """Calls that wait for the event loop's thread.

    Args:
        loop: The loop that opens the letters; the mailbox is made on its thread.
    """

    __slots__ = ("_letters", "_loop", "_rung", "_thread")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread = threading.get_ident()
        self._letters: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._rung = False

    def __repr__(self) -> str:
        return f"<Mailbox with {len(self._letters)} letters>"

    @property
    def is_here(self) -> bool:
        """Whether the caller runs on the loop's thread."""
        return threading.get_ident() == self._thread

    def post(self, function: Callable[[Unpack[_Args]], object], *args: *_Args) -> None:
        """Have a function called on the loop's thread, after all that was posted before.

        May be called from any thread. Once the loop is closed, letters go nowhere.
        """
        self._letters.append((function, args))
        # After the letter: whoever takes the bell down before this line opens the letter too.
        if not self._rung:
            self._rung = True
            with suppress(RuntimeError):  # the loop is closed: the process is ending
                self._loop.call_soon_threadsafe(self._open)

    def _open(self) -> None:
        self._rung = False
        letters = self._letters
        for _ in range(len(letters)):
            function, args = letters.popleft()
            try:
                function(*args)
            except Exception:
                _logger.exception("a call from another thread failed")
