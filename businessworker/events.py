"""The application's handlers: found in `MODULE[:EVENTS]`, checked, and kept for the process's life.

Whatever can be seen to be wrong is told here, before the worker takes its first event: a handler that is never
called because its name has a typo, or that fails at each call because it takes too few arguments, would
otherwise be found by users.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from businessworker import django_support
from businessworker.handler import PARAMETERS, Handler
from businessworker.target import split_target
from gateway_process.errors import StartupError
from gateway_process.functions import generates, takes
from gateway_process.importing import RAISED, import_application, look_in, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

__all__ = ["Events", "Worker", "load_events"]


_ELSEWHERE: Final = {"onopen": "on_connect", "ondisconnect": "on_close"}
"""What other libraries call our handlers, squeezed, where the name is not like ours."""


@dataclass(frozen=True, slots=True)
class Worker:
    """What `on_worker_start` and `on_worker_stop` receive: one worker process.

    Attributes:
        id: The process's number in its instance, from 0.
        name: The instance's name.
    """

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Events:
    """The handlers that an application has.

    Attributes:
        target: Where they were found, as `MODULE[:EVENTS]`.
        around: To be called on the thread before and after each `def` handler, if not None.
        on_worker_start, on_connect, on_websocket_connect, on_message, on_close, on_worker_stop: The
            handlers; None for those that it has not.
    """

    target: str
    around: Callable[[], None] | None = None
    on_worker_start: Handler | None = None
    on_connect: Handler | None = None
    on_websocket_connect: Handler | None = None
    on_message: Handler | None = None
    on_close: Handler | None = None
    on_worker_stop: Handler | None = None

    @property
    def handlers(self) -> list[Handler]:
        """The handlers that there are."""
        found = (getattr(self, name) for name in PARAMETERS)
        return [handler for handler in found if handler is not None]


def load_events(target: str, app_dir: Path, environ: Mapping[str, str] = os.environ) -> Events:
    """Import an application and find its handlers.

    Args:
        target: `MODULE` for the functions of a module, `MODULE:EVENTS` for a class or an object in it.
        app_dir: The folder to look in first; it stays on `sys.path`.
        environ: The environment, which may name Django's settings.

    Raises:
        BadValue: It is no name of a module.
        StartupError: It cannot be imported, or its handlers cannot be what was meant.
    """
    module, attribute = split_target(target)
    app_dir = look_in(app_dir)
    around = django_support.set_up(environ)
    holder: object = import_application(module, app_dir)
    if attribute:
        holder = _attribute(holder, module, attribute)
    return events_of(holder, target, around)


def events_of(holder: object, target: str, around: Callable[[], None] | None = None) -> Events:
    """Find the handlers of a module, a class or an object.

    A class whose handlers take `self` is made once, without arguments; handlers that do not are
    called on the class.

    Args:
        holder: What has them.
        target: How messages name it.
        around: See `Events`.

    Raises:
        StartupError: There is none, or one cannot be what was meant.
    """
    functions = dict(_functions(holder, target))
    _refuse_misspelt(holder, target, functions)
    if not functions:
        raise StartupError(_none_found(holder, target))
    handlers = {
        name: Handler(name, function, f"{name} of {target}") for name, function in functions.items()
    }
    for handler in handlers.values():
        _check(handler)
    return Events(target, around, **handlers)


def _attribute(module: object, name: str, attribute: str) -> object:
    try:
        return getattr(module, attribute)
    except AttributeError as error:
        there = [each for each in dir(module) if not each.startswith("_")]
        close = difflib.get_close_matches(attribute, there, 1)
        remedy = f"did you mean {name}:{close[0]}?" if close else "define it there"
        raise StartupError(f"{name} has no {attribute!r}; {remedy}") from error


def _functions(holder: object, target: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    instance: object = None
    for name in PARAMETERS:
        function = getattr(holder, name, None)
        if function is None:
            continue
        if inspect.isclass(holder) and _takes_self(holder, name):
            if instance is None:
                instance = _made(holder, target)
            function = getattr(instance, name)
        if not callable(function):
            raise StartupError(f"{name} of {target} is {function!r:.40} and cannot be called")
        yield name, function


def _takes_self(holder: type, name: str) -> bool:
    function = inspect.getattr_static(holder, name)
    if isinstance(function, functools.partialmethod):
        return True
    if not inspect.isfunction(function):
        return False
    first = next(iter(inspect.signature(function).parameters.values()), None)
    if first is not None and (first.name == "self" or first.kind is first.VAR_POSITIONAL):
        return True  # (*args) is how a decorator without functools.wraps looks
    count = len(PARAMETERS[name])
    return not takes(function, count) and takes(function, count + 1)


def _made(holder: type, target: str) -> object:
    try:
        return holder()
    except RAISED as error:
        raise StartupError(
            f"{target} has handlers that take self, so it is made once, as {holder.__name__}(); "
            f"that failed: {told(error)}"
        ) from error


def _check(handler: Handler) -> None:
    parameters = PARAMETERS[handler.name]
    if generates(handler.function):
        raise StartupError(
            f"{handler.place} has a yield in it, so that calling it runs nothing; take it out"
        )
    if not takes(handler.function, len(parameters)):
        raise StartupError(
            f"{handler.place} takes {inspect.signature(handler.function)}, but is called with "
            f"{len(parameters)}; write it as {handler.name}({', '.join(parameters)})"
        )


def _refuse_misspelt(holder: object, target: str, found: Mapping[str, object]) -> None:
    """Refuse names such as `onMessage` and `on_mesage`, if the right one is not there."""
    missing = {_squeezed(name): name for name in PARAMETERS if name not in found}
    for name in dir(holder):
        meant = _meant(name, missing)
        if meant is not None and callable(inspect.getattr_static(holder, name)):
            raise StartupError(
                f"{name} of {target} would never be called; did you mean {meant}? "
                "Rename it, also if it is something else"
            )


def _meant(name: str, missing: Mapping[str, str]) -> str | None:
    squeezed = _squeezed(name)
    if name in PARAMETERS or not squeezed.startswith("on"):
        return None
    if squeezed in _ELSEWHERE:
        meant = _ELSEWHERE[squeezed]
        return meant if meant in missing.values() else None
    close = difflib.get_close_matches(squeezed, missing, 1, cutoff=0.85)
    return missing[close[0]] if close else None


def _squeezed(name: str) -> str:
    return name.replace("_", "").lower()


def _none_found(holder: object, target: str) -> str:
    there = vars(holder) if inspect.ismodule(holder) else {}
    classes = [
        name
        for name, value in there.items()
        if inspect.isclass(value) and any(hasattr(value, each) for each in PARAMETERS)
    ]
    remedy = (
        f"did you mean {target}:{classes[0]}?"
        if classes
        else "write for example `def on_message(client_id, message): ...`"
    )
    return f"{target} has none of the handlers {', '.join(PARAMETERS)}; {remedy}"
