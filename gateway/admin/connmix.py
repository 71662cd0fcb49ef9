"""CONNMIX's API on the HTTP port of a gateway: `POST /v1/mesh/*` and the websocket `/ws/v1`.

Without `--connmix` each path answers that this is what it lacks. What goes over the wire is
:mod:`gateway.connmix`'s matter; `docs/connmix-api.md` documents it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from aiohttp import web

from gateway.admin.connmix_calls import carry_out
from gateway.admin.connmix_socket import ConnmixSocket
from gateway.connmix.codes import ConnmixError
from gateway.connmix.dialects import HTTP
from gateway.connmix.methods import MESH_METHODS
from gateway.connmix.requests import parse_body
from gateway_process.http_server import error_response

if TYPE_CHECKING:
    from gateway.connmix.part import ConnmixPart
    from gateway_client import AsyncGatewayClient

__all__ = ["ConnmixApi"]

logger = logging.getLogger("gateway")

SOCKET_PATH: Final = "/ws/v1"
MESH_PATHS: Final = {f"/v1/{name.replace('.', '/')}": name for name in MESH_METHODS}
"""The method of each path that takes a POST: `/v1/mesh/send` and `/v1/mesh/publish`."""


class ConnmixApi:
    """Answers clients of CONNMIX."""

    def __init__(self, part: ConnmixPart | None, client: AsyncGatewayClient) -> None:
        """Take what it works with.

        Args:
            part: The gateway process; None if it does not speak CONNMIX.
            client: Asks the cluster.
        """
        self._part = part
        self._client = client
        self._sockets: set[ConnmixSocket] = set()
        self._stopping = False

    def __repr__(self) -> str:
        return f"<ConnmixApi {len(self._sockets)} sockets>" if self._part else "<ConnmixApi off>"

    def routes(self) -> list[web.RouteDef]:
        """Return what is answered."""
        return [
            web.get(SOCKET_PATH, self._socket),
            *(web.post(path, self._mesh) for path in MESH_PATHS),
        ]

    async def close(self) -> None:
        """Say goodbye on every websocket, and accept none any more; harmless when there is none."""
        self._stopping = True
        await asyncio.gather(*(each.close() for each in self._sockets))

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if self._part is None:
            return _off()
        if self._stopping:  # who comes back at once must not hold up the stop
            status = web.HTTPServiceUnavailable.status_code
            return error_response(
                status, "stopping", "this gateway is stopping; connect to another"
            )
        if not web.WebSocketResponse().can_prepare(request):
            status = web.HTTPBadRequest.status_code
            remedy = f"connect with a websocket client, to ws://{request.host}{SOCKET_PATH}"
            return error_response(status, "bad_request", f"this is no websocket; {remedy}")
        socket = ConnmixSocket(self._part, self._client)
        self._sockets.add(socket)
        try:
            return await socket.serve(request)
        finally:
            self._sockets.discard(socket)

    async def _mesh(self, request: web.Request) -> web.Response:
        part = self._part
        if part is None:
            return _off()
        method = MESH_PATHS[request.path]
        part.requests[method] += 1
        try:
            wanted = MESH_METHODS[method](parse_body(await request.read()))
            text = HTTP.answer(await carry_out(self._client, wanted, HTTP))
        except ConnmixError as error:
            part.errors[str(error.code.value)] += 1
            text = HTTP.refusal(error)
        return web.Response(text=text, content_type="application/json")


def _off() -> web.Response:
    text = "CONNMIX's API is not served here; start the gateway, and its register, with --connmix"
    return error_response(web.HTTPNotFound.status_code, "not_found", text)
