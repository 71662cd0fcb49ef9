"""Django, where the application is one: told by `DJANGO_SETTINGS_MODULE`, as Django is itself."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, cast

from gateway_process.errors import StartupError
from gateway_process.importing import told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["set_up"]


def set_up(environ: Mapping[str, str]) -> Callable[[], None] | None:
    """Set Django up, if the environment names its settings.

    Args:
        environ: The environment.

    Returns:
        What closes stale database connections of the calling thread, to be called around each
        handler as Django does around each request; None without Django.

    Raises:
        StartupError: Django is not installed, or its set-up fails.
    """
    settings = environ.get("DJANGO_SETTINGS_MODULE")
    if not settings:
        return None
    try:
        django = importlib.import_module("django")
    except ImportError as error:
        raise StartupError(
            f"DJANGO_SETTINGS_MODULE is {settings!r}, but Django cannot be imported: {error}; "
            "pip install django in the environment of this command, or unset the variable"
        ) from error
    try:
        django.setup()
    except Exception as error:
        raise StartupError(
            f"Django cannot be set up with DJANGO_SETTINGS_MODULE={settings}: {told(error)}; run "
            "this in the folder of manage.py, or name that folder with --app-dir"
        ) from error
    return cast("Callable[[], None]", importlib.import_module("django.db").close_old_connections)
