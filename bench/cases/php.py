"""A push by GatewayClient of PHP beside the same push by our own client.

What it sends is said here byte by byte, and as it does by default each push asks the register where the gateways
are, and dials. So no PHP is needed, whose own time is not the gateway's anyway.
"""

from __future__ import annotations

import json
import socket
import struct
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Final

from bench.cluster import Cluster
from bench.crowd import message
from bench.plan import CONNECTIONS
from bench.stage import GROUP, open_crowd
from bench.table import Bound, Row
from bench.turns import TURNS, walks

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.crowd import Crowd
    from bench.plan import Plan
    from bench.table import Measured
    from bench.turns import Walks
    from gateway_client import GatewayClient

__all__ = ["php"]

WALKS: Final = 20
"""Messages a turn, the next when all have the one before: each delivery is a `send()` of its own."""

SEND_TO_GROUP: Final = 22
SCALAR: Final = 1
"""The command, and the flag of a message that is a text."""

_HEAD: Final = struct.Struct(">IBIHIHIBHI")


def php(plan: Plan) -> Measured:
    """CPU per delivery of pushes by PHP's client, beside the same pushes by ours."""
    ours, theirs = [], []
    with Cluster("--php-start-port", "0") as cluster:
        crowd, _ = open_crowd(cluster.gateway, cluster.port, plan.size_of(CONNECTIONS))
        with crowd:
            _join(cluster.client)
            for _ in range(TURNS):
                push = partial(cluster.client.send_to_group, GROUP)
                ours.append(_walks(cluster, crowd, push))
                theirs.append(_walks(cluster, crowd, partial(_push_as_php, cluster.register)))
    bound = Bound(1.2, of_ratio=True)
    return [
        Row("php", "sendToGroup of PHP: CPU per delivery", "µs", _cpu(theirs), _cpu(ours), bound),
        Row("php", "  CPU of the crowd, each", "µs", median(turn.crowd_cpu_us for turn in theirs)),
    ]


def _join(client: GatewayClient) -> None:
    with client.pipeline() as pipeline:
        for client_id in client.get_all_client_id_list():
            pipeline.join_group(client_id, GROUP)


def _walks(cluster: Cluster, crowd: Crowd, push: Callable[[str], object]) -> Walks:
    """Push to all, one message after the other; each is the first of its run."""

    def publish(_count: int) -> None:
        push(message(0))

    return walks(cluster, [crowd], [1] * WALKS, publish)


def _cpu(turns: list[Walks]) -> float:
    return median(turn.cpu_us for turn in turns)


def _push_as_php(register: str, message: str) -> None:
    """Ask the register where the gateways are, send each the frame, and hang up."""
    frame = _send_to_group(message.encode())
    for address in _gateways(register):
        with _dial(address) as sock:
            sock.sendall(frame)


def _gateways(register: str) -> list[str]:
    with _dial(register) as sock, sock.makefile("rb") as lines:
        sock.sendall(b'{"event":"worker_connect","secret_key":""}\n')
        addresses: list[str] = json.loads(lines.readline())["addresses"]
        return addresses


def _send_to_group(body: bytes) -> bytes:
    ext = b'{"group":["%b"],"exclude":null}' % GROUP.encode()
    length = _HEAD.size + len(ext) + len(body)
    return _HEAD.pack(length, SEND_TO_GROUP, 0, 0, 0, 0, 0, SCALAR, 0, len(ext)) + ext + body


def _dial(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)))
