"""`gateway dev` while somebody writes the events: a change of a .py file replaces the worker.

What is watched is the folder that the module is in, by the system's own notices (`watchfiles`; see
docs/decisions/watching.md). The worker is replaced as a reload does it, so no browser notices: the new
process is ready before the old one ends, and one that cannot start costs nothing.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Final

from watchfiles import Change, awatch

from gateway_process.place import NotReplaced
from gateway_process.program import say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway_process.place import Child

__all__ = ["is_source", "replace_on_change"]

logger = logging.getLogger("gateway")

NOT_ONES_OWN: Final = frozenset({"__pycache__", "node_modules", "site-packages"})
"""Folders of what nobody writes by hand; virtual environments are known by their pyvenv.cfg."""
NAMED: Final = 3
"""Changed files that a message names: a line, also when a branch was checked out."""


async def replace_on_change(child: Child, root: Path) -> None:
    """Replace a child's process whenever a source below a folder has changed, until cancelled.

    What changes while it is replaced is seen too, and leads to another replacement.

    Args:
        child: a place whose processes run what is in the folder; `mendable`.
        root: the folder, without links in its path; all that is below it is watched.
    """
    logging.getLogger("watchfiles").setLevel(logging.WARNING)  # it tells of each change, as we do
    try:
        try:
            await _watch(child, root)
        except PermissionError:  # there is a folder of another user's, such as a database's data
            await _watch(child, root, ignore_permission_denied=True)
    # RuntimeError: what the library makes of a limit of the system
    except (OSError, RuntimeError) as error:
        remedy = "start it again after a change, or have it look all the time: WATCHFILES_FORCE_POLLING=1"
        logger.error("changes below %s cannot be seen (%s); %s", root, error, remedy)  # noqa: TRY400 -- one line says it all


async def _watch(child: Child, root: Path, *, ignore_permission_denied: bool = False) -> None:
    def matters(_: Change, path: str) -> bool:
        return is_source(Path(path), root)

    async for changes in awatch(
        root,
        watch_filter=matters,
        rust_timeout=0,
        # Only where it must be: the library then also ignores that nothing can be watched.
        ignore_permission_denied=ignore_permission_denied,
    ):
        await _replace(child, _named({Path(path).relative_to(root) for _, path in changes}))


async def _replace(child: Child, changed: str) -> None:
    try:
        await child.replace()
    except NotReplaced:
        if not child.is_ending:
            say(
                f"Not reloaded, though {changed} changed: see above. The next change is tried again."
            )
    else:
        say(f"Reloaded: {changed} changed.")


def is_source(path: Path, root: Path) -> bool:
    """Whether a file is one that somebody writes: Python, not hidden, in no virtual environment.

    Args:
        path: the file, which may be gone.
        root: what is watched; where it lies itself does not matter.
    """
    inner = path.relative_to(root)
    if inner.suffix != ".py" or any(part.startswith(".") for part in inner.parts):
        return False
    if NOT_ONES_OWN.intersection(inner.parts):
        return False
    return not any((root / each / "pyvenv.cfg").exists() for each in inner.parents[:-1])


def _named(changed: Iterable[Path]) -> str:
    names = sorted(map(str, changed))
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
