"""Imports a module of the application, and says what is wrong if that fails.

There are two ways to fail, which users mistake for each other: the module is not there, or it is there and
raises. The second is told with the file and line that raised.
"""

from __future__ import annotations

import difflib
import importlib
import logging
import sys
import sysconfig
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway_process.errors import StartupError

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["RAISED", "import_application", "look_in", "told"]

RAISED: Final = (Exception, SystemExit, KeyboardInterrupt)
"""What code of the application may raise. One that calls `sys.exit`, as a script does in its last lines, ends
itself: how a daemon ends is for its administrator to say, and work of others is under way in it."""

_logger = logging.getLogger(__name__)

_MACHINERY: Final = ("<frozen importlib", importlib.__file__, __file__)
"""Files whose frames say nothing about who imported what."""


_OURS: Final = ("businessworker", "gateway", "gateway_client", "gateway_process", "gateway_wire")
_LIBRARIES: Final = (
    *{f"{sysconfig.get_path(name)}/" for name in ("stdlib", "purelib", "platlib")},
    *(f"{Path(__file__).parents[1] / name}/" for name in _OURS),
    "<",
)
"""Where code lies that the application has not written; `<` as in `<frozen runpy>`."""


def look_in(app_dir: Path) -> Path:
    """Have Python look for modules in a folder first, from now on.

    Returns:
        The folder, as an absolute path.
    """
    folder = app_dir.expanduser().resolve()
    if sys.path[:1] != [str(folder)]:
        sys.path.insert(0, str(folder))
    return folder


def import_application(name: str, app_dir: Path) -> ModuleType:
    """Import a module that holds code of the application.

    Args:
        name: Its dotted name.
        app_dir: Where applications are, as `look_in` returned it.

    Raises:
        StartupError: It is not there, or raises; says which of both.
    """
    try:
        module = importlib.import_module(name)
    except RAISED as error:
        _logger.debug("%s could not be imported", name, exc_info=error)
        if isinstance(error, ModuleNotFoundError) and not _frames(error):
            raise StartupError(_not_there(name, app_dir)) from error
        raise StartupError(_raised(name, error)) from error
    file = _file_of(name, app_dir)
    found = getattr(module, "__file__", None)  # what is built into Python has none
    if file is not None and not (found and Path(found).is_relative_to(app_dir)):
        raise StartupError(_hidden(name, file))
    return module


def told(error: BaseException) -> str:
    """Return an error in one line, with the file and line that led to it.

    That is the last line of the application's own code, where there is one: what it called is not what
    its author can change.
    """
    text = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
    if isinstance(error, SyntaxError):
        return f"{text} ({error.filename}, line {error.lineno})"
    frames = _frames(error)
    own = [frame for frame in frames if not frame.filename.startswith(_LIBRARIES)]
    last = next(reversed(own or frames), None)
    return f"{text} ({last.filename}, line {last.lineno})" if last else text


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    frames = traceback.extract_tb(error.__traceback__)
    return [frame for frame in frames if not frame.filename.startswith(_MACHINERY)]


def _raised(name: str, error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError):
        return (
            f"{name} was found, but imports {error.name!r}, which was not: {told(error)}; install "
            "that in the environment of this command, or correct the import"
        )
    if isinstance(error, SystemExit):
        return (
            f"{name} was found, but ends the process when it is imported: {told(error)}; guard "
            "that with `if __name__ == '__main__':`"
        )
    return f"{name} was found, but importing it failed: {told(error)}"


def _not_there(name: str, app_dir: Path) -> str:
    file = _file_of(name, app_dir)
    if file is not None:
        return _hidden(name, file)
    near = _near(name, app_dir)
    meant = f"did you mean {near!r}? If not, " if near else ""
    return (
        f"there is no module {name!r} in {app_dir} or elsewhere on Python's path; {meant}run this "
        "in the folder that holds it, or name that folder with --app-dir"
    )


def _file_of(name: str, app_dir: Path) -> Path | None:
    path = app_dir.joinpath(*name.split("."))
    files = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in files if file.exists()), None)


def _hidden(name: str, file: Path) -> str:
    package, dot, _ = name.partition(".")
    remedy = "put an empty __init__.py into its folder, or rename it" if dot else "rename it"
    return f"{file} is there, but Python finds another {package!r} before it; {remedy}"


def _near(name: str, folder: Path) -> str | None:
    """Return a module's name that is there and looks like the wanted one."""
    parts = name.split(".")
    for index, part in enumerate(parts):
        there = _modules(folder)
        if part not in there:
            close = difflib.get_close_matches(part, there, 1)
            return ".".join([*parts[:index], *close]) if close else None
        folder /= part
    raise AssertionError("it is there")


def _modules(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    there = [each.stem for each in folder.iterdir() if each.suffix == ".py" or each.is_dir()]
    return [each for each in there if each.isidentifier()]
