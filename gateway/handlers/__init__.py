"""What each command does: one function per command, in one module per subject.

:func:`command_table` joins them into the executor's table. A handler is a plain function of one
command; it returns the reply's value, or a generator of its parts where an answer can be long, and
raises :class:`~gateway_wire.commands.CommandError` when the command cannot be executed. Those of
:func:`link_table` are also given the link that the command came on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.handlers.binds import BindHandlers
from gateway.handlers.events import EventHandlers
from gateway.handlers.queries import QueryHandlers
from gateway.handlers.queues import QueueHandlers
from gateway.handlers.sends import SendHandlers
from gateway.handlers.sessions import SessionHandlers

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.clients import Clients
    from gateway.executor import CommandTable, LinkTable
    from gateway.hub import Hub
    from gateway.outbox import Outbox
    from gateway.router import Router

__all__ = ["QueueHandlers", "command_table", "link_table"]


def command_table(
    hub: Hub, outbox: Outbox, clients: Clients, queues: QueueHandlers, max_message: int
) -> CommandTable:
    """Return the function for every command that any backend may send to a gateway.

    Args:
        hub: Who is connected.
        outbox: Where messages go.
        clients: Who ends connections.
        queues: What is said of queues.
        max_message: Bytes of the largest message that is accepted.
    """
    return {
        **SendHandlers(hub, outbox, clients, max_message).table(),
        **BindHandlers(hub).table(),
        **QueryHandlers(hub).table(),
        **SessionHandlers(hub).table(),
        **queues.table(),
    }


def link_table(
    hub: Hub, router: Router, queues: QueueHandlers, clock: Callable[[], float]
) -> LinkTable:
    """Return the function for every command that means something to the link that it came on.

    Args:
        hub: Who is connected.
        router: Where events go.
        queues: What is said of queues.
        clock: Gives the loop's time.
    """
    return {**EventHandlers(hub, router, clock).table(), **queues.link_table()}
