"""After fork(): a child lets go of what belongs to its parent.

Every client object is known here, and told in the child. A blocking one closes the sockets that it
inherited, without shutdown(2), so that the parent's connections go on; each begins anew with locks
and an instance of its own.
"""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet

__all__ = ["ForkAware", "renew_after_fork"]


class ForkAware(Protocol):
    """Something that must begin anew in a child."""

    def after_fork(self) -> None:
        """Begin anew; called in the child, which has one thread."""


_known: WeakSet[ForkAware] = WeakSet()


def renew_after_fork(owner: ForkAware) -> None:
    """Call `owner.after_fork` in each child process, as long as it lives."""
    _known.add(owner)


def _in_child() -> None:
    for owner in tuple(_known):
        owner.after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_in_child)
