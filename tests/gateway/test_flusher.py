"""When the outbox is written."""

import asyncio

from gateway.connection import Connection
from gateway.flusher import Flusher
from gateway.outbox import Outbox
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
    flusher.end_of_turn(more=False)

    assert pipe_of(connection).writes == [b"hello\n"]

    await turn()

    assert len(pipe_of(connection).writes) == 1


async def test_turns_are_gathered_while_commands_wait() -> None:
    """What the next turn fills leaves in the same write; several turns of the loop may pass."""
    flusher, outbox, connection = filled(0)
    outbox.offer([connection], "again")
    flusher.end_of_turn(more=True)
    for _ in range(3):
        await turn()

    assert pipe_of(connection).writes == []

    outbox.offer([connection], "and again")
    flusher.end_of_turn(more=False)

    assert pipe_of(connection).writes == [b"hello\nagain\nand again\n"]


async def test_a_message_for_one_client_each_is_not_kept() -> None:
    """Where no frames come together a wait saves nothing, and somebody waits for an answer."""
    flusher, outbox, connection = filled(0)
    other = bare("c2", Lines())
    outbox.offer([other], "hello")
    flusher.end_of_turn(more=True)

    assert [pipe_of(each).writes for each in (connection, other)] == [[b"hello\n"], [b"hello\n"]]


async def test_turns_are_not_gathered_for_ever() -> None:
    """A publisher that never stops does not keep its first message from leaving."""
    flusher, outbox, connection = filled(0)
    outbox.offer([connection], "again")
    while not pipe_of(connection).writes:
        flusher.end_of_turn(more=True)

    assert pipe_of(connection).writes == [b"hello\nagain\n"]


async def test_what_is_gathered_leaves_even_if_no_turn_follows() -> None:
    """A turn that fails may not keep messages."""
    flusher, outbox, connection = filled(0)
    outbox.offer([connection], "again")
    flusher.end_of_turn(more=True)

    assert await written_to(connection) == b"hello\nagain\n"


async def test_an_interval_is_waited_for() -> None:
    """With an interval turns join: neither the loop nor the executor writes before it is over."""
    flusher, outbox, connection = filled(0.001)
    flusher.end_of_turn(more=False)
    flusher.end_of_turn(more=True)

    assert pipe_of(connection).writes == []

    outbox.offer([connection], "again")

    assert await written_to(connection) == b"hello\nagain\n"


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
