"""The spellings of CONNMIX's API: one set of answers and events, each written in three ways.

SHORT is what its documents have said since May 2022 (`{"m":..,"p":..,"i":..}`), LONG what they said before and
clients up to 1.0.4 speak (`{"method":..,"params":..,"id":..}`), HTTP that of POST requests, which have no id. A
dialect is a row of names, so what differs between them is data. Where two editions of the documents give
different fields of an answer, it has those of both.
"""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.connmix.codes import ConnmixError

__all__ = ["HTTP", "LONG", "SHORT", "Dialect", "Result", "event_data"]

Result: TypeAlias = dict[str, Any]
"""What stands in the place of the result."""


def _base64(value: object) -> str:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} cannot stand in an event")


# Characters beyond ASCII are escaped, so that no lone surrogate that somebody sent can spoil a frame.
_encode: Final = json.JSONEncoder(allow_nan=False, separators=(",", ":"), default=_base64).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One spelling; each attribute is how it calls something.

    Attributes:
        error: The error of an answer; null where there is a result.
        code: Its number.
        text: Its sentence.
        result: The result of an answer.
        request_id: The request's id; empty where requests have none.
        success: Whether it was done; for a publish, if `counts`, how many connections were reached.
        fail: How many were not.
        total: Both added up; empty for "not told".
        pong: The answer to a server.ping.
        counts: Whether a publish tells how many were reached as its success.
        event: The name of an event.
        event_name: What it is for a message of a queue.
        params: What it brings.
        node: The node that holds the client; empty for "not told".
        client: The client id.
        topic: The topic.
        data: What was put on the queue.
    """

    error: str
    code: str
    text: str
    result: str
    request_id: str
    success: str
    fail: str
    total: str
    pong: str
    counts: bool
    event: str
    event_name: str
    params: str
    node: str
    client: str
    topic: str
    data: str

    # Results

    def done(self) -> Result:
        """Say that it was done."""
        return {self.success: True}

    def sent(self) -> Result:
        """Say that the one client took the message."""
        return {self.success: True, **self._counts(0, 1)} if self.total else self.done()

    def published(self, reached: int, missed: int) -> Result:
        """Say how many took the message.

        Args:
            reached: Connections.
            missed: Gateways that did not answer for theirs.
        """
        success = reached if self.counts else bool(reached or not missed)
        return {self.success: success, **self._counts(missed, reached + missed)}

    def ponged(self) -> Result:
        """Answer a server.ping."""
        return {self.pong: "server.pong"}

    def _counts(self, fail: int, total: int) -> Result:
        return {self.fail: fail, self.total: total} if self.total else {self.fail: fail}

    # Answers

    def answer(self, result: Result, request_id: object = None) -> str:
        """Write an answer; the id is the request's own, whatever it was."""
        return self._with_id({self.error: None, self.result: result}, request_id)

    def refusal(self, error: ConnmixError, request_id: object = None) -> str:
        """Write the answer to a request that failed."""
        told: Result = {self.code: error.code.value, self.text: error.text}
        return self._with_id({self.error: told}, request_id)

    def event_of(self, node_id: str, client_id: str, topic: str, data: object) -> str:
        """Write a message of a queue.

        Args:
            node_id: This gateway, as `/v1/nodes` names it.
            client_id: Who sent it.
            topic: The queue.
            data: An object or array; bytes in it become Base64.

        Raises:
            TypeError: JSON cannot carry something in it.
            ValueError: It holds NaN or an infinity.
        """
        params: Result = {self.node: node_id} if self.node else {}
        params |= {self.client: client_id, self.topic: topic, self.data: data}
        return _encode({self.event: self.event_name, self.params: params, "id": None})

    def _with_id(self, answer: dict[str, object], request_id: object) -> str:
        if self.request_id:
            answer[self.request_id] = request_id
        return _encode(answer)


SHORT: Final = Dialect(
    error="E",
    code="c",
    text="m",
    result="r",
    request_id="i",
    success="s",
    fail="f",
    total="t",
    pong="s",
    counts=True,
    event="e",
    event_name="queue.pop",
    params="p",
    node="n",
    client="c",
    topic="t",
    data="d",
)
"""Of client 1.0.5 and of documents since May 2022."""

HTTP: Final = replace(SHORT, request_id="", total="")
"""Of the answers to POST requests."""

LONG: Final = Dialect(
    error="error",
    code="code",
    text="message",
    result="result",
    request_id="id",
    success="success",
    fail="fail",
    total="total",
    pong="status",
    counts=False,
    event="event",
    event_name="queue.consume",
    params="result",
    node="",
    client="client_id",
    topic="queue",
    data="data",
)
"""Of clients 1.0.1 to 1.0.4 and of documents before."""


def event_data(
    data: object, uid: str | None, headers: Mapping[str, str], *, by_route: bool
) -> object:
    """Return what stands as data in an event.

    Args:
        data: What was put on the queue.
        uid: What the client was bound to when it sent.
        headers: Those of its handshake.
        by_route: Whether a route put it there. What an entry module pushed stays exactly as it is,
            but for what is neither an object nor an array, which clients could not take: it becomes
            the `data` of one.
    """
    if by_route and isinstance(data, dict):
        return {**data, "uid": uid, "headers": headers}
    return data if isinstance(data, dict | list | tuple) else {"data": data}
