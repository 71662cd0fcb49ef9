"""The closed list of contestants: which there are, what they are called, and how many browsers they bear.

Adding one is a line here, its pin in servers/, and a server there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

__all__ = ["CONTESTANTS", "Contestant", "Kind"]


class Kind(Enum):
    """Where a contestant comes from, and so how it is installed, started and told what to send."""

    OURS = "this tree"
    NODE = "npm"
    PYTHON = "PyPI"
    NGINX = "Debian"


@dataclass(frozen=True, slots=True)
class Contestant:
    """One that is measured.

    Attributes:
        name: What the command line calls it.
        title: What the table calls it.
        kind: Where it comes from.
        package: Its name there.
        server: Its file in servers/.
        most: Browsers that it can serve ten messages a second on one core of the slowest kind.
        options: What its browsers tell load.c to speak.
    """

    name: str
    title: str
    kind: Kind
    package: str
    server: str = ""
    most: int = 1 << 30
    options: tuple[str, ...] = ()


SOCKET_IO: Final = ("socket.io",)

SLOW: Final = 500
"""Where a delivery takes 100 µs, half a core's work for ten messages a second."""

CONTESTANTS: Final = (
    Contestant("ours", "gatewayworker", Kind.OURS, "gatewayworker"),
    Contestant(
        "uwebsockets",
        "uWebSockets.js",
        Kind.NODE,
        "@trufflesuite/uws-js-unofficial",
        "uwebsockets.js",
    ),
    Contestant("nchan", "Nchan (nginx)", Kind.NGINX, "libnginx-mod-nchan", "nchan.conf"),
    Contestant("ws", "node ws", Kind.NODE, "ws", "ws.js"),
    Contestant("socket.io", "socket.io", Kind.NODE, "socket.io", "socket_io.js", options=SOCKET_IO),
    Contestant("picows", "picows on uvloop", Kind.PYTHON, "picows", "picows_server.py"),
    Contestant(
        "websockets", "websockets on uvloop", Kind.PYTHON, "websockets", "websockets_server.py"
    ),
    Contestant("aiohttp", "aiohttp on uvloop", Kind.PYTHON, "aiohttp", "aiohttp_server.py"),
    Contestant(
        "python-socketio",
        "python-socketio on aiohttp and uvloop",
        Kind.PYTHON,
        "python-socketio",
        "python_socketio_server.py",
        most=SLOW,
        options=SOCKET_IO,
    ),
)
"""Everybody, ours first, then as the expected order of the table has them."""
