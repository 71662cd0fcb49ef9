"""A part of what a supervisor runs: the children of one program, and where their settings are.

A reload asks every part what it changes before any part takes it over: all or none, so that settings that
are wrong leave nothing half changed.
"""

import logging
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from gateway_process import logs
from gateway_process.loader import Loader
from gateway_process.place import Child
from gateway_process.settings import Reloaded, reloaded
from gateway_process.shared import SharedSettings

__all__ = ["Part", "reread"]

logger = logging.getLogger(__package__)

S = TypeVar("S", bound=SharedSettings)


class Part(Generic[S]):
    """The children of one program under a supervisor, and where their settings are.

    Args:
        loader: gives the settings they have after a reload.
        children: of one program, one at least.
    """

    def __init__(self, loader: Loader[S], children: Sequence[Child]) -> None:
        self.children = children
        self._loader = loader

    def __repr__(self) -> str:
        return f"<Part {list(self.children)}>"

    def changes(self) -> Reloaded:
        """Read the settings anew and say what a reload changes.

        Raises:
            ProcessError: they are wrong now.
        """
        first = self.children[0]
        return reloaded(first.settings, self._loader.load().settings, replaces=first.replaces)

    def take(self, settings: S) -> None:
        """Give the children settings, for their next processes or for when they are told to reload."""
        logs.set_level(settings.log_level)
        for child in self.children:
            child.settings = settings


def reread(parts: Sequence[Part[Any]]) -> Reloaded:
    """Give all children what a reload changes; of several programs each setting is told with its role.

    Raises:
        ProcessError: the settings of one are wrong now; nothing was changed.
    """
    changes = [part.changes() for part in parts]
    applied: list[str] = []
    needs_restart: list[str] = []
    for part, change in zip(parts, changes, strict=True):
        part.take(change.settings)
        prefix = f"{part.children[0].name}." if len(parts) > 1 else ""
        applied += [f"{prefix}{name}" for name in change.applied]
        needs_restart += [f"{prefix}{name}" for name in change.needs_restart]
    if needs_restart:
        logger.warning("changed, but needs a restart: %s", ", ".join(needs_restart))
    return Reloaded(None, tuple(applied), tuple(needs_restart))
