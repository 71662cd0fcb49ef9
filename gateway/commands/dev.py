"""`gateway dev`: a register, a gateway and the demo web application, under one command.

Each is the program that it is in production, as a child of its own; only where they listen and how
they find each other is arranged here. All sockets are bound first, so that port 0 may stand anywhere
and a port in use is told before anything starts.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click

from gateway.demo.program import DEFAULT_LISTEN, DEMO, PAGE, DemoSettings
from gateway.program import GATEWAY, public_kind
from gateway.settings import PLAIN, SECURE, GatewaySettings
from gateway_process.addresses import ListenUrl, read_address
from gateway_process.errors import BadValue, SettingsError
from gateway_process.flags import settings_options
from gateway_process.loader import Loader
from gateway_process.program import announce, children_of, prepare, say, supervise
from gateway_process.settings import specs_of
from gateway_process.shared import MemberSettings, SharedSettings
from gateway_process.sockets import address_of, bind
from gateway_wire.addresses import Address
from register.program import HTTP, INTERNAL, REGISTER, address_dialled
from register.settings import RegisterSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway_process.daemon import Addresses, Sockets
    from gateway_process.supervisor import Child

__all__ = ["dev"]

READY_NAMES: Final = {
    f"demo.{PAGE}": "demo",
    "gateway.ws": "ws",
    f"register.{INTERNAL}": "register",
    "gateway.http": "http",
    f"register.{HTTP}": "register_http",
    "gateway.internal": "internal",
}
"""Address of a child -> its name in the ready line, in the order they stand there."""


NOT_OFFERED: Final = frozenset({"register", "name", "run_dir"})
"""It runs its own register, and nothing speaks to it but Ctrl-C."""


@click.command()
@settings_options(GatewaySettings, "gateway", lambda spec: spec.name not in NOT_OFFERED)
@click.option(
    "--register-listen",
    metavar="HOST:PORT",
    help="Where the register listens; give it to your application as GATEWAYWORKER_REGISTER."
    "  [default: `listen` of [register], or 127.0.0.1:1236]",
)
@click.option(
    "--register-http",
    metavar="HOST:PORT",
    help="Where the register serves /healthz, /v1/nodes and /metrics."
    "  [default: `http` of [register], or 127.0.0.1:6787]",
)
@click.option("--demo/--no-demo", default=True, help="Run the demo web application.  [default: on]")
@click.option(
    "--demo-listen",
    metavar="HOST:PORT",
    default=str(DEFAULT_LISTEN),
    show_default=True,
    help="Where the demo's page is served; 0.0.0.0:7080 lets a phone in the same network open it.",
)
@click.argument("modules", nargs=-1, metavar="")
def dev(
    loader: Loader[GatewaySettings],
    register_listen: str | None,
    register_http: str | None,
    demo_listen: str,
    *,
    demo: bool,
    modules: Sequence[str],
) -> int:
    """Run a register, a gateway and a demo web application in the foreground.

    For development and for a first look: open the page that it names in two browser tabs. Your own
    web application finds the cluster at the register's address.
    """
    if modules:
        remedy = "leave it out, and push from your web application"
        raise SettingsError(modules[0], "names events, which `gateway dev` cannot run yet", remedy)
    listen = _address("--demo-listen", demo_listen)
    settings = prepare(loader.load())
    flags = {"listen": register_listen, "http": register_http}
    register = _start_register(_register_settings(loader, flags))
    gateways = _start_gateways(settings, register)
    demos = _start_demo(listen, settings, gateways[0]) if demo else []
    page = address_of(demos[0].sockets[PAGE][0]) if demo else None
    return supervise("dev", [register, *gateways, *demos], on_ready=partial(_tell, page))


# The register


def _register_settings(
    loader: Loader[GatewaySettings], flags: dict[str, str | None]
) -> RegisterSettings:
    """Read the register's settings: its own flags here, and those that all roles share."""
    shared = {name for spec in specs_of(SharedSettings) for name in (spec.name, spec.file_variant)}
    given: dict[str, object] = {k: raw for k, raw in loader.flags.items() if k in shared}
    given |= {name: raw for name, raw in flags.items() if raw is not None}
    of_register = Loader(
        settings=RegisterSettings,
        role="register",
        flags=given,
        config=loader.config,
        environ=loader.environ,
    )
    try:
        return of_register.load().settings
    except SettingsError as error:
        own = error.setting.removeprefix("--") in flags
        raise error.named(f"--register-{error.setting[2:]}" if own else error.setting) from error


def _bind_register(settings: RegisterSettings) -> list[Sockets]:
    return [
        {
            INTERNAL: bind(settings.listen, "--register-listen"),
            HTTP: bind(settings.http, "--register-http"),
        }
    ]


def _start_register(settings: RegisterSettings) -> Child:
    (child,) = children_of(replace(REGISTER, bind=_bind_register), settings)
    return child


# The gateway


def _start_gateways(settings: GatewaySettings, register: Child) -> list[Child]:
    return children_of(GATEWAY, replace(settings, register=(address_dialled(register.sockets),)))


# The demo


def _start_demo(listen: Address, settings: GatewaySettings, gateway: Child) -> list[Child]:
    common: dict[str, Any] = {
        spec.name: getattr(gateway.settings, spec.name) for spec in specs_of(MemberSettings)
    }
    url = _gateway_url(settings.listen, gateway.sockets)
    return children_of(DEMO, DemoSettings(listen=listen, gateway_url=url, **common))


def _gateway_url(listeners: Sequence[ListenUrl], sockets: Sockets) -> str:
    """Say where browsers find the gateway: its first plain listener, else its first secure one."""
    schemes = [url.scheme for url in listeners]
    index = schemes.index(PLAIN) if PLAIN in schemes else 0
    address = address_of(sockets[public_kind(index)][0])
    if address.dialled == address:
        return f"{schemes[index]}://{address}"
    # The host that the page came from; a page that came by http would choose ws by itself.
    anywhere = f":{address.port}"
    return f"{SECURE}://localhost{anywhere}" if schemes[index] == SECURE else anywhere


# What is printed


def _tell(page: Address | None, addresses: Addresses) -> None:
    """Print the ready line, and where to point a browser."""
    announce("dev", {new: addresses[old] for old, new in READY_NAMES.items() if old in addresses})
    if page is None:
        say("No demo; connect a page of yours to the gateway. Ctrl-C stops everything.")
        return
    phone = f" From a phone: --demo-listen 0.0.0.0:{page.port}." if page.is_loopback else ""
    say(f"Open http://{page.dialled} in two browser tabs.{phone} Ctrl-C stops everything.")


def _address(flag: str, text: str) -> Address:
    try:
        return read_address(text)
    except BadValue as error:
        raise SettingsError(flag, error.problem, error.remedy, value=text) from error
