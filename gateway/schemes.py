"""What a listener's URL may begin with, and what is spoken there.

    ws://  wss://           websocket, plain and over TLS
    text://  frame://       lines of UTF-8, and frames with their length in front
    module:Class://         somebody's own protocol, imported from --app-dir or Python's path
    ...+tls://              TLS on any of the last three, such as text+tls://

Only how a URL is written is judged where settings are read (`check_scheme`); a class is imported where it
is used (`Speeches`).
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

from gateway.edge.frame import Frame
from gateway.edge.protocol import Protocol
from gateway.edge.speech import Speech
from gateway.edge.text import Text
from gateway_process.errors import SettingsError, StartupError
from gateway_process.importing import import_application, look_in, told

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from gateway_process.addresses import ListenUrl

__all__ = ["PLAIN", "SECURE", "Speeches", "check_scheme", "is_own", "is_websocket", "wants_tls"]

PLAIN: Final = "ws"
SECURE: Final = "wss"
_TLS: Final = "+tls"

_BUILT_IN: Final[dict[str, type[Protocol]]] = {"text": Text, "frame": Frame}
_SCHEMES: Final = (PLAIN, SECURE, *_BUILT_IN, *(name + _TLS for name in _BUILT_IN))
_FORMS: Final = (
    "write ws://, wss://, text://, frame:// or module:Class:// for a protocol of yours; text+tls:// and"
    " the like for TLS"
)
_MEANT: Final = {
    "ws+tls": SECURE,
    "wss+tls": SECURE,
    "websocket": PLAIN,
    "tcp": "text",
    "ssl": SECURE,
}
"""What some write who know another system."""


def is_websocket(url: ListenUrl) -> bool:
    """Tell whether browsers can connect there."""
    return url.scheme in {PLAIN, SECURE}


def is_own(url: ListenUrl) -> bool:
    """Tell whether somebody's own protocol is spoken there."""
    return ":" in url.scheme


def wants_tls(url: ListenUrl) -> bool:
    """Tell whether a certificate is needed there."""
    return url.scheme == SECURE or url.scheme.endswith(_TLS)


def check_scheme(url: ListenUrl) -> None:
    """Check how a listener's URL begins.

    Raises:
        SettingsError: Nothing is spoken there that has such a name.
    """
    scheme = url.scheme
    if scheme in _SCHEMES:
        return
    if not is_own(url):
        near = _MEANT.get(scheme) or next(iter(difflib.get_close_matches(scheme, _SCHEMES, 1)), "")
        meant = f"did you mean {near}://? If not, " if near else ""
        raise _wrong(url, "is no listener this gateway has", meant + _FORMS)
    module, _, name = _protocol(url).partition(":")
    if not name.isidentifier() or not all(part.isidentifier() for part in module.split(".")):
        remedy = (
            "write the module's dotted name and the class, as devices.meter:Meter://0.0.0.0:7280"
        )
        raise _wrong(url, "does not name a protocol", remedy)


class Speeches:
    """What is spoken on the listeners of one process; one object for all that speak the same.

    Args:
        app_dir: The folder to look in first for modules; it is put on `sys.path` when one is needed.
        max_message: Largest message, in bytes.
    """

    def __init__(self, app_dir: Path, max_message: int) -> None:
        self._app_dir = app_dir
        self._max_message = max_message
        self._speeches: dict[str, Speech] = {}

    def __repr__(self) -> str:
        return f"<Speeches {' '.join(self._speeches) or 'none'}>"

    def of(self, url: ListenUrl) -> Speech | None:
        """Return what is spoken on a listener, None for websocket; its scheme was checked.

        Raises:
            SettingsError: Its class cannot be imported, or is none.
        """
        if is_websocket(url):
            return None
        name = _protocol(url)
        speech = self._speeches.get(name)
        if speech is None:
            protocol = _BUILT_IN.get(name) or self._import(url, name)
            speech = self._speeches[name] = self._made(url, name, protocol)
        return speech

    def _import(self, url: ListenUrl, name: str) -> type:
        module, _, attribute = name.partition(":")
        try:
            there = import_application(module, look_in(self._app_dir))
        except StartupError as error:
            raise _wrong(url, "cannot be imported", str(error)) from error
        found = getattr(there, attribute, None)
        if isinstance(found, type):
            return found
        what = "is not in its module" if found is None else "is no class"
        raise _wrong(url, what, _remedy(there, attribute))

    def _made(self, url: ListenUrl, name: str, protocol: type) -> Speech:
        missing = [each for each in ("feed", "encode") if not _has(protocol, each)]
        if missing:
            remedy = f"give {protocol.__name__} {_SIGNATURES[missing[0]]}; see docs/edges.md"
            raise _wrong(url, f"has no {' and no '.join(missing)}", remedy)
        try:
            return Speech(name, protocol, self._max_message)
        except Exception as error:
            raise _wrong(
                url,
                f"cannot be made ({told(error)})",
                "one is made for each connection, without arguments; correct its __init__",
            ) from error


_SIGNATURES: Final = {
    "feed": "a method feed(data: bytes) that returns messages",
    "encode": "a method encode(message) that returns bytes",
}


def _has(protocol: type, name: str) -> bool:
    method = getattr(protocol, name, None)
    return callable(method) and not getattr(method, "__isabstractmethod__", False)


def _remedy(module: ModuleType, attribute: str) -> str:
    classes = [name for name, value in vars(module).items() if isinstance(value, type)]
    near = difflib.get_close_matches(attribute, classes, 1)
    meant = f"did you mean {near[0]}? If not, " if near else ""
    return f"{meant}name a class that {module.__file__} has"


def _protocol(url: ListenUrl) -> str:
    return url.scheme.removesuffix(_TLS)


def _wrong(url: ListenUrl, problem: str, remedy: str) -> SettingsError:
    return SettingsError("listen", problem, remedy, value=str(url))
