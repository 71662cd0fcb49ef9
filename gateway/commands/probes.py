"""Asking others for `gateway check`: registers, gateways, public and HTTP ports.

Each function asks one of them once and says what came of it; none raises for what it may find.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import aiohttp

from gateway.commands.findings import Finding, Level, ok, problem, warning
from gateway.php.frames import Command, Frame
from gateway.schemes import wants_tls
from gateway_wire.addresses import Address
from gateway_wire.aio.dialer import CONNECT_TIMEOUT, dial
from gateway_wire.commands import Nodes, Role, Watch
from gateway_wire.errors import AuthenticationFailed, ErrorCode, GatewayError, RemoteProtocolError
from gateway_wire.hello import Party, new_instance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway_process.addresses import ListenUrl
    from gateway_wire.aio.link import AioLink
    from gateway_wire.frames import Envelope

__all__ = [
    "Node",
    "ask_gateway",
    "ask_http",
    "ask_php",
    "ask_register",
    "ask_stream",
    "ask_websocket",
]

_TIMEOUT: Final = aiohttp.ClientTimeout(total=CONNECT_TIMEOUT)
_ANSWERS: Final = "answers"
_PHP_NUMBER_AT: Final = 4
_PHP_NUMBER: Final = b"i:"
"""A number, as `serialize` of PHP begins it, behind the length of the answer."""
_READY: Final = (200, 503)
"""What /readyz answers with, ready or not."""


class Node(NamedTuple):
    """A gateway that a register lists."""

    node_id: str
    address: Address


class _Asker:
    """The owner of a link that asks one question."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[Nodes] = asyncio.get_running_loop().create_future()

    def link_opened(self, link: AioLink) -> None:
        """Nothing is asked before the peer's role was looked at."""

    def link_received(self, _link: AioLink, envelopes: list[Envelope]) -> None:
        for envelope in envelopes:
            if isinstance(envelope.command, Nodes) and not self.answer.done():
                self.answer.set_result(envelope.command)

    def link_closed(self, _link: AioLink, reason: GatewayError) -> None:
        if not self.answer.done():
            self.answer.set_exception(reason)
            self.answer.exception()  # retrieved: nobody need be waiting for it


class _WrongRole(GatewayError):
    """Something of ours answers, but not what was looked for."""


async def ask_register(address: Address, secret_key: str) -> tuple[Finding, Sequence[Node]]:
    """Ask a register which gateways there are."""
    subject = f"register {address}"
    try:
        said = await _nodes(address, secret_key)
    except (OSError, GatewayError) as error:
        return problem(subject, _told(error, "register start", "--register")), ()
    nodes = [_node(each) for each in said.nodes]
    if not nodes:
        settling = " yet; it has just started" if said.settling else "; run `gateway start`"
        return warning(subject, f"{_ANSWERS}, and knows no gateway{settling}"), ()
    return ok(subject, f"{_ANSWERS}, and knows {len(nodes)}"), nodes


async def ask_gateway(subject: str, address: Address, secret_key: str) -> Finding:
    """Dial the internal listener of a gateway as a client does."""
    try:
        await _hello(address, secret_key, Role.GATEWAY)
    except (OSError, GatewayError) as error:
        return problem(subject, _told(error, "gateway start", "--advertise"))
    return ok(subject, _ANSWERS)


async def ask_php(subject: str, address: Address, secret_key: str, held: str) -> Finding:
    """Ask the listener for PHP programs of a gateway a question, as their client does.

    Args:
        subject: What the finding is about.
        address: Where.
        secret_key: The cluster's secret key, empty for none.
        held: Who holds the port, and the remedy, in case it is not a gateway.
    """
    key = json.dumps({"secret_key": secret_key}).encode()
    question = Frame(Command.GATEWAY_CLIENT_CONNECT, body=key).encode() if secret_key else b""
    question += Frame(Command.GET_CLIENT_COUNT_BY_GROUP).encode()
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            reader, writer = await asyncio.open_connection(*address)
            try:
                writer.write(question)
                answer = await reader.readexactly(_PHP_NUMBER_AT + len(_PHP_NUMBER))
            finally:
                writer.close()
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        answer = b""
    if answer[_PHP_NUMBER_AT:] != _PHP_NUMBER:
        return problem(subject, f"{held}; it does not answer PHP programs, or not with this key")
    return ok(subject, f"{_ANSWERS} PHP programs")


