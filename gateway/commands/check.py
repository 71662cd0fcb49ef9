"""`gateway check`: what is wrong with the settings, and what cannot be reached.

Whatever is found is told; nothing is started, bound for longer than a moment, or changed. A port of
this machine is well when it is free, or when a gateway answers there already. Where a file says that
workers run too, their events are imported for a trial, in a process that cannot hurt this one.
"""

from __future__ import annotations

import asyncio
import errno
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import click

from businessworker.program import BUSINESSWORKER
from businessworker.settings import WorkerSettings
from businessworker.trial import try_events
from gateway.addressing import choose_hosts, ipv4_of
from gateway.commands.certificate import check_certificate
from gateway.commands.findings import Finding, Level, ok, problem, warning
from gateway.commands.probes import (
    ask_gateway,
    ask_http,
    ask_php,
    ask_register,
    ask_stream,
    ask_websocket,
)
from gateway.entry.module import PARAMETERS, load
from gateway.program import port_of, refuse_open
from gateway.schemes import Speeches, is_own, is_websocket
from gateway.settings import GatewaySettings
from gateway_process.addresses import ListenUrl
from gateway_process.errors import ExitCode, SettingsError, StartupError
from gateway_process.flags import settings_options
from gateway_process.loader import Loader
from gateway_process.rlimit import raise_open_files
from gateway_process.sockets import bind
from gateway_process.sources import sections_of
from gateway_wire.addresses import Address

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Sequence
    from pathlib import Path

__all__ = ["check"]

_FREE: Final = "free"


@click.command()
@settings_options(GatewaySettings, "gateway")
def check(loader: Loader[GatewaySettings]) -> int:
    """Say what is wrong with the settings and what cannot be reached.

    Takes the settings of `gateway start` and looks at the limit of open files, the certificate, the
    registers, the gateways they know, and the ports of this machine, and imports the entry module. With
    a section [businessworker] in the file it also imports the events, and sees whether workers are
    linked. One line each: ok, warning or problem, with the remedy; the exit code is 1 when there is a
    problem.
    """
    try:
        loaded = loader.load()
    except SettingsError as error:
        click.echo(problem("settings", str(error)))
        return ExitCode.FAILED
    findings = [ok("settings", "read")]
    findings += [warning("settings", text) for text in loaded.warnings]
    findings += _local(loaded.settings)
    findings += asyncio.run(_reached(loaded.settings, _worker_loader(loader)))
    for finding in findings:
        click.echo(finding)
    wrong = any(finding.level is Level.PROBLEM for finding in findings)
    return ExitCode.FAILED if wrong else ExitCode.OK


def _local(settings: GatewaySettings) -> Iterator[Finding]:
    """Look at what needs no network."""
    limit, low = raise_open_files()
    yield warning("open files", low) if low else ok("open files", f"{limit or 'no limit'}")
    if settings.certfile is not None and settings.keyfile is not None:
        yield check_certificate(settings.certfile, settings.keyfile, datetime.now(UTC))
    yield from _protocols(settings)
    if settings.entry:
        yield _entry(settings.entry, settings.app_dir)


def _protocols(settings: GatewaySettings) -> Iterator[Finding]:
    """Import the protocols of somebody's own that listeners name."""
    speeches = Speeches(settings.app_dir, settings.max_message)
    for url in settings.listen:
        if not is_own(url):
            continue
        try:
            speeches.of(url)
            yield ok(f"protocol {url.scheme}", "can be used")
        except SettingsError as error:
            yield problem("settings", str(error.named("--listen")))


def _entry(name: str, app_dir: Path) -> Finding:
    """Import the entry module, and say what it has."""
    try:
        handlers = load(name, app_dir)
    except StartupError as error:
        return problem(f"entry {name}", str(error))
    return ok(f"entry {name}", ", ".join(each for each in PARAMETERS if getattr(handlers, each)))


async def _reached(
    settings: GatewaySettings, worker: Loader[WorkerSettings] | None
) -> list[Finding]:
    """Look at everything that takes its time, at once."""
    expected = Level.OK if worker is None else Level.WARNING
    no_worker = Level.PROBLEM if settings.require_worker else expected
    looks = [_cluster(settings), _own_ports(settings, no_worker)]
    found = await asyncio.gather(*looks, *([] if worker is None else [_events(worker)]))
    return [finding for part in found for finding in part]


# The workers


