"""Options of a single call: a wrong one is told at every door, before anything is sent."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from gateway_client import METHODS, AsyncGatewayClient, GatewayClient
from gateway_client.options import MAX_TIMEOUT, check_options
from gateway_client.testing import AsyncRecordingGateway, RecordingGateway

NOWHERE = "127.0.0.1:1"
"""Nobody listens there, and no wrong call comes as far as to find out."""

ARGUMENTS = {
    "client_id": "a" * 32,
    "uid": 1,
    "uids": [],
    "group": [],
    "groups": [],
    "message": "m",
    "session": {},
    "context": {},
    "key": "k",
    "value": 1,
    "channel": "g",
    "channels": "g",
    "data": "m",
}
WRONG_TIMEOUTS = [
    (-1, ValueError),
    (0, ValueError),
    (float("nan"), ValueError),
    (float("inf"), ValueError),
    (MAX_TIMEOUT + 1, ValueError),
    ("5", TypeError),
    (True, TypeError),
]
QUERIES = [name for name in METHODS if "partial" in inspect.signature(METHODS[name]).parameters]


def _arguments(name: str) -> list[Any]:
    parameters = inspect.signature(METHODS[name]).parameters.values()
    return [ARGUMENTS[p.name] for p in parameters if p.default is p.empty]


@pytest.mark.parametrize(("timeout", "error"), WRONG_TIMEOUTS)
def test_a_wrong_timeout_is_named(timeout: Any, error: type[Exception]) -> None:
    """What is no number, or no time to wait for, is told with its value."""
    with pytest.raises(error, match=rf"^timeout is {timeout!r}: give a number of seconds above 0"):
        check_options({"timeout": timeout})


def test_right_options_pass() -> None:
    """Numbers of seconds, the client's own, and both choices of `partial`."""
    for timeout in (None, 1, 0.001, MAX_TIMEOUT):
        check_options({"timeout": timeout, "partial": "return"})
    check_options({"uid": 1, "partial": "raise"})


@pytest.mark.parametrize("name", METHODS)
async def test_every_method_checks_its_timeout(name: str) -> None:
    """In both clients, their pipelines and the recorders, also where no gateway need be asked."""
    arguments = _arguments(name)
    wrong = pytest.raises(ValueError, match="timeout is 0")
    for client in (GatewayClient(NOWHERE), RecordingGateway()):
        with client.pipeline() as pipeline:
            for each in (client, pipeline):
                with wrong:
                    getattr(each, name)(*arguments, timeout=0)
    for aclient in (AsyncGatewayClient(NOWHERE), AsyncRecordingGateway()):
        with wrong:
            await getattr(aclient, name)(*arguments, timeout=0)


@pytest.mark.parametrize("name", QUERIES)
async def test_every_query_names_the_choices_of_partial(name: str) -> None:
    """Also a query that names nobody, which needs no gateway."""
    arguments = _arguments(name)
    for client in (GatewayClient(NOWHERE), RecordingGateway()):
        with pytest.raises(ValueError, match='partial is \'foo\': give "raise" or "return"'):
            getattr(client, name)(*arguments, partial="foo")


@pytest.mark.parametrize(
    "client",
    [
        GatewayClient(NOWHERE),
        AsyncGatewayClient(NOWHERE),
        RecordingGateway(),
        AsyncRecordingGateway(),
    ],
    ids=lambda client: type(client).__name__,
)
def test_a_pipelines_timeout_is_checked_when_it_is_made(client: Any) -> None:
    """It is told where it is given, not where the block ends."""
    with pytest.raises(ValueError, match="timeout is -1"):
        client.pipeline(timeout=-1)
