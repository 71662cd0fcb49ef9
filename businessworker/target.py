"""`MODULE[:EVENTS]`: how somebody names the handlers of an application.

Only how it is written stands here; whether there is such a module is seen where it is imported. The
mistake that everybody makes once is the path of a file, and it is answered with the module's name.
"""

from __future__ import annotations

from typing import Annotated, Final

from gateway_process.errors import BadValue
from gateway_process.kinds import Kind

__all__ = ["Target", "split_target"]

METAVAR: Final = "MODULE[:EVENTS]"
EXAMPLE: Final = "myapp.events"


def split_target(target: str) -> tuple[str, str]:
    """Give the dotted name of the module, and what is named in it; empty for the module itself.

    Raises:
        BadValue: No module has such a name.
    """
    module, _, attribute = target.partition(":")
    if _is_dotted(module) and not module.endswith(".py"):
        return module, attribute
    remedy = f"write its dotted name, as {EXAMPLE} or {EXAMPLE}:Events"
    raise BadValue("does not name a module", f"{_meant(module)}{remedy}")


def _meant(module: str) -> str:
    dotted = module.removesuffix(".py").strip("./\\").replace("/", ".").replace("\\", ".")
    return f"did you mean {dotted}? If not, " if _is_dotted(dotted) else ""


def _is_dotted(module: str) -> bool:
    return all(part.isidentifier() for part in module.split("."))


def _parse(raw: object) -> str:
    text = str(raw)
    split_target(text)
    return text


Target = Annotated[str, Kind(metavar=METAVAR, parse=_parse)]
"""The kind of a setting that names handlers."""
