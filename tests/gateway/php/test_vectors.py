"""What the real GatewayClient said to the real gateway, said to ours.

The conversations are replayed in their order, frame by frame, on one core; see `vectors/README.md`. Each answer is
what it was, byte for byte, but where `DIFFERENCES` says why not.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from gateway.php.arguments import connection_id_of
from gateway.php.frames import Frame, FrameDecoder
from gateway.php.values import serialize, unserialize
from gateway_wire.close_codes import CONNECTION_LOST
from tests.gateway.php.support import PhpGateway
from tests.gateway.support import Pipe, pipe_of

RECORDED: Final = Path(__file__).parent / "vectors" / "gatewayclient.jsonl"

CAME: Final = {318: [7]}
"""Which browsers connected before a line was said."""
LEFT: Final = {312: [6], 320: [7]}
"""Which left before it."""


class Talk(NamedTuple):
    """One conversation with the gateway."""

    line: int
    frames: list[Frame]
    answer: bytes


def talks() -> Iterator[Talk]:
    """Read the conversations with the gateway."""
    with RECORDED.open() as file:
        for line, text in enumerate(file, 1):
            recorded = json.loads(text)
            if recorded["to"] == "gateway":
                yield _talk(line, recorded["talk"])


def _talk(line: int, packets: list[tuple[str, str]]) -> Talk:
    decoder, answer, frames = FrameDecoder(), b"", []
    for direction, digits in packets:
        if direction == "<":
            answer += bytes.fromhex(digits)
            continue
        decoder.feed(bytes.fromhex(digits))
        while (frame := decoder.take()) is not None:
            frames.append(frame)
    assert not decoder.buffered
    return Talk(line, frames, answer)


def _with_groups_sorted(answer: dict[int, Any]) -> dict[int, Any]:
    for row in answer.values():
        if row["groups"]:
            row["groups"] = dict(sorted(row["groups"].items(), key=lambda entry: str(entry[0])))
    return answer


def _incomplete_last(answer: dict[int, Any]) -> dict[int, Any]:
    ordered = sorted(answer, key=lambda key: not all(answer[key].values()))
    return _with_groups_sorted({key: answer[key] for key in ordered})


DIFFERENCES: Final[dict[int, Callable[[Any], Any]]] = {
    # `unbindUid` minds the uid: the client that was to lose one that it had not is bound as before.
    109: lambda _: {0: 2},
    # The groups of a client stand in their order, not in that of joining them.
    **dict.fromkeys((149, 150, 151, 152), _with_groups_sorted),
    # Clients without uid or without group come last, for the client stops at the first.
    **dict.fromkeys((155, 156, 164, 165), _incomplete_last),
}
"""By line, what becomes of the answer that was recorded."""


def _as_ours(talk: Talk) -> bytes:
    change = DIFFERENCES.get(talk.line)
    if change is None:
        return talk.answer
    value = serialize(change(unserialize(talk.answer[4:])))
    return len(value).to_bytes(4, "big") + value


class Replay:
    """A core to which it is all said again; browsers come and go as they did."""

    def __init__(self) -> None:
        self.gateway = PhpGateway()
        self.pipes: dict[int, Pipe] = {}
        for number in range(2, 7):
            self._connect(number)

    def play(self, talk: Talk) -> bytes:
        """Say one conversation; give the answer."""
        for number in CAME.get(talk.line, ()):
            self._connect(number)
        for number in LEFT.get(talk.line, ()):
            self.gateway.clients.lost(self.pipes[number], CONNECTION_LOST.reason())
        answer = b"".join(self.gateway.ask(frame) for frame in talk.frames)
        self.gateway.outbox.flush()
        return answer

    def received(self, number: int) -> bytes:
        """Give what a browser received: messages as lines, raw bytes as they are."""
        return self.pipes[number].received

    def _connect(self, number: int) -> None:
        connection = self.gateway.connect()
        assert connection_id_of(connection.client_id) == number
        self.pipes[number] = pipe_of(connection)


def test_the_real_client_is_answered_as_by_the_real_gateway() -> None:
    """All recorded answers come, in a core whose browsers come and go as they did."""
    replay = Replay()
    recorded = list(talks())
    wrong = [talk.line for talk in recorded if replay.play(talk) != _as_ours(talk)]

    assert wrong == []
    assert len(recorded) > 290
    assert {talk.line for talk in recorded} >= {*DIFFERENCES, *CAME, *LEFT}


def test_what_differs_differs_in_order_and_in_what_was_unbound_alone() -> None:
    """To PHP, whose arrays are equal in any order, only the answer after `unbindUid` is another."""
    others = {
        talk.line
        for talk in talks()
        if unserialize(_as_ours(talk)[4:] or b"N;") != unserialize(talk.answer[4:] or b"N;")
    }

    assert others == {109}


def test_browsers_receive_what_the_real_client_sent() -> None:
    """Each message comes to whom it was for, once, in order, and `$raw` bytes as they are."""
    replay = Replay()
    for talk in talks():
        replay.play(talk)

    assert replay.received(2) == (
        b"all-1\nall-2\nall-4\nall-5\n\x81\x05hello\x82\x03\x00\x01\xff"
        b"u-1\nu-2\ng-1\ng-3\ng-4\np-all\nbye\n!1000 \n"
    )
    assert replay.received(3) == (
        "to-c1\nutf8 \N{EN DASH} 推送 🚀\n\n42\nall-1\nall-3\nall-4\n\x05hello"
        "u-1\nu-2\ng-1\ng-2\ng-3\ng-4\np-all\n!1000 \n"
    ).encode().replace(b"\x05", b"\x81\x05")
    sequence = b"".join(b"seq%d\n" % number for number in range(50))
    assert replay.received(4) == sequence + (
        b"all-1\nall-3\nall-4\nall-5\nall-6b\n\x81\x05hello"
        b"u-3\ng-1\ng-2\ng-4\n\x81\x02okp-all\np-g2\n"
    )
    pipelined = b"".join(b"p%d\n" % number for number in range(20))
    assert (
        replay.received(5)
        == (b"all-1\nall-2\nall-4\n\x81\x05hellou-2\ng-77\ng-4\n\x81\x02ok")
        + pipelined
        + b"p-all\np-g2\n"
    )
    assert replay.received(6).startswith(b"all-1\nall-3\n\x81\x05hello" + b"p-all\np-g2\np-u\n")
    assert sorted(replay.received(6).splitlines()[-100:]) == sorted(
        b"k%d-%d" % (source, number) for source in range(4) for number in range(25)
    )
    assert replay.received(7) == b""
