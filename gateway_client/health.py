"""Which gateways are left alone for a while, and why.

Pure: time is an argument. A gateway that refused a connection is not dialled again for a second;
open links to it go on. One that was asked and did not answer in time is not asked at all for a
second, then two, up to ten; when that is over one caller tries it while the others go on leaving it
alone, so that a gateway that is frozen costs one caller its timeout and not every request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["REFUSED_PAUSE", "SKIP_MAX", "SKIP_MIN", "Health"]

REFUSED_PAUSE: Final = 1.0
"""Seconds: a gateway that is restarted is back within a second or two."""

SKIP_MIN: Final = 1.0
"""Seconds that a gateway is skipped after its first timeout."""
SKIP_MAX: Final = 10.0
"""Seconds: a gateway that is gone for good is dropped by its register after about as long."""


@dataclass(slots=True)
class _Silence:
    """A gateway that did not answer: skipped until a time, for a reason; whether one tries it."""

    until: float
    pause: float
    reason: str
    is_tried: bool = False


class Health:
    """What is known of gateways that are not well."""

    __slots__ = ("_refused", "_silent")

    def __init__(self) -> None:
        self._refused: dict[str, tuple[float, str]] = {}
        self._silent: dict[str, _Silence] = {}

    def __repr__(self) -> str:
        return f"<Health {len(self._refused)} refused, {len(self._silent)} silent>"

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing to leave alone."""
        return not self._silent

    def why_not_ask(self, node_id: str, now: float) -> str | None:
        """Return why a gateway is not to be asked now, or None.

        If a gateway that was silent may be tried again, whoever asks this is the one who tries, and
        owes `answered`, `timed_out` or `let_go`.
        """
        silence = self._silent.get(node_id)
        if silence is None:
            return None
        if now < silence.until:
            wait = silence.until - now
            return f"{silence.reason}; it is left alone for another {wait:.1f} s"
        if silence.is_tried:
            return f"{silence.reason}; another call is trying it"
        silence.is_tried = True
        return None

    def why_not_dial(self, node_id: str, now: float) -> str | None:
        """Return why a gateway is not to be dialled now, or None."""
        until, reason = self._refused.get(node_id, (now, ""))
        return f"{reason}; it is dialled again in {until - now:.1f} s" if until > now else None

    def refused(self, node_id: str, reason: str, now: float) -> None:
        """Take note that a gateway refused a connection, or could not be reached."""
        self._refused[node_id] = (now + REFUSED_PAUSE, reason)
        self._silent.pop(node_id, None)

    def timed_out(self, node_id: str, reason: str, now: float) -> None:
        """Take note that a gateway did not answer in time."""
        silence = self._silent.get(node_id)
        if silence is None:
            self._silent[node_id] = _Silence(now + SKIP_MIN, SKIP_MIN, reason)
        elif now >= silence.until:
            silence.pause = min(silence.pause * 2, SKIP_MAX)
            silence.until = now + silence.pause
            silence.is_tried = False

    def answered(self, node_id: str) -> None:
        """Take note that a gateway is well."""
        if self._silent or self._refused:
            self._silent.pop(node_id, None)
            self._refused.pop(node_id, None)

    def let_go(self, node_id: str) -> None:
        """Take note that whoever tried a gateway gave up without learning anything."""
        silence = self._silent.get(node_id)
        if silence is not None:
            silence.is_tried = False
