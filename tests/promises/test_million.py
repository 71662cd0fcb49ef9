"""A million deliveries: each browser gets each message once and in order, whatever named it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from random import Random
from typing import Final, TypeAlias

import pytest

from bench.crowd import Crowd, message
from gateway_client import GatewayClient, Pipeline
from tests.bench.compiler import needs_compiler
from tests.support.cluster import gateway, register, split
from tests.support.workers import metric

pytestmark = [pytest.mark.serial, needs_compiler]

SEED: Final = 20260704
GATEWAYS: Final = 2
CROWD: Final = 500
"""Browsers at each gateway."""
MESSAGES: Final = 1_000
BATCH: Final = 50
PARTS: Final = ("part 0", "part 1", "part 2", "part 3")
"""Groups that have everybody in one of them; the first half is in `HALF` too."""
HALF: Final = "half"
NAMED_ONE_BY_ONE: Final = 20

Say: TypeAlias = Callable[[Pipeline, str, Sequence[str], Random], None]
"""Sends one message to everybody; the ids are in the order of the uids, which count from 0."""


def test_a_million_deliveries_arrive_once_and_in_order() -> None:
    """1,000 browsers at two gateways get 1,000 messages, each to everybody through other targets."""
    chance = Random(SEED)
    with ExitStack() as stack:
        directory = stack.enter_context(register())
        doors = [stack.enter_context(gateway(directory)) for _ in range(GATEWAYS)]
        client = stack.enter_context(GatewayClient(directory.ready.listen, timeout=30))
        ports = [split(each.ready.ws)[1] for each in doors]
        crowds = [stack.enter_context(Crowd(port, CROWD)) for port in ports]
        ids = introduced(client)
        before = sum(metric(each, "deliveries_total") for each in doors)
        for crowd in crowds:
            crowd.expect(MESSAGES)
        for start in range(0, MESSAGES, BATCH):
            with client.pipeline() as pipeline:
                for number in range(start, start + BATCH):
                    chance.choice(WAYS)(pipeline, message(number), ids, chance)
            assert sum(pipeline.results) == BATCH * len(ids)
        deliveries = [crowd.result().deliveries for crowd in crowds]
        assert deliveries == [CROWD * MESSAGES] * GATEWAYS
        # What came twice would stand before the next run's first message.
        for crowd in crowds:
            crowd.expect(1)
        assert client.send_to_all(message(0)) == len(ids)
        for crowd in crowds:
            crowd.result()
        after = sum(metric(each, "deliveries_total") for each in doors)
        assert after - before == (MESSAGES + 1) * len(ids)


def introduced(client: GatewayClient) -> list[str]:
    """Bind and group everybody; give their client ids."""
    ids: list[str] = client.get_all_client_id_list()
    with client.pipeline() as pipeline:
        for number, each in enumerate(ids):
            pipeline.bind_uid(each, number)
            pipeline.join_group(each, PARTS[number % len(PARTS)])
            if number < len(ids) // 2:
                pipeline.join_group(each, HALF)
    assert all(pipeline.results)
    return ids


# Ways to everybody.


def to_all(pipeline: Pipeline, text: str, ids: Sequence[str], chance: Random) -> None:
    """At once."""
    pipeline.send_to_all(text)


def to_parts(pipeline: Pipeline, text: str, ids: Sequence[str], chance: Random) -> None:
    """Part by part."""
    for part in chance.sample(PARTS, len(PARTS)):
        pipeline.send_to_group(part, text)


def to_groups(pipeline: Pipeline, text: str, ids: Sequence[str], chance: Random) -> None:
    """To all groups in one call, which names half of them twice."""
    pipeline.send_to_group([HALF, *PARTS], text)


def to_half(pipeline: Pipeline, text: str, ids: Sequence[str], chance: Random) -> None:
    """To a group without some, to these by their uids, and to the others' clients."""
    left_out = chance.sample(range(len(ids) // 2), NAMED_ONE_BY_ONE)
    pipeline.send_to_group(HALF, text, [ids[each] for each in left_out])
    pipeline.send_to_uid(left_out, text)
    pipeline.send_to_all(text, client_ids=ids[len(ids) // 2 :])


def to_some_one_by_one(pipeline: Pipeline, text: str, ids: Sequence[str], chance: Random) -> None:
    """To all without some, and to these one by one, by uid or client id."""
    left_out = chance.sample(range(len(ids)), NAMED_ONE_BY_ONE)
    pipeline.send_to_all(text, exclude_client_ids=[ids[each] for each in left_out])
    for each in left_out:
        if each % 2:
            pipeline.send_to_uid(each, text)
        else:
            pipeline.send_to_client(ids[each], text)


WAYS: Final[tuple[Say, ...]] = (to_all, to_parts, to_groups, to_half, to_some_one_by_one)