def _worker_loader(loader: Loader[GatewaySettings]) -> Loader[WorkerSettings] | None:
    """Say where the settings of workers are, if the file has a section of theirs."""
    if loader.config is None or BUSINESSWORKER.name not in sections_of(loader.config):
        return None
    return loader.for_role(WorkerSettings, BUSINESSWORKER.name)


async def _events(loader: Loader[WorkerSettings]) -> list[Finding]:
    try:
        loaded = loader.load()
    except SettingsError as error:
        return [problem("settings", str(error))]
    events = loaded.settings.events
    trial = await try_events(events, loaded.settings.app_dir)
    if trial.problem:
        return [problem(f"events {events}", trial.problem)]
    return [ok(f"events {events}", ", ".join(trial.handlers))]


# The cluster


async def _cluster(settings: GatewaySettings) -> list[Finding]:
    key = settings.secret_key.reveal()
    registers = settings.register
    answers = await asyncio.gather(*(ask_register(each, key) for each in registers))
    nodes = sorted({node for _, known in answers for node in known})
    gateways = [ask_gateway(f"gateway {n.node_id} at {n.address}", n.address, key) for n in nodes]
    return [*(finding for finding, _ in answers), *await asyncio.gather(*gateways)]


# The ports of this machine


async def _own_ports(settings: GatewaySettings, no_worker: Level) -> list[Finding]:
    try:
        hosts = await choose_hosts(settings.advertise, settings.advertise_bind, settings.register)
        refuse_open(settings, Address(hosts.bound, settings.start_port))
        if settings.php_start_port is not None:
            await ipv4_of(hosts.advertised)
    except SettingsError as error:
        return [problem("settings", str(error))]
    except StartupError as error:
        return [problem("advertise", str(error))]
    looks = [_listener(url) for url in settings.listen]
    looks += [
        look
        for number in range(settings.processes)
        for look in _ports(settings, hosts.bound, number, no_worker)
    ]
    return list(await asyncio.gather(*looks))


def _ports(
    settings: GatewaySettings, host: str, number: int, no_worker: Level
) -> Sequence[Coroutine[Any, Any, Finding]]:
    internal = Address(host, port_of(settings.start_port, number))
    http = Address(settings.http.host, port_of(settings.http.port, number))
    key = settings.secret_key.reveal()
    looks = [_internal(internal, key), _http(http, no_worker)]
    if settings.php_start_port is not None:
        looks.append(_php(Address(host, port_of(settings.php_start_port, number)), key))
    return looks


async def _listener(url: ListenUrl) -> Finding:
    subject = f"listen {url}"
    error = await _binding(url.address, "--listen")
    if not _in_use(error):
        return _bound(subject, error)
    ask = ask_websocket if is_websocket(url) else ask_stream
    return await ask(subject, ListenUrl(url.scheme, url.address.dialled), str(error))


async def _internal(address: Address, secret_key: str) -> Finding:
    subject = f"start-port {address}"
    error = await _binding(address, "--start-port")
    if not _in_use(error):
        return _bound(subject, error)
    dialled = address.dialled
    finding = await ask_gateway(subject, Address(dialled.host, dialled.port), secret_key)
    return finding if finding.level is Level.OK else problem(subject, f"{error}; {finding.text}")


async def _php(address: Address, secret_key: str) -> Finding:
    subject = f"php-start-port {address}"
    error = await _binding(address, "--php-start-port")
    if not _in_use(error):
        return _bound(subject, error)
    return await ask_php(subject, address.dialled, secret_key, str(error))


async def _http(address: Address, no_worker: Level) -> Finding:
    subject = f"http {address}"
    error = await _binding(address, "--http")
    if not _in_use(error):
        return _bound(subject, error)
    dialled = address.dialled
    at = Address(dialled.host, dialled.port)
    return await ask_http(subject, at, str(error), no_worker)


def _bound(subject: str, error: StartupError | None) -> Finding:
    return problem(subject, str(error)) if error else ok(subject, _FREE)


async def _binding(address: Address, flag: str) -> StartupError | None:
    """Bind an address for a moment; give what stands against it.

    Finding out who holds a port means reading what files all processes have: seconds where these are
    many, which the answers to other questions must not have to wait for.
    """
    return await asyncio.to_thread(_bind_for_a_moment, address, flag)


def _bind_for_a_moment(address: Address, flag: str) -> StartupError | None:
    try:
        (sock,) = bind(address, flag, listening=False)
    except StartupError as error:
        return error
    sock.close()
    return None


def _in_use(error: StartupError | None) -> bool:
    cause = None if error is None else error.__cause__
    return isinstance(cause, OSError) and cause.errno == errno.EADDRINUSE
