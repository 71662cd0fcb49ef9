"""The queues: what waits for consumers, in all gateways together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from gateway_client.calls.base import Call, EveryCall, Partial
from gateway_wire.commands import ListQueues

__all__ = ["get_all_queues"]

_LARGEST: Final = frozenset({"age", "consumers"})
"""What is not added up: the oldest message is on one gateway, and a consumer has a link to each."""


def get_all_queues(
    *, partial: Partial = "raise", timeout: float | None = None
) -> Call[dict[str, dict[str, int | float]]]:
    """Tell of every queue what waits in it, and who consumes it.

    Args:
        partial: `"return"` returns what the gateways that answered said, instead of raising.
        timeout: Seconds this call may take; the client object's own (5 s) if None.

    Returns:
        By topic, a map of numbers. Now: `waiting` and `unacknowledged` messages, `bytes` of both,
        `age` of the oldest in seconds, `consumers` (the most that one gateway has, as a consumer
        has a link to each), `paused` connections that are not read until there is room. Since the
        topic was opened: `pushed`, `delivered`, `redelivered`, `acknowledged`, `dead`, `dropped`.

    Raises:
        RegisterUnavailable: If no register answers and no gateway is known.
        GatewayUnavailable: If no gateway could be asked.
        PartialResult: If some gateways did not answer; `.value` is what the others said.
        ReplyTimeout: If none answered.

    Cost: one command to each gateway, whose answer grows with the topics.
    """
    command = ListQueues()
    return EveryCall("get_all_queues", timeout, command, _united, is_query=True, partial=partial)


def _united(
    answers: Sequence[Mapping[str, Mapping[str, int | float]]],
) -> dict[str, dict[str, int | float]]:
    whole: dict[str, dict[str, int | float]] = {}
    for answer in answers:
        for topic, state in answer.items():
            _add(whole.setdefault(topic, {}), state)
    return whole


def _add(whole: dict[str, int | float], state: Mapping[str, int | float]) -> None:
    for name, value in state.items():
        if name in _LARGEST:
            whole[name] = max(whole.get(name, 0), value)
        else:
            whole[name] = whole.get(name, 0) + value
