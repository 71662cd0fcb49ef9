"""`gateway dev`: a register, a gateway, your events and the demo web application, under one command.

Each is the program that it is in production, as a child of its own; only where they listen and how
they find each other is arranged here. All sockets are bound first, so that port 0 may stand anywhere
and a port in use is told before anything starts. The events are somebody's work of this hour: that
they do not start is no reason to end the rest, and a change of theirs replaces their process.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import click

from businessworker.program import BUSINESSWORKER
from businessworker.program import HTTP as WORKER_HTTP
from businessworker.settings import WorkerSettings
from gateway.demo.program import DEFAULT_LISTEN, DEMO, PAGE, DemoSettings
from gateway.program import GATEWAY, public_kind
from gateway.schemes import PLAIN, SECURE, is_websocket
from gateway.settings import GatewaySettings
from gateway_process.addresses import ListenUrl, read_address
from gateway_process.errors import BadValue, SettingsError
from gateway_process.flags import setting_options, settings_options
from gateway_process.loader import Loader
from gateway_process.program import announce, children_of, prepare, say, supervise
from gateway_process.settings import specs_of
from gateway_process.shared import MemberSettings
from gateway_process.sockets import address_of, bind
from gateway_wire.addresses import Address
from register.program import HTTP, INTERNAL, REGISTER, address_dialled
from register.settings import RegisterSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from gateway_process.daemon import Addresses, Sockets
    from gateway_process.supervisor import Child

__all__ = ["dev"]

READY_NAMES: Final = {
    f"demo.{PAGE}": "demo",
    "gateway.ws": "ws",
    "gateway.tcp": "tcp",
    f"register.{INTERNAL}": "register",
    "gateway.http": "http",
    f"register.{HTTP}": "register_http",
    "gateway.internal": "internal",
    "gateway.php": "php",
    f"businessworker.{WORKER_HTTP}": "worker_http",
}
"""Address of a child -> its name in the ready line, in the order they stand there."""

NOT_OFFERED: Final = frozenset({"register", "name", "run_dir", "app_dir"})
"""It runs its own register, nothing speaks to it but Ctrl-C, and one folder holds whatever is yours."""

OF_EVENTS: Final = frozenset({"app_dir", "threads"})
"""Settings of a business worker that it offers; the others are read from environment and file."""

EVENTS_STOP_TIMEOUT: Final = 5.0
"""Seconds that handlers have to end when their process is replaced, unless --stop-timeout says
otherwise: the next change has to wait for it."""


def _options_of_events(function: Callable[..., Any]) -> Callable[..., Any]:
    specs = [spec for spec in specs_of(WorkerSettings) if spec.name in OF_EVENTS]
    for option in reversed(setting_options(specs, BUSINESSWORKER.name)):
        function = option(function)
    return function


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
@_options_of_events
@click.argument("target", metavar="[MODULE[:EVENTS]]", required=False)
def dev(
    loader: Loader[GatewaySettings],
    register_listen: str | None,
    register_http: str | None,
    demo_listen: str,
    target: str | None,
    *,
    demo: bool,
    **of_events: str | None,
) -> int:
    """Run a register, a gateway, your events and a demo web application in the foreground.

    For development and for a first look: open the page that it names in two browser tabs. Your own
    web application finds the cluster at the register's address. MODULE holds the handlers of what
    browsers do; when a .py file in its folder changes they are loaded anew, and no browser notices.
    """
    listen = _address("--demo-listen", demo_listen)
    settings = _with_folder(prepare(loader.load()), of_events["app_dir"])
    if demo:
        _refuse_demo_without_browsers(settings)
    of_register = {"listen": register_listen, "http": register_http}
    register_settings = _register_settings(loader, of_register)
    worker_settings = _worker_settings(loader, {"events": target, **of_events})
    register = _start_register(register_settings, connmix=settings.connmix)
    gateways = _start_gateways(settings, register)
    workers = [] if worker_settings is None else [_start_events(worker_settings, register)]
    demos = _start_demo(listen, settings, gateways[0]) if demo else []
    page = address_of(demos[0].sockets[PAGE][0]) if demo else None
    where = _where_to_point(page, settings, gateways[0])
    return supervise(
        "dev",
        [register, *gateways, *workers, *demos],
        on_ready=partial(_tell, where, workers),
        beside=_watching(workers[0]) if workers else None,
    )


def _with_folder(settings: GatewaySettings, folder: str | None) -> GatewaySettings:
    """Let the gateway look for protocols where the events are."""
    return settings if folder is None else replace(settings, app_dir=Path(folder))


# The register


def _register_settings(
    loader: Loader[GatewaySettings], flags: dict[str, str | None]
) -> RegisterSettings:
    """Read the register's settings: its own flags here, and those that all roles share."""
    of_register = loader.for_role(RegisterSettings, "register", **_given(flags))
    try:
        return of_register.load().settings
    except SettingsError as error:
        own = error.setting.removeprefix("--") in flags
        raise error.named(f"--register-{error.setting[2:]}" if own else error.setting) from error


def _given(flags: dict[str, str | None]) -> dict[str, str]:
    return {name: raw for name, raw in flags.items() if raw is not None}