async def ask_websocket(subject: str, url: ListenUrl, held: str) -> Finding:
    """Connect to a public port like a browser; its certificate is looked at elsewhere.

    Args:
        subject: What the finding is about.
        url: Where.
        held: Who holds the port, and the remedy, in case it is not a gateway.
    """
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as session,
            session.ws_connect(str(url), ssl=False),
        ):
            return ok(subject, f"{_ANSWERS} websockets")
    except (OSError, TimeoutError, aiohttp.ClientError) as error:
        return problem(subject, f"{held}; it does not answer as a gateway ({_short(error)})")


async def ask_stream(subject: str, url: ListenUrl, held: str) -> Finding:
    """Connect to a public port that is none of websockets; what is spoken there is not asked.

    Args:
        subject: What the finding is about.
        url: Where.
        held: Who holds the port, and the remedy, in case nothing is accepted there.
    """
    tls = _trusting_anybody() if wants_tls(url) else None
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            _, writer = await asyncio.open_connection(url.address.host, url.address.port, ssl=tls)
    except (OSError, TimeoutError) as error:
        return problem(subject, f"{held}; it accepts no connection ({_short(error)})")
    writer.transport.abort()
    return ok(subject, "accepts connections")


def _trusting_anybody() -> ssl.SSLContext:
    """The certificate is looked at elsewhere."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def ask_http(
    subject: str, address: Address, held: str, no_worker: Level = Level.OK
) -> Finding:
    """Ask the HTTP port of a gateway whether it is ready, and whether workers are linked to it.

    Args:
        subject: What the finding is about.
        address: Where.
        held: Who holds the port, and the remedy, in case it is not a gateway.
        no_worker: How it is meant when no worker is.
    """
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as session,
            session.get(f"http://{address}/readyz") as response,
        ):
            body: Any = await response.json()
            if response.status in _READY:
                return _readiness(subject, body, no_worker)
            text = f"status {response.status}"
    except (OSError, TimeoutError, aiohttp.ClientError, KeyError, TypeError, ValueError) as error:
        text = _short(error)
    return problem(subject, f"{held}; it does not answer as a gateway ({text})")


def _readiness(subject: str, said: dict[str, Any], no_worker: Level) -> Finding:
    workers = said["workers"]
    if not workers and no_worker is not Level.OK:
        remedy = "start one with `businessworker start`, or look at the log of one that runs"
        return Finding(no_worker, subject, f"{_ANSWERS}, but no worker is linked to it; {remedy}")
    if "reason" in said:
        return warning(subject, f"{_ANSWERS}, not ready: {said['reason']}")
    linked = f", workers linked: {workers}" if workers else ""
    return ok(subject, f"{_ANSWERS}, {said['status']}{linked}")


async def _nodes(address: Address, secret_key: str) -> Nodes:
    asker = _Asker()
    link = await _hello(address, secret_key, Role.REGISTER, asker)
    link.send(Watch())
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            return await asker.answer
    finally:
        link.close(ErrorCode.STOPPING, "checked")


async def _hello(
    address: Address, secret_key: str, wanted: Role, asker: _Asker | None = None
) -> AioLink:
    """Open a link to something of this role; without an asker it is closed again."""
    party = Party(Role.CLIENT, new_instance())
    link = await dial(address, party, secret_key, asker or _Asker())
    peer = link.core.peer
    if peer is None or peer.role is not wanted:
        link.close(ErrorCode.STOPPING, "checked")
        found = "something else" if peer is None else f"a {peer.role.value}"
        raise _WrongRole(f"is {found}, not a {wanted.value}; check the address")
    if asker is None:
        link.close(ErrorCode.STOPPING, "checked")
    return link


def _node(said: dict[str, Any]) -> Node:
    return Node(said["node_id"], Address(said["host"], said["port"]))


def _told(error: Exception, command: str, flag: str) -> str:
    """Say why a link did not open, with the remedy."""
    match error:
        case AuthenticationFailed():
            return f"{error}; give all processes the same --secret-key-file"
        case RemoteProtocolError():
            return f"speaks another protocol ({error}); check {flag}"
        case TimeoutError():
            return f"no answer in {CONNECT_TIMEOUT:g} s; is it frozen, or is a firewall in between?"
        case ConnectionRefusedError():
            return f"connection refused; start it with `{command}`, or check {flag}"
        case socket.gaierror():
            return f"{error.strerror}; check the name in {flag}"
        case OSError():
            return f"{_short(error)}; check {flag} and the network"
        case _:
            return str(error)


def _short(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text or type(error).__name__
