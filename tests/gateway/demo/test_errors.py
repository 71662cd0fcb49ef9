"""Which answer each error of the client library becomes."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.demo.errors import json_errors, refuse
from gateway_client import (
    GatewayError,
    InvalidClientId,
    MessageTooLarge,
)

Answer = tuple[int, dict[str, dict[str, str]]]


async def answer_to(error: Exception) -> Answer:
    """Serve a handler that raises this, and give the answer to a request."""

    async def handler(_request: web.Request) -> web.Response:
        raise error

    app = web.Application(middlewares=[json_errors])
    app.router.add_get("/", handler)
    async with TestClient(TestServer(app)) as client, client.get("/") as response:
        assert response.content_type == "application/json"
        return response.status, await response.json()


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidClientId("x"), 400, "invalid_client_id"),
        (MessageTooLarge("message", 2, 1), 413, "message_too_large"),
        (GatewayError("something"), 502, "gateway_error"),
        (ValueError("the uid is empty"), 400, "invalid"),
    ],
)
async def test_an_error_of_the_library_has_status_code_and_sentence(
    error: Exception, status: int, code: str
) -> None:
    """The status fits the error, and the library's own sentence is passed on."""
    assert await answer_to(error) == (status, {"error": {"code": code, "message": str(error)}})


async def test_a_refusal_looks_the_same() -> None:
    """What the demo refuses by itself has the shape of the library's errors."""
    refusal = refuse(web.HTTPGone, "client_gone", "It has ended.")
    expected = {"error": {"code": "client_gone", "message": "It has ended."}}
    assert await answer_to(refusal) == (410, expected)
