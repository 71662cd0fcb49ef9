"""`queue`, `mesh` and `Refused`, inside a handler and outside."""

import asyncio
from typing import Any

import pytest

from gateway import Conn, Refused, mesh, queue
from tests.gateway.entry.support import gate

pytestmark = pytest.mark.timeout(60, method="thread")


async def test_handlers_reach_the_cluster() -> None:
    """Also from tasks that they start."""
    answers: list[Any] = []

    async def on_message(conn: Conn, message: str) -> None:
        answers.append(await mesh.send("abc", {"a": 1}))
        answers.append(await asyncio.create_task(mesh.publish("news", message)))
        await queue.push("chat", message)

    async with gate(on_message) as entry:
        entry.say(entry.connect(), "hello")
        await entry.idle()
        assert entry.mesh.said == [("send", "abc", {"a": 1}), ("publish", "news", "hello")]
        assert answers == [True, entry.mesh]
        assert entry.on_queue("chat") == 1


async def test_outside_a_handler_they_say_so() -> None:
    """And name what works there."""
    for what, call in (
        ("queue.push", queue.push("chat", 1)),
        ("mesh.send", mesh.send("abc", 1)),  # type: ignore[arg-type]
        ("mesh.publish", mesh.publish("news", 1)),  # type: ignore[arg-type]
    ):
        with pytest.raises(RuntimeError, match=f"{what} works in a handler .* gateway_client"):
            await call


def test_a_refusal_has_a_reason_for_the_client() -> None:
    """Of a length that can be sent."""
    assert Refused().reason.text == "refused"
    assert Refused("no ticket").reason.code == 3500
    with pytest.raises(ValueError, match="the limit of a Close frame"):
        Refused("x" * 124)


def test_they_describe_themselves() -> None:
    """For whoever prints them."""
    assert (repr(queue), repr(mesh)) == ("<queue of this gateway>", "<mesh of all gateways>")
