"""What each command does: one function per command, in one module per subject.

:func:`command_table` joins them into the executor's table. A handler is a plain function of one
command; it returns the reply's value, or a generator of its parts where an answer can be long, and
raises :class:`~gateway_wire.commands.CommandError` when the command cannot be executed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.handlers.binds import BindHandlers
from gateway.handlers.queries import QueryHandlers
from gateway.handlers.sends import SendHandlers
from gateway.handlers.sessions import SessionHandlers

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.clients import Clients
    from gateway.hub import Hub
    from gateway.outbox import Outbox
    from gateway_wire.commands import Command

__all__ = ["command_table"]


def command_table(
    hub: Hub, outbox: Outbox, clients: Clients, max_message: int
) -> dict[type[Command], Callable[[Any], object]]:
    """Return the function for every command that a backend may send to a gateway.

    Args:
        hub: Who is connected.
        outbox: Where messages go.
        clients: Who ends connections.
        max_message: Bytes of the largest message that is accepted.
    """
    return {
        **SendHandlers(hub, outbox, clients, max_message).table(),
        **BindHandlers(hub).table(),
        **QueryHandlers(hub).table(),
        **SessionHandlers(hub).table(),
    }