def _bind_register(settings: RegisterSettings) -> list[Sockets]:
    return [
        {
            INTERNAL: bind(settings.listen, "--register-listen"),
            HTTP: bind(settings.http, "--register-http"),
        }
    ]


def _start_register(settings: RegisterSettings, *, connmix: bool) -> Child:
    """Start it, as a centre of CONNMIX where the gateway speaks that."""
    program = replace(REGISTER, bind=_bind_register)
    (child,) = children_of(program, replace(settings, connmix=settings.connmix or connmix))
    return child


# The gateway


def _start_gateways(settings: GatewaySettings, register: Child) -> list[Child]:
    return children_of(GATEWAY, replace(settings, register=(address_dialled(register.sockets),)))


# The events


def _worker_settings(
    loader: Loader[GatewaySettings], flags: dict[str, str | None]
) -> WorkerSettings | None:
    """Read the worker's settings; None when nothing names events, here or in environment and file."""
    common = {name: raw for name, raw in loader.flags.items() if name == "max_message"}
    given = {**common, **_given(flags), "processes": 1}
    of_worker = loader.for_role(WorkerSettings, "businessworker", **given)
    try:
        if of_worker.find("events") is None:
            return None
        settings = of_worker.with_defaults(stop_timeout=EVENTS_STOP_TIMEOUT).load().settings
    except SettingsError as error:
        raise error.named("MODULE" if error.setting == "--events" else error.setting) from error
    folder = settings.app_dir.expanduser().resolve()
    if not folder.is_dir():
        remedy = "name the one that your module is in"
        raise SettingsError("--app-dir", "is no folder", remedy, value=str(settings.app_dir))
    return replace(settings, app_dir=folder)


def _start_events(settings: WorkerSettings, register: Child) -> Child:
    at = replace(settings, register=(address_dialled(register.sockets),))
    (child,) = children_of(BUSINESSWORKER, at, mendable=True)
    return child


def _watching(child: Child) -> Callable[[], Coroutine[Any, Any, None]]:
    from gateway.commands.watching import replace_on_change

    return partial(replace_on_change, child, _events_of(child).app_dir)


def _events_of(child: Child) -> WorkerSettings:
    return cast("WorkerSettings", child.settings)


# The demo


def _refuse_demo_without_browsers(settings: GatewaySettings) -> None:
    if settings.connmix:
        remedy = "leave the demo out with --no-demo"
        raise SettingsError(
            "--connmix", "sends no init message, which the demo's page needs", remedy
        )
    if not any(map(is_websocket, settings.listen)):
        remedy = "add one, as --listen ws://127.0.0.1:7272, or leave the demo out with --no-demo"
        raise SettingsError("--listen", "has no ws:// for the demo's page", remedy)


def _start_demo(listen: Address, settings: GatewaySettings, gateway: Child) -> list[Child]:
    common: dict[str, Any] = {
        spec.name: getattr(gateway.settings, spec.name) for spec in specs_of(MemberSettings)
    }
    url = _gateway_url(settings.listen, gateway.sockets)
    return children_of(DEMO, DemoSettings(listen=listen, gateway_url=url, **common))


def _gateway_url(listeners: Sequence[ListenUrl], sockets: Sockets) -> str:
    """Say where browsers find the gateway, for a page that may have come from another machine."""
    scheme, address = _listener(listeners, sockets)
    if address.dialled == address:
        return f"{scheme}://{address}"
    # The host that the page came from; a page that came by http would choose ws by itself.
    anywhere = f":{address.port}"
    return f"{SECURE}://localhost{anywhere}" if scheme == SECURE else anywhere


def _listener(listeners: Sequence[ListenUrl], sockets: Sockets) -> tuple[str, Address]:
    """Give the listener for pages: the first plain one, else the first secure one, else any."""
    schemes = [url.scheme for url in listeners]
    best = next((scheme for scheme in (PLAIN, SECURE) if scheme in schemes), schemes[0])
    index = schemes.index(best)
    return schemes[index], address_of(sockets[public_kind(index)][0])


# What is printed


def _tell(where: str, workers: Sequence[Child], addresses: Addresses) -> None:
    announce("dev", {new: addresses[old] for old, new in READY_NAMES.items() if old in addresses})
    for line in (where, *map(_what_is_reloaded, workers)):
        say(line)


def _where_to_point(page: Address | None, settings: GatewaySettings, gateway: Child) -> str:
    """Say where to point a browser, or a page where there is no demo."""
    if page is None:
        scheme, address = _listener(settings.listen, gateway.sockets)
        url = f"{scheme}://{address.dialled}"
        who = "a page" if scheme in {PLAIN, SECURE} else "a device"
        return f"No demo; connect {who} of yours to {url}. Ctrl-C stops everything."
    phone = f" From a phone: --demo-listen 0.0.0.0:{page.port}." if page.is_loopback else ""
    return f"Open http://{page.dialled} in two browser tabs.{phone} Ctrl-C stops everything."


def _what_is_reloaded(child: Child) -> str:
    settings = _events_of(child)
    run = "reloaded" if child.addresses is not None else "not running (see above), tried again"
    return f"Your events: {settings.events}, {run} when a .py file in {settings.app_dir} changes."


def _address(flag: str, text: str) -> Address:
    try:
        return read_address(text)
    except BadValue as error:
        raise SettingsError(flag, error.problem, error.remedy, value=text) from error
