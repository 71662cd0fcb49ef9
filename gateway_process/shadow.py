"""Is a package of ours what a child would import? A user's own `gateway/` folder must not win.

Children start with `python -P`, which keeps the working directory off the path. PYTHONPATH still
comes before the installed packages; a package of our name found there first is named in an error.
"""

import importlib.util
import os
from collections.abc import Iterable
from importlib.machinery import PathFinder
from pathlib import Path

from gateway_process.errors import StartupError

__all__ = ["refuse_shadow", "shadow_of"]


def shadow_of(package: str, ours: Path, path: Iterable[str]) -> Path | None:
    """Find what a path offers in a package's place.

    Args:
        package: its name, such as `gateway`.
        ours: the package's own `__init__.py`.
        path: the folders searched before it, in order.

    Returns:
        The file that would be imported instead, or None.
    """
    for folder in path:
        spec = PathFinder.find_spec(package, [os.path.abspath(folder)])  # noqa: PTH100 -- keeps links
        if spec is not None and spec.origin is not None:
            found = Path(spec.origin)
            return None if found.resolve() == ours.resolve() else found
    return None


def refuse_shadow(package: str, ours: Path | None = None) -> None:
    """Check that PYTHONPATH leaves a package of ours where it is.

    Args:
        package: its name; of `gateway.demo` the first word decides.
        ours: its `__init__.py`; None for the one that this process imports.

    Raises:
        StartupError: PYTHONPATH puts another one in front; names the file.
    """
    package = package.partition(".")[0]
    path = os.environ.get("PYTHONPATH")
    ours = ours or _imported(package)
    if ours is None or not path:
        return
    other = shadow_of(package, ours, path.split(os.pathsep))
    if other is not None:
        remedy = "rename it or take its folder off PYTHONPATH"
        raise StartupError(f"{other} stands in the way of our package {package!r}; {remedy}")


def _imported(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    return Path(spec.origin) if spec is not None and spec.origin is not None else None
