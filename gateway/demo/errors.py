"""What the demo answers when something is wrong: JSON with a code, a sentence and a fitting status.

The shape is that of the gateway's own HTTP API, `{"error": {"code": ..., "message": ...}}`, so that
a page needs one way to show an error. The sentences of the client library name the address and the
remedy; they are passed on as they are, which suits a demo and an intranet. An application on the
open internet logs them and shows its visitors one of its own.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from gateway_client import (
    GatewayError,
    GatewayUnavailable,
    InvalidClientId,
    MessageTooLarge,
    RegisterUnavailable,
    ReplyTimeout,
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

ANSWERS: Final[tuple[tuple[type[Exception], int, str], ...]] = (
    (InvalidClientId, 400, "invalid_client_id"),
    (MessageTooLarge, 413, "message_too_large"),
    (RegisterUnavailable, 503, "register_unavailable"),
    (GatewayUnavailable, 503, "gateway_unavailable"),
    (ReplyTimeout, 504, "reply_timeout"),
    (GatewayError, 502, "gateway_error"),
    (
        ValueError,
        400,
        "invalid",
    ),  # an argument that no gateway was asked about, such as an empty uid
)
"""Error of the client library -> status and code; the first that fits."""


def refuse(status: type[web.HTTPException], code: str, message: str) -> web.HTTPException:
    """Make the exception that answers a request with an error; to be raised."""
    refusal = status()
    refusal.text = json.dumps(_error(code, message))
    refusal.content_type = "application/json"
    return refusal


@web.middleware
async def json_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn the client library's errors into answers."""
    try:
        return await handler(request)
    except (GatewayError, ValueError) as error:
        status, code = next(row[1:] for row in ANSWERS if isinstance(error, row[0]))
        return web.json_response(_error(code, str(error)), status=status)


def _error(code: str, message: str) -> dict[str, dict[str, str]]:
    return {"error": {"code": code, "message": message}}
