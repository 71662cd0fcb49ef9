"""When the outbox is written."""

import asyncio

import pytest

from gateway.connection import Connection
from gateway.flusher import SLICE, Flusher
from gateway.outbox import FILL, FLUSH_AT, Outbox
from tests.gateway.support import MIB, Lines, Pipe, bare, pipe_of


def filled(interval: float) -> tuple[Flusher, Outbox, Connection]:
    """Give an outbox with one message in it, and its flusher."""
    flusher = Flusher(asyncio.get_running_loop(), interval)
    outbox = Outbox(MIB, MIB, on_dirty=flusher.soon, cut=_nobody)
    flusher.outbox = outbox
    connection = bare("c1", Lines())
    outbox.offer([connection], "hello")
    return flusher, outbox, connection


def _nobody(connection: Connection) -> None:
    raise AssertionError(f"{connection!r} takes everything")


async def turn() -> None:
    """Let one turn of the loop pass."""
    await asyncio.sleep(0)


async def test_what_a_turn_brought_leaves_with_it() -> None:
    """Without an interval nothing waits for more than the turn of the loop."""
    _, outbox, connection = filled(0)
    outbox.offer([connection], "again")

    assert pipe_of(connection).writes == []

    await turn()

    assert pipe_of(connection).writes == [b"hello\nagain\n"]


async def test_the_end_of_the_last_turn_is_a_reason_to_write() -> None:
    """Whoever executed all commands need not wait for the loop's turn to end."""
    flusher, _, connection = filled(0)
    flusher.end_of_turn()

    assert pipe_of(connection).writes == [b"hello\n"]

    await turn()

    assert len(pipe_of(connection).writes) == 1


async def test_a_crowd_is_written_over_several_turns() -> None:
    """Between two slices the loop serves others, and what they add leaves with what waits."""
    flusher, outbox, first = filled(0)
    crowd = [bare(f"crowd{number}", Lines()) for number in range(2 * SLICE)]
    outbox.offer(crowd, "hello")
    flusher.end_of_turn()

    assert [len(pipe_of(each).writes) for each in (first, crowd[0], crowd[-1])] == [1, 1, 0]

    outbox.offer([crowd[-1]], "again")
    flusher.end_of_turn()  # in the middle of writing it adds nothing to a turn

    assert not pipe_of(crowd[SLICE]).writes

    await turn()

    assert [len(pipe_of(crowd[at]).writes) for at in (SLICE - 1, SLICE, -1)] == [1, 1, 0]

    await turn()

    assert pipe_of(crowd[-1]).writes == [b"hello\nagain\n"]
    assert all(pipe_of(each).writes == [b"hello\n"] for each in crowd[:-1])


async def test_an_interval_is_waited_for() -> None:
    """With an interval turns join: neither the loop nor the executor writes before it is over."""
    flusher, outbox, connection = filled(0.001)
    flusher.end_of_turn()

    assert pipe_of(connection).writes == []

    outbox.offer([connection], "again")

    assert await written_to(connection) == b"hello\nagain\n"


async def test_an_interval_is_not_waited_for_while_too_much_waits() -> None:
    """What a publisher sends in an interval must not fill memory."""
    flusher, outbox, connection = filled(60)
    crowd = [bare(f"crowd{number}", Lines()) for number in range(FILL // FLUSH_AT * 2)]
    for each in crowd:
        outbox.offer([each], "x" * (FLUSH_AT // 2))
    flusher.end_of_turn()

    assert all(len(pipe_of(each).writes) == 1 for each in [connection, *crowd])


async def test_a_write_that_fails_does_not_end_the_flusher() -> None:
    """Who comes behind is written to in the next turn."""
    flusher, outbox, connection = filled(0)
    other = bare("c2", Lines())
    outbox.offer([other], "hello")
    connection.edge = Failing(Lines())

    with pytest.raises(RuntimeError, match="broken"):
        flusher.end_of_turn()
    await turn()

    assert pipe_of(other).writes == [b"hello\n"]


class Failing(Pipe):
    """A pipe that cannot be written to."""

    def write(self, data: bytes) -> None:
        raise RuntimeError("broken")


async def written_to(connection: Connection) -> bytes:
    """Wait for the next write and give what was written."""
    written: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    connection.edge = Watched(connection, written)
    return await written


class Watched(Pipe):
    """A pipe that tells its first write."""

    def __init__(self, connection: Connection, written: asyncio.Future[bytes]) -> None:
        super().__init__(connection.encoding)
        self._written = written

    def write(self, data: bytes) -> None:
        self._written.set_result(data)


async def test_a_flusher_works_again_after_each_flush() -> None:
    """Every turn that fills the outbox is followed by a write."""
    _, outbox, connection = filled(0)
    await turn()
    outbox.offer([connection], "again")
    await turn()

    assert pipe_of(connection).writes == [b"hello\n", b"again\n"]


async def test_a_flusher_tells_its_interval() -> None:
    """Its name says how long messages wait."""
    assert repr(Flusher(asyncio.get_running_loop(), 0.05)) == "<Flusher every 0.05 s>"
