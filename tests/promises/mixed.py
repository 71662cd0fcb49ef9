"""Senders that push to everybody in every way, in random mixes, and what each browser must get of it.

Whom a message names is worked out here, from what the test bound and joined, and compared with what
arrives. The seed stands in the test: a failure comes back with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from enum import Enum, auto
from random import Random
from typing import Any, Final, NamedTuple, TypeAlias

from gateway_client import AsyncGatewayClient, GatewayClient
from tests.support.crowd import Talker

GROUPS: Final = tuple("abcdef")

SIZES: Final = ((10, 300), (2_000, 8_000), (65_000, 160_000))
"""Bytes of messages: small, middling, and large: those leave their outbox alone."""
OFTEN: Final = (90, 6, 4)
"""How often each of them comes, of a hundred."""
BATCH_SIZES: Final = (1, 1, 2, 30)
"""At most so many messages are sent in one way; mostly few, since what is sent next in another way may
take another link."""


class Member(NamedTuple):
    """A browser, and what names it."""

    talker: Talker
    uid: str
    groups: frozenset[str]


class Errand(NamedTuple):
    """One message of one sender, the call that pushes it, and the client ids that it names."""

    sender: str
    text: str
    method: str
    arguments: dict[str, Any]
    named: frozenset[str]


class Way(Enum):
    """How a batch of messages is sent."""

    CONFIRMED = auto()
    UNCONFIRMED = auto()
    PIPELINED = auto()


Aim: TypeAlias = Callable[[Random, Sequence[Member]], tuple[str, dict[str, Any], list[Member]]]
"""Chooses a call: its method, its arguments but for the message, and whom it names."""


def errands(sender: str, members: Sequence[Member], count: int, chance: Random) -> list[Errand]:
    """Give what a sender has to say; its name and a number begin each message."""
    made = []
    for number in range(count):
        method, arguments, named = chance.choice(_AIMS)(chance, members)
        text = _text(f"{sender} {number} ", chance)
        ids = frozenset(each.talker.client_id for each in named)
        made.append(Errand(sender, text, method, {**arguments, "message": text}, ids))
    return made


def meant_for(client_id: str, *senders: Sequence[Errand]) -> dict[str, list[str]]:
    """Give the messages that name a browser, in their order, by sender."""
    return {each[0].sender: [e.text for e in each if client_id in e.named] for each in senders}


def received(talker: Talker, senders: Sequence[str]) -> dict[str, list[str]]:
    """Give the messages that came, in their order, by sender."""
    texts: dict[str, list[str]] = {each: [] for each in senders}
    for text in talker.received:
        texts[text.partition(" ")[0]].append(text)
    return texts


# Sending


def send_blocking(client: GatewayClient, messages: Sequence[Errand], chance: Random) -> None:
    """Send one message after another, each batch in another way."""
    for way, batch in _batches(messages, chance):
        if way is Way.PIPELINED:
            with client.pipeline() as pipeline:
                for each in batch:
                    getattr(pipeline, each.method)(**each.arguments)
            results = pipeline.results
        else:
            confirm = way is Way.CONFIRMED
            results = [getattr(client, e.method)(**e.arguments, confirm=confirm) for e in batch]
        _check(way, batch, results)


async def send_async(
    client: AsyncGatewayClient, messages: Sequence[Errand], chance: Random
) -> None:
    """Send one message after another, each batch in another way."""
    for way, batch in _batches(messages, chance):
        if way is Way.PIPELINED:
            async with client.pipeline() as pipeline:
                for each in batch:
                    getattr(pipeline, each.method)(**each.arguments)
            results = pipeline.results
        else:
            confirm = way is Way.CONFIRMED
            results = [
                await getattr(client, e.method)(**e.arguments, confirm=confirm) for e in batch
            ]
            await asyncio.sleep(0)  # an unconfirmed call need not wait for anything
        _check(way, batch, results)


def _batches(messages: Sequence[Errand], chance: Random) -> Iterator[tuple[Way, Sequence[Errand]]]:
    start = 0
    while start < len(messages):
        end = start + chance.randint(1, chance.choice(BATCH_SIZES))
        yield chance.choice([*Way]), messages[start:end]
        start = end


def _check(way: Way, batch: Sequence[Errand], results: Sequence[Any]) -> None:
    confirmed = way is not Way.UNCONFIRMED
    assert results == [len(each.named) if confirmed else None for each in batch]


# Choosing


def _text(head: str, chance: Random) -> str:
    (bounds,) = chance.choices(SIZES, OFTEN)
    size = chance.randint(*bounds)
    return (head * (size // len(head) + 1))[: max(size, len(head))]


def _some(chance: Random, members: Sequence[Member]) -> list[Member]:
    return chance.sample(members, chance.randint(1, len(members) // 2))


def _ids(members: Sequence[Member]) -> list[str]:
    return [each.talker.client_id for each in members]


def _one_client(
    chance: Random, members: Sequence[Member]
) -> tuple[str, dict[str, Any], list[Member]]:
    one = chance.choice(members)
    return "send_to_client", {"client_id": one.talker.client_id}, [one]


def _uids(chance: Random, members: Sequence[Member]) -> tuple[str, dict[str, Any], list[Member]]:
    uids = {each.uid for each in chance.sample(members, chance.choice([1, 1, 4]))}
    named = [each for each in members if each.uid in uids]
    return "send_to_uid", {"uid": sorted(uids)}, named


def _groups(chance: Random, members: Sequence[Member]) -> tuple[str, dict[str, Any], list[Member]]:
    groups = chance.sample(GROUPS, chance.choice([1, 1, 3]))
    excluded = _some(chance, members) if chance.random() < 0.3 else []
    named = [each for each in members if each not in excluded and each.groups & {*groups}]
    return "send_to_group", {"group": groups, "exclude_client_ids": _ids(excluded)}, named


def _all(chance: Random, members: Sequence[Member]) -> tuple[str, dict[str, Any], list[Member]]:
    excluded = _some(chance, members) if chance.random() < 0.5 else []
    named = [each for each in members if each not in excluded]
    return "send_to_all", {"exclude_client_ids": _ids(excluded)}, named


def _these(chance: Random, members: Sequence[Member]) -> tuple[str, dict[str, Any], list[Member]]:
    named = _some(chance, members)
    return "send_to_all", {"client_ids": _ids(named)}, named


_AIMS: Final[tuple[Aim, ...]] = (_one_client, _uids, _groups, _all, _these)
