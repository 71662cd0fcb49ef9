"""What serves PHP programs in one gateway process: a listener, and the execution of what they ask.

::

    clients, workers -> Backend -> Executor -> Requests      what they ask of the gateway
                                      |
                                      +-----> workers        that a worker takes events

Here the parts are made and connected. Their links are the shell's of our own links, their frames take turns
with our own commands.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Final

from gateway.backend import Backend
from gateway.php.frames import Frame
from gateway.php.link import PhpLink
from gateway.php.requests import Requests
from gateway.php.worker import PhpWorkers
from gateway_process.refusals import Refusals
from gateway_wire.aio.listener import Acceptor
from gateway_wire.commands import CommandError
from gateway_wire.errors import ErrorCode, MessageTooLarge, RemoteProtocolError

if TYPE_CHECKING:
    import socket

    from gateway.core import Core
    from gateway.php.requests import Answer

__all__ = ["PhpPart"]

logger = logging.getLogger("gateway")

FIRST_FRAME_TIME: Final = 10.0
"""Seconds in which a peer must have sent a frame, with the secret key if there is one; GatewayWorker's
register gives as long."""

ANYBODY: Final = "PHP programs:"
"""In the place of a peer's address, for what is refused whoever asks for it."""


class PhpPart:
    """Serves the clients and workers of GatewayWorker.

    Attributes:
        backend: Their links.
    """

    def __init__(self, core: Core, secret_key: str) -> None:
        """Make the parts; :meth:`start` begins to serve.

        Args:
            core: What they act upon.
            secret_key: The cluster's secret key, empty for none.
        """
        self._core = core
        self._refusals = Refusals(logger)
        self._workers = PhpWorkers(core.router, asyncio.get_running_loop())
        listener = partial(Acceptor, partial(PhpLink, secret_key), hello_timeout=FIRST_FRAME_TIME)
        self.backend = Backend(listener, core.executor, self._workers.link_lost)

    def __repr__(self) -> str:
        return f"<PhpPart {self.backend!r}>"

    async def start(self, sock: socket.socket, node: str) -> None:
        """Serve on a bound socket.

        Args:
            sock: The socket.
            node: The 12 hex digits that all client ids of this gateway begin with.
        """
        core = self._core
        requests = Requests(core.hub, core.commands, node)
        core.executor.add({Frame: partial(self._execute, requests)}, self._workers.table())
        await self.backend.start(sock)

    def _execute(self, requests: Requests, frame: Frame) -> Answer:
        """Do what a frame asks for; return the answer, or a generator of its parts.

        Raises:
            CommandError: It breaks the protocol, which ends the link.
        """
        try:
            return requests.execute(frame)
        except RemoteProtocolError as error:
            raise CommandError(ErrorCode.PROTOCOL, error.text) from error
        except (CommandError, MessageTooLarge) as error:
            # Nobody waits for an answer to those that can be refused. A worker would lose its link for it.
            self._core.executor.counters.failed += 1
            self._refusals.tell(ANYBODY, f"{frame.name} of a PHP program is refused: {error}")
            return None
