"""permessage-deflate: 1 KB of JSON to browsers that agreed to it, beside as many that did not."""

from __future__ import annotations

import json
import random
from contextlib import ExitStack
from statistics import median
from typing import TYPE_CHECKING, Final, Self

from bench.cluster import Cluster
from bench.crowd import Crowd, message
from bench.plan import CONNECTIONS
from bench.programs import BenchError
from bench.table import Bound, Row
from bench.turns import TURNS, walks

if TYPE_CHECKING:
    from bench.plan import Plan
    from bench.table import Measured
    from bench.turns import Walks

__all__ = ["deflate"]

BYTES: Final = 1024
"""Size of each message before it is compressed."""

WALKS: Final = 20
"""Messages a turn, the next when all have the one before: each delivery is a `send()` of its own."""

SEED: Final = 9


def deflate(plan: Plan) -> Measured:
    """CPU per delivery of compressed messages, beside the same messages as they are."""
    size = plan.size_of(CONNECTIONS)
    compressed, plain = [], []
    with Cluster("--compression") as cluster, ExitStack() as stack:
        agreed = stack.enter_context(_GroupOfAll(cluster, size, "deflate"))
        others = stack.enter_context(_GroupOfAll(cluster, size))
        if agreed.crowd.opened.compressed != size:
            raise BenchError(
                f"only {agreed.crowd.opened.compressed} of {size} agreed to compression"
            )
        before = cluster.counters()
        for _ in range(TURNS):
            plain.append(others.walks())
            compressed.append(agreed.walks())
        after = cluster.counters()
    compressions = after["compressions_total"] - before["compressions_total"]
    wire = after["compressions_after_bytes_total"] - before["compressions_after_bytes_total"]
    crowd_us = median(turn.crowd_cpu_us for turn in compressed)
    bound = Bound(1.15, of_ratio=True)
    return [
        Row("deflate", "deflate: CPU per delivery", "µs", _cpu(compressed), _cpu(plain), bound),
        Row("deflate", "  compressions per message", "", compressions / (TURNS * WALKS)),
        Row("deflate", "  bytes of a message", "", wire / compressions, BYTES),
        Row("deflate", "  CPU of the crowd, each", "µs", crowd_us),
    ]


def _cpu(turns: list[Walks]) -> float:
    return median(turn.cpu_us for turn in turns)


class _GroupOfAll:
    """A crowd of its own kind that is in one group; a context manager that closes it."""

    def __init__(self, cluster: Cluster, size: int, *options: str) -> None:
        self._cluster = cluster
        self._name = "".join(["group", *options])
        there = set(cluster.client.get_all_client_id_list())
        self.crowd = Crowd(cluster.port, size, options=options)
        with cluster.client.pipeline() as pipeline:
            for client_id in cluster.client.get_all_client_id_list():
                if client_id not in there:
                    pipeline.join_group(client_id, self._name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.crowd.close()

    def walks(self) -> Walks:
        """Send to all of the group, one message after the other."""
        done = walks(self._cluster, [self.crowd], [1] * WALKS, self._publish)
        if done.content_bytes != BYTES:
            raise BenchError(f"messages of {done.content_bytes} bytes arrived")
        return done

    def _publish(self, count: int) -> None:
        for sequence in range(count):
            self._cluster.client.send_to_group(self._name, _json(sequence))


def _json(sequence: int) -> str:
    """Give a message that is a JSON text of exactly so many bytes: prices, as an exchange has them."""
    chance = random.Random(SEED + sequence)
    quotes = [
        {"symbol": f"{chance.randrange(36**4):04x}", "bid": chance.randrange(10**6) / 100}
        for _ in range(20)
    ]
    text = json.dumps([message(sequence)[:31], quotes, ""], separators=(",", ":"))
    return f'{text[:-2]}{" " * (BYTES - len(text))}"]'
