"""Inside a business worker: whose links the class-level clients use there, and the current client.

A worker process has links to every gateway already. It installs itself here, and from then on `Gateway`
and `AsyncGateway` hand their calls to it instead of opening links of their own; subclasses and client
objects keep theirs. The dispatcher sets `current_client` around each handler, which is what
`send_to_current_client` and its like speak to.

This side knows nothing of how a worker does it. A child that is forked in a handler is outside: it has no
loop that would send anything, so it forgets both here, and its clients begin anew with the cluster's
address and key, which `config` holds as defaults.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any, Final, Protocol, TypeVar

from gateway_client.calls.base import Call
from gateway_client.calls.current import CurrentCall
from gateway_client.forks import renew_after_fork
from gateway_wire.commands import Command
from gateway_wire.errors import MessageTooLarge
from gateway_wire.limits import DEFAULT_MAX_MESSAGE

__all__ = [
    "CurrentClient",
    "Inside",
    "current_client",
    "install",
    "tell_current_client",
    "uninstall",
    "worker",
]

R = TypeVar("R")


class CurrentClient(Protocol):
    """The client whose event is being handled.

    Attributes:
        client_id: Its id.
    """

    client_id: str

    def send(self, command: Command) -> None:
        """Send an unconfirmed command to the gateway that holds it; from the handler's thread."""


class Inside(Protocol):
    """What a worker process does for the class-level clients.

    Attributes:
        max_message: Bytes of the largest message.
    """

    max_message: int

    @property
    def lost(self) -> int:
        """How many commands of unconfirmed sends certainly did not reach a gateway."""

    def refuse_on_loop(self, name: str) -> None:
        """Raise `RuntimeError` on the thread of the worker's loop, which a blocking call would stop."""

    def run(self, call: Call[R]) -> R:
        """Run a call and wait for its result, on any thread but that of the worker's loop."""

    async def run_async(self, call: Call[R]) -> R:
        """Run a call, on any running loop."""

    def run_all(self, calls: Sequence[Call[Any]], timeout: float | None) -> list[Any]:
        """Run the calls of a pipeline, and give a value or an exception for each."""

    async def run_all_async(self, calls: Sequence[Call[Any]], timeout: float | None) -> list[Any]:
        """Do the same on any running loop."""


worker: Inside | None = None
"""The worker that this process is, or None outside of one. Read it as `inside.worker`."""

current_client: Final[ContextVar[CurrentClient | None]] = ContextVar("current_client", default=None)
"""The client whose event is being handled; None outside of a handler."""

_OUTSIDE: Final = (
    "{name} was called outside of an event, where there is no current client: call it in "
    "on_connect, on_websocket_connect, on_message or on_close of a business worker, and use "
    "{instead} with a client id elsewhere"
)

_TOO_LARGE: Final = "send less, or raise max_message of the businessworker and of the gateways"


def install(inside: Inside) -> None:
    """Make this process a worker: the class-level clients use its links from now on."""
    global worker  # noqa: PLW0603 - one process is one worker, or none
    worker = inside


def uninstall() -> None:
    """Make this process an ordinary one again; harmless when it is one."""
    global worker  # noqa: PLW0603 - as above
    worker = None


def tell_current_client(call: CurrentCall) -> None:
    """Send to the client whose event is being handled.

    Raises:
        RuntimeError: If no event is being handled.
        MessageTooLarge: If the message is above `max_message`.
    """
    client = current_client.get()
    if client is None:
        raise RuntimeError(_OUTSIDE.format(name=call.name, instead=call.instead))
    limit = DEFAULT_MAX_MESSAGE if worker is None else worker.max_message
    if call.size > limit:
        raise MessageTooLarge("message", call.size, limit, _TOO_LARGE)
    client.send(call.command_to(client.client_id))


class _Forked:
    """Takes a forked child out of its parent's worker."""

    def after_fork(self) -> None:
        uninstall()
        # The child goes on in the handler that forked, in a copy of its context.
        current_client.set(None)


_forked: Final = _Forked()
renew_after_fork(_forked)
