"""What the HTTP port of a gateway process is given: the parts that it reads and asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.admin.lag import LoopLag

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.announcer import Announcer
    from gateway.backend import Backend
    from gateway.clients import Clients
    from gateway.connmix.part import ConnmixPart
    from gateway.edge.server import EdgeServer
    from gateway.entry.runner import EntryModule
    from gateway.executor import Executor
    from gateway.hub import Hub
    from gateway.outbox import Outbox
    from gateway.queues.queues import Queues
    from gateway.router import Router
    from gateway_client import AsyncGatewayClient
    from gateway_process.secret import Secret

__all__ = ["AdminSources"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminSources:
    """The parts of one gateway process that its HTTP port reads and asks, and its key.

    Attributes:
        hub: Who is connected.
        clients: What clients did.
        outbox: What is on the way to them.
        router: What they do, on its way to workers.
        queues: What they do, on its way to consumers.
        edge: The public listeners.
        backend: The links of backends.
        php: Those of PHP programs; None where these are not served.
        executor: The commands that they sent.
        announcer: Which registers know this process.
        why_not_ready: Gives what the process as a whole has against being sent browsers, empty for
            nothing; that the edge accepts is looked up here.
        client: Asks the cluster for the HTTP API; closed with the port.
        api_key: What requests must carry; empty for requests of this machine only.
        connmix: What CONNMIX's API works with; None where that is not served.
        entry: The application's entry module; None where there is none.
        restarts: How often the place of this process was filled again after a crash.
        lag: How late the loop is; the HTTP port starts and stops it.
    """

    hub: Hub
    clients: Clients
    outbox: Outbox
    router: Router
    queues: Queues
    edge: EdgeServer
    backend: Backend
    executor: Executor
    announcer: Announcer
    why_not_ready: Callable[[], str]
    client: AsyncGatewayClient
    api_key: Secret
    php: Backend | None = None
    connmix: ConnmixPart | None = None
    entry: EntryModule | None = None
    restarts: int = 0
    lag: LoopLag = field(default_factory=LoopLag)
