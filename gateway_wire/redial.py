"""How long to wait before a link that ended, or did not come about, is dialled again. Pure: time is an argument.

Doubling with full jitter: whoever lost a peer in the same moment does not come back in the same moment.
"""

from __future__ import annotations

import random
from typing import Final

__all__ = ["REDIAL_MAX", "REDIAL_MIN", "Redial"]

REDIAL_MIN: Final = 0.1
"""Seconds: the first pause before dialling again is random between nothing and this."""
REDIAL_MAX: Final = 1.0
"""Seconds: no pause is longer, so that a register or gateway that is restarted knows everybody within 3 s."""


class Redial:
    """The pauses of one link that is dialled again and again.

    Attributes:
        most: Seconds that the next pause lasts at the most.
    """

    __slots__ = ("most",)

    def __init__(self) -> None:
        """Begin with the shortest."""
        self.most = REDIAL_MIN

    def __repr__(self) -> str:
        return f"<Redial within {self.most:g} s>"

    def pause(self, lasted: float = 0.0) -> float:
        """Return the seconds to wait before the next attempt.

        Args:
            lasted: Seconds for which the link was open, 0 if it never was. One that opens links and ends
                them at once is no better than one that refuses.
        """
        if lasted > REDIAL_MAX:
            self.most = REDIAL_MIN
        pause = random.uniform(0, self.most)  # noqa: S311 - jitter
        self.most = min(self.most * 2, REDIAL_MAX)
        return pause
