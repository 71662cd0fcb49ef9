"""The module that `--entry` names: imported, looked over, and imported anew by a reload.

Whatever can be seen to be wrong is told here, before a client meets it. A reload imports the module anew, and
what belongs to it if it is a package; other modules stay as they are, with what they keep. What is running goes
on with the old functions.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import logging
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gateway_process.errors import StartupError
from gateway_process.functions import generates, takes
from gateway_process.importing import import_application, look_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

__all__ = ["PARAMETERS", "Handler", "Handlers", "handlers_of", "load", "reload"]

logger = logging.getLogger("gateway")

PARAMETERS: Final[dict[str, tuple[str, ...]]] = {
    "on_handshake": ("request",),
    "on_message": ("conn", "message"),
    "on_close": ("conn", "reason"),
}
"""Every handler there is, and what it is called with."""


@dataclass(frozen=True, slots=True)
class Handler:
    """One function of the module.

    Attributes:
        function: What is called.
        place: How logs name it, such as `on_message of chat_entry`.
    """

    function: Callable[..., Any]
    place: str


@dataclass(frozen=True, slots=True)
class Handlers:
    """The functions that the module has, None for those that it has not.

    Attributes:
        module: The module's name.
        on_handshake, on_message, on_close: The functions.
    """

    module: str
    on_handshake: Handler | None = None
    on_message: Handler | None = None
    on_close: Handler | None = None


def load(name: str, app_dir: Path) -> Handlers:
    """Import the module and find its functions.

    Args:
        name: Its dotted name.
        app_dir: The folder to look in first; it stays on `sys.path`.

    Raises:
        StartupError: It cannot be imported, or its functions cannot be what was meant.
    """
    return handlers_of(import_application(name, look_in(app_dir)), name)


def reload(name: str, app_dir: Path) -> Handlers:
    """Import the module anew, and find its functions.

    Raises:
        StartupError: As `load`; the module that was there stays in its place.
    """
    old = {key: sys.modules.pop(key) for key in list(sys.modules) if _belongs(key, name)}
    importlib.invalidate_caches()
    try:
        return load(name, app_dir)
    except StartupError:
        for key in [key for key in sys.modules if _belongs(key, name)]:
            del sys.modules[key]
        sys.modules.update(old)
        _put_back(name, old)
        raise


def handlers_of(module: ModuleType, name: str) -> Handlers:
    """Find the functions of a module.

    Args:
        module: The module.
        name: How messages name it.

    Raises:
        StartupError: There is none, or one cannot be what was meant.
    """
    found = {each: getattr(module, each) for each in PARAMETERS if hasattr(module, each)}
    misspelt = _misspelt(module, found)
    for wrong, right in misspelt.items():
        logger.warning(
            "%s of %s is never called; did you mean %s? Rename it, also if it is something else",
            *(wrong, name, right),
        )
    if not found:
        near = ", ".join(f"{right} instead of {wrong}" for wrong, right in misspelt.items())
        remedy = (
            f"write {near}" if near else "write for example `def on_message(conn, message): ...`"
        )
        raise StartupError(f"{name} has none of {', '.join(PARAMETERS)}; {remedy}")
    for each, function in found.items():
        _check(each, function, f"{each} of {name}")
    return Handlers(
        name, **{each: Handler(function, f"{each} of {name}") for each, function in found.items()}
    )


def _check(name: str, function: object, place: str) -> None:
    if not callable(function):
        raise StartupError(f"{place} is {function!r:.40} and cannot be called; define it with def")
    if generates(function):
        raise StartupError(
            f"{place} has a yield in it, so that calling it runs nothing; take it out"
        )
    parameters = PARAMETERS[name]
    if not takes(function, len(parameters)):
        raise StartupError(
            f"{place} takes {inspect.signature(function)}, but is called with {len(parameters)};"
            f" write it as {name}({', '.join(parameters)})"
        )


def _misspelt(module: ModuleType, found: dict[str, Any]) -> dict[str, str]:
    """Return names such as `onMessage` and `on_mesage` and what is meant, if that is not there."""
    missing = {_squeezed(name): name for name in PARAMETERS if name not in found}
    meant = {}
    for name, value in vars(module).items():
        squeezed = _squeezed(name)
        if name in PARAMETERS or not squeezed.startswith("on") or not callable(value):
            continue
        close = difflib.get_close_matches(squeezed, missing, 1, cutoff=0.8)
        if close:
            meant[name] = missing[close[0]]
    return meant


def _squeezed(name: str) -> str:
    return name.replace("_", "").lower()


def _belongs(key: str, name: str) -> bool:
    return key == name or key.startswith(f"{name}.")


def _put_back(name: str, old: dict[str, ModuleType]) -> None:
    """Let a package name its module as before, which an import has changed that failed afterwards."""
    package, _, attribute = name.rpartition(".")
    if package and name in old:
        setattr(sys.modules[package], attribute, old[name])
