"""The HTTP API: the client library's methods by name, for whoever has an HTTP client and no Python.

A request is a method's arguments as a JSON object, the answer its result. There is one client
object for all requests, which asks the whole cluster, this gateway like any other. Each request is a
call of its own, so no order is promised between two.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from gateway.admin.answers import encode_answer
from gateway.admin.arguments import arguments_of, builder_of, decode_body, positioned
from gateway.admin.problems import ApiError, Problem, failures, problem_of
from gateway_client.calls import METHODS
from gateway_client.errors import GatewayError, PartialResult
from gateway_client.reached import Published, Reached
from gateway_wire.limits import MAX_FRAME

if TYPE_CHECKING:
    from gateway_client import AsyncGatewayClient
    from gateway_client.calls import Builder

__all__ = ["API_PATH", "MAX_BODY", "Api"]

logger = logging.getLogger("gateway")

API_PATH: Final = "/api/v1/"

MAX_BODY: Final = 2 * MAX_FRAME
"""Bytes of a request's body.

A request becomes a command of one frame (4 MiB), and JSON at most doubles it where that is usual: many
libraries write a character of three bytes as an escape of six. Base64 adds a third.
"""


class Api:
    """Answers `POST /api/v1/<method>`."""

    def __init__(self, client: AsyncGatewayClient) -> None:
        """Take the client that asks the cluster."""
        self._client = client

    def routes(self) -> list[web.RouteDef]:
        """Return what is answered."""
        return [web.post(API_PATH + "{method}", self._call)]

    async def _call(self, request: web.Request) -> web.Response:
        try:
            answer = await self._answer(request)
        except ApiError as error:
            problem = error.problem
            answer = {"error": {"code": problem.code, "message": error.message}, **error.fields}
            status = problem.status
        else:
            status = 200
        body = await encode_answer(answer)
        return web.Response(body=body, status=status, content_type="application/json")

    async def _answer(self, request: web.Request) -> dict[str, Any]:
        name = request.match_info["method"]
        builder = builder_of(METHODS, name)
        arguments = arguments_of(builder, decode_body(await _body(request)))
        # Always raised in here, so that what is missing can be told in either case.
        keep = arguments.pop("partial", "raise") == "return"
        args, kwargs = positioned(builder, arguments)
        _check_values(builder, args, kwargs)
        try:
            result = await getattr(self._client, name)(*args, **kwargs)
        except PartialResult as error:
            if not keep:
                raise problem_of(error) from error
            return _told(error.value, error)
        except GatewayError as error:
            raise problem_of(error) from error
        return (
            _told(_number_of(result), result) if isinstance(result, Reached) else {"result": result}
        )


async def _body(request: web.Request) -> bytes:
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        text = (
            f"the body has more than {MAX_BODY:,} bytes, twice what fits a command "
            f"({MAX_FRAME:,}): send less, or in several requests"
        )
        raise ApiError(Problem.BODY_TOO_LARGE, text) from error


def _check_values(builder: Builder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Let the library check the arguments, apart from the call, whose errors are not the caller's."""
    try:
        builder(*args, **kwargs)
    except GatewayError as error:
        raise problem_of(error) from error
    except (TypeError, ValueError, RecursionError) as error:
        raise ApiError(Problem.INVALID_ARGUMENT, str(error)) from error


def _number_of(result: Reached) -> int | dict[str, int]:
    if isinstance(result, Published):
        return {"success": result.success, "fail": result.fail, "total": result.total}
    return int(result)


def _told(value: Any, missing: Reached | PartialResult) -> dict[str, Any]:
    return {"result": value, **failures(not_sent=missing.not_sent, unknown=missing.unknown)}
