"""The demo as a program that `gateway dev` starts beside a register and a gateway.

What it shows is in `app`, which knows nothing of this module: the application could run anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway_process.program import Program
from gateway_process.settings import setting
from gateway_process.shared import MemberSettings
from gateway_process.sockets import bind
from gateway_wire.addresses import Address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway_process.daemon import Context, Role, Sockets

__all__ = ["DEFAULT_LISTEN", "DEMO", "PAGE", "DemoSettings"]

DEFAULT_LISTEN: Final = Address("127.0.0.1", 7080)
"""Where `gateway dev` serves the page when nothing is set."""
PAGE: Final = "demo"
"""The name of its socket, and of its address in the ready line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSettings(MemberSettings):
    """What the demo can be told; `gateway dev` fills it in."""

    listen: Address = setting(DEFAULT_LISTEN, "Where the page is served.")
    gateway_url: str = setting(
        ":7272",
        "Where browsers find the gateway: ws://HOST:PORT, or :PORT on the host the page came from.",
    )


def _bind(settings: DemoSettings) -> Sequence[Sockets]:
    return [{PAGE: bind(settings.listen, "--demo-listen")}]


def _role(settings: DemoSettings, context: Context) -> Role[DemoSettings]:
    from gateway.demo.process import DemoProcess

    return DemoProcess(settings, context)


DEMO: Final = Program(
    name="demo", package="gateway.demo", settings=DemoSettings, bind=_bind, role=_role
)
"""What `gateway dev` starts as a child."""
