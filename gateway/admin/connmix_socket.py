"""One websocket of CONNMIX's API: requests in, answers and events out.

Requests are read one at a time, and the next is read when the answer to the one before is written: answers
come in the order of requests, a client that does not read is not read from, and what waits here is bounded.
Events leave beside them, by a task that exists once something is popped; each is acknowledged when the
kernel has taken all of it. Frames are written one at a time, and a client that does not take one in time is cut.

Who pops is pinged, for what is given to a dead consumer is late for the others. Who does not pop may be silent
for ever: a PHP script that sends now and then reads, and so answers pings, only when it sends. Its host is
asked by TCP.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final, TypeVar

from aiohttp import WSCloseCode, WSMsgType, web

from gateway.admin.api import MAX_BODY
from gateway.admin.connmix_calls import carry_out
from gateway.connmix.codes import ConnmixError
from gateway.connmix.dialects import SHORT, Dialect, Result, event_data
from gateway.connmix.methods import name_of, read
from gateway.connmix.popper import PREFETCH, Popper
from gateway.connmix.requests import parse
from gateway.connmix.wanted import Ping, Pop, Unpop, Wanted
from gateway.edge.stream import keep_alive
from gateway.intake import QueueDestination

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from gateway.connmix.part import ConnmixPart
    from gateway.queues.lane import Delivery
    from gateway_client import AsyncGatewayClient

__all__ = ["ConnmixSocket"]

logger = logging.getLogger("gateway")

T = TypeVar("T")

GOODBYE_TIME: Final = 1.0
"""Seconds that a client has to take and answer a close; one that does not must not hold up the stop."""

PING, PONG = "ping", "pong"


class ConnmixSocket:
    """One open connection of the API."""

    def __init__(self, part: ConnmixPart, client: AsyncGatewayClient) -> None:
        """Make it; :meth:`serve` runs it.

        Args:
            part: The gateway process.
            client: Asks the cluster.
        """
        self._part = part
        self._client = client
        self._websocket = web.WebSocketResponse(
            timeout=GOODBYE_TIME,
            autoping=False,  # a pong is a sign of life that must be seen here
            compress=False,
            max_msg_size=MAX_BODY,
            writer_limit=0,  # each write waits for what the kernel has not taken
        )
        self._name = ""
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        # When something came last, in the loop's time.
        self._heard_at = 0.0
        self._wake = asyncio.Event()
        # Held while a frame is written: aiohttp cancels all who wait for the socket when one of them gives up.
        self._writing = asyncio.Lock()
        # From the first pop on.
        self._popper: Popper | None = None
        self._writer: asyncio.Task[None] | None = None
        # Topics on which something could not be written, as the log has said.
        self._unwritable: set[str] = set()

    def __repr__(self) -> str:
        return f"<ConnmixSocket of {self._name or 'nobody yet'}, {self._popper or 'pops nothing'}>"

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Accept the websocket and serve it to its end."""
        await self._websocket.prepare(request)
        if request.transport is not None and not request.transport.is_closing():
            self._prepare(request.transport)
        self._part.connections += 1
        try:
            await self._cut_at_a_failure(self._read_all())
        finally:
            await self._end()
            self._part.connections -= 1
        return self._websocket

    async def close(self) -> None:
        """Say goodbye because the gateway stops; :meth:`serve` ends by it.

        With 1001, since the library of the PHP clients takes 1012 for a mistake.
        """
        try:
            async with asyncio.timeout(GOODBYE_TIME), self._writing:
                await self._websocket.close(
                    code=WSCloseCode.GOING_AWAY, message=b"this gateway is stopping"
                )
        except TimeoutError:
            self._cut()
        except ConnectionError:
            pass  # it has left by itself

    def _prepare(self, transport: asyncio.Transport) -> None:
        host, port, *_ = transport.get_extra_info("peername")
        self._name = f"connmix {host}:{port}"
        self._transport = transport
        transport.set_write_buffer_limits(high=0)
        keep_alive(
            transport.get_extra_info("socket"), self._part.heartbeat, self._part.write_timeout
        )

    # Requests

    async def _read_all(self) -> None:
        async for message in self._websocket:
            self._heard_at = self._loop.time()
            if message.type is WSMsgType.TEXT or message.type is WSMsgType.BINARY:
                await self._write(self._websocket.send_str, await self._answer(message.data))
            elif message.type is WSMsgType.PING:
                await self._write(self._websocket.pong, message.data)
            # A flood of what is answered at once would give nobody else a turn.
            await asyncio.sleep(0)

    async def _answer(self, frame: str | bytes) -> str:
        if frame == PING:
            return PONG
        dialect, request_id = SHORT, None
        try:
            request = parse(frame)
            dialect, request_id = request.dialect, request.request_id
            method = name_of(request.method)
            self._part.requests[method] += 1
            result = await self._result(read(method, request.params), dialect)
        except ConnmixError as error:
            self._part.errors[str(error.code.value)] += 1
            return dialect.refusal(error, request_id)
        return dialect.answer(result, request_id)

    async def _result(self, wanted: Wanted, dialect: Dialect) -> Result:
        match wanted:
            case Ping():
                return dialect.ponged()
            case Pop(topics):
                self._pop(topics, dialect)
                return dialect.done()
            case Unpop():
                self._begin_to_pop().unpop()
                return dialect.done()
            case _:
                return await carry_out(self._client, wanted, dialect)

    # Events

    def _pop(self, topics: list[str], dialect: Dialect) -> None:
        # The writer runs in a later turn of the loop, so the answer leaves before the first event.
        self._begin_to_pop().pop(topics, dialect)
        if self._writer is None:
            self._writer = asyncio.create_task(self._cut_at_a_failure(self._write_events()))

    def _begin_to_pop(self) -> Popper:
        if self._popper is None:
            self._popper = Popper(self._part.queues, self._name, self._wake.set)
        return self._popper

    async def _write_events(self) -> None:
        while await self._something_waits():
            await self._write_waiting()
        logger.info("%s does not answer pings; it is cut", self._name)
        self._cut()

    async def _something_waits(self) -> bool:
        """Wait for something to write, and ping meanwhile; return False if nobody is there any more."""
        pinged_at = 0.0
        while True:
            try:
                async with asyncio.timeout(self._part.heartbeat):
                    await self._wake.wait()
            except TimeoutError:
                if self._heard_at < pinged_at:
                    return False
                pinged_at = self._loop.time()
                await self._write(self._websocket.ping, b"")
            else:
                self._wake.clear()
                return True

    async def _write_waiting(self) -> None:
        popper = self._begin_to_pop()
        written = 0
        while (message := popper.next()) is not None:
            text = self._event_of(message, popper.dialects[message.topic])
            if text:
                await self._write(self._websocket.send_str, text)
                self._part.events += 1
            popper.written()
            written += 1
            if written % PREFETCH == 0:  # what the kernel takes at once gives nobody else a turn
                await asyncio.sleep(0)

    def _event_of(self, message: Delivery, dialect: Dialect) -> str:
        """Return a message as an event, empty if JSON cannot carry it."""
        connection = message.connection
        try:
            by_route = isinstance(connection.destination, QueueDestination)
            data = event_data(message.data, message.uid, connection.headers, by_route=by_route)
            return dialect.event_of(self._part.node_id(), connection.client_id, message.topic, data)
        except (TypeError, ValueError, RecursionError) as error:
            self._part.unwritable += 1
            if message.topic not in self._unwritable:
                self._unwritable.add(message.topic)
                text = (
                    "%s: JSON cannot carry a message of %s on %r: %s; such are dropped and counted"
                )
                told = (self._name, connection.client_id, message.topic, error)
                logger.error(text, *told)  # noqa: TRY400 - no bug
            return ""

    # Both

    async def _write(self, send: Callable[[T], Awaitable[None]], data: T) -> None:
        """Send a frame, and wait until the kernel has taken all of it.

        Raises:
            ConnectionError: The client has left, or was cut.
            TimeoutError: It does not read.
        """
        async with asyncio.timeout(self._part.write_timeout), self._writing:
            await send(data)
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("nobody can tell whether all of it was taken")

    async def _cut_at_a_failure(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except ConnectionError:
            pass  # the reader sees it too, and ends everything
        except TimeoutError:
            logger.info("%s does not read what is written for it; it is cut", self._name)
            self._cut()
        except Exception:
            logger.exception("%s: a request or an event failed; it is cut", self._name)
            self._cut()

    # The end

    def _cut(self) -> None:
        """End the connection at once; the reader sees it, and ends the rest."""
        if self._transport is not None:
            self._transport.abort()

    async def _end(self) -> None:
        if self._popper is not None:
            self._popper.close()
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.wait([self._writer])
