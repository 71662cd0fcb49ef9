"""`MODULE[:EVENTS]`: how somebody names the handlers of an application.

Only how it is written stands here; whether there is such a module is seen where it is imported.
"""

from __future__ import annotations

from typing import Annotated, Final

from gateway_process.kinds import Kind, module_name

__all__ = ["Target", "split_target"]

METAVAR: Final = "MODULE[:EVENTS]"
EXAMPLE: Final = "myapp.events"


def split_target(target: str) -> tuple[str, str]:
    """Give the dotted name of the module, and what is named in it; empty for the module itself.

    Raises:
        BadValue: No module has such a name.
    """
    module, _, attribute = target.partition(":")
    remedy = f"write its dotted name, as {EXAMPLE} or {EXAMPLE}:Events"
    return module_name(module, remedy), attribute


def _parse(raw: object) -> str:
    text = str(raw)
    split_target(text)
    return text


Target = Annotated[str, Kind(metavar=METAVAR, parse=_parse)]
"""The kind of a setting that names handlers."""
