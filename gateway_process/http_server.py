"""The HTTP port of a role, on aiohttp: guarded, with JSON errors, on a socket that is handed in.

What every role's port has in common lives here; what a role answers does not. Whoever may not use the
port learns nothing from it, also not which paths exist. An error is always
`{"error": {"code": "...", "message": "..."}}`, with the framework's own ones among them.

Needs aiohttp, so nothing else in this package imports it.
"""

import logging
import re
import socket
from collections.abc import Collection, Iterable
from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway_process.http_guard import refusal_of
from gateway_process.secret import Secret

__all__ = ["HttpServer", "error_response"]

DEFAULT_MAX_BODY: Final = 64 * 1024
"""Bytes of a request's body; ports that only answer questions need next to none."""

DEFAULT_GRACE: Final = 1.0
"""Seconds that requests under way get at a stop, where each is answered from memory."""


class _AtDebug(logging.Filter):
    """Lowers what aiohttp logs itself: malformed requests, which strangers send and nobody can mend."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.levelno, record.levelname = logging.DEBUG, logging.getLevelName(logging.DEBUG)
        return logging.getLogger(record.name).isEnabledFor(logging.DEBUG)


_aiohttp_logger = logging.getLogger("gateway_process.http")
_aiohttp_logger.addFilter(_AtDebug())


def error_response(status: int, code: str, message: str, **fields: Any) -> web.Response:
    """Make the answer to a request that failed.

    Args:
        status: HTTP status.
        code: One word for programs.
        message: A sentence for people, with the remedy.
        fields: What else stands in the body, beside `error`.
    """
    body = {"error": {"code": code, "message": message}, **fields}
    return web.json_response(body, status=status)


class HttpServer:
    """Serves a role's routes on one socket."""

    def __init__(
        self,
        routes: Iterable[web.RouteDef],
        api_key: Secret,
        *,
        open_paths: Collection[str] = ("/healthz",),
        max_body: int = DEFAULT_MAX_BODY,
        grace: float = DEFAULT_GRACE,
        logger: logging.Logger,
    ) -> None:
        """Make a server; :meth:`start` begins to serve.

        Args:
            routes: What is answered.
            api_key: What requests must carry; empty for requests of this machine only.
            open_paths: Paths that everybody may ask for.
            max_body: Bytes of the largest body.
            grace: Seconds that requests under way get at a stop.
            logger: The role's logger.
        """
        self._api_key = api_key
        self._open_paths = frozenset(open_paths)
        self._logger = logger
        application = web.Application(
            middlewares=[self._answer_errors, self._guard], client_max_size=max_body
        )
        application.add_routes(routes)
        self._runner = web.AppRunner(
            application, access_log=None, logger=_aiohttp_logger, shutdown_timeout=grace
        )

    def __repr__(self) -> str:
        return f"<HttpServer {', '.join(map(str, self._runner.addresses)) or 'closed'}>"

    async def start(self, sock: socket.socket) -> None:
        """Serve on a socket that is bound; it is owned from here on."""
        await self._runner.setup()
        await web.SockSite(self._runner, sock).start()

    async def stop(self) -> None:
        """Accept nothing more, let requests under way end, close; harmless when not started."""
        await self._runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in self._open_paths:
            return await handler(request)
        refusal = refusal_of(
            self._api_key,
            peer=request.remote or "",
            method=request.method,
            headers=request.headers,
        )
        if refusal is None:
            return await handler(request)
        response = error_response(refusal.status, refusal.code, refusal.message)
        if refusal.status == web.HTTPUnauthorized.status_code:
            response.headers["WWW-Authenticate"] = "Bearer"
        return response

    @web.middleware
    async def _answer_errors(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as error:
            return _of_framework(request, error)
        except Exception as error:
            if isinstance(error, ConnectionError) and request.transport is None:
                raise  # the client has left in the middle of its request
            self._logger.exception("%s %s failed", request.method, request.path)
            return error_response(500, "internal", "this is a bug; the log has the details")


def _of_framework(request: web.Request, error: web.HTTPException) -> web.Response:
    code = re.sub(r"\W+", "_", error.reason.lower())
    response = error_response(
        error.status, code, f"{request.method} {request.path}: {error.reason.lower()}"
    )
    if "Allow" in error.headers:
        response.headers["Allow"] = error.headers["Allow"]
    return response
