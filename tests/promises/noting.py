"""Consumer processes that note each message before it is acknowledged, and what their notes say.

    python -P -m tests.promises.noting KIND REGISTER FILE      consumes until SIGTERM

A note is a line of fixed length, written at once, so that it outlives `kill -9` and files tell by their size
how many there are. Times are those of the machine's one clock, so notes of several files have one order.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections import defaultdict
from itertools import count
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway_client import AsyncGatewayClient, GatewayClient
from tests.support.daemons import Daemon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway_client.queue_message import BaseMessage

KINDS: Final = ("async", "async manual", "blocking", "blocking manual")
"""How a consumer consumes."""
TOPIC: Final = "chat"
PREFETCH: Final = 50
"""How many messages of each gateway a consumer has at most."""

SOON: Final = 100
"""Messages that one has before it dies soon: far fewer than its share of those that come."""

_ROOT: Final = Path(__file__).parents[2]
_NOTE: Final = "{:020d} {:06d} {:06d} {:02d}\n"
_LENGTH: Final = len(_NOTE.format(0, 0, 0, 0))


class Note(NamedTuple):
    """One message that a consumer had.

    Attributes:
        when: Nanoseconds.
        sender: The number of the connection that sent it.
        number: Its number among those of the connection.
        tries: As the message says.
        consumer: Who had it.
    """

    when: int
    sender: int
    number: int
    tries: int
    consumer: Consumer


class Consumer(Daemon):
    """A consumer process.

    Args:
        kind: How it consumes.
        register: The register's address.
        file: Where it notes.
    """

    def __init__(self, kind: str, register: str, file: Path) -> None:
        path = {"PYTHONPATH": str(_ROOT)}
        super().__init__(__spec__.name, kind, register, str(file), environment=path)
        self._file = file
        file.touch()

    @property
    def count(self) -> int:
        """How many messages it has noted."""
        return self._file.stat().st_size // _LENGTH

    def die_soon(self) -> None:
        """Have it killed some messages later, between a note and the acknowledgement."""
        self.send_signal(signal.SIGUSR1)

    def notes(self) -> list[Note]:
        """Give what it has noted."""
        notes = []
        for line in self._file.read_text().splitlines():
            when, sender, number, tries = map(int, line.split())
            notes.append(Note(when, sender, number, tries, self))
        return notes


_when: Final = attrgetter("when")


def by_sender(consumers: Iterable[Consumer]) -> dict[int, list[Note]]:
    """Give all notes by the connection that they are about, in the order of their times."""
    found: defaultdict[int, list[Note]] = defaultdict(list)
    for note in sorted((note for each in consumers for note in each.notes()), key=_when):
        found[note.sender].append(note)
    return found


# In the process.


def _noter(file: str) -> Callable[[BaseMessage], None]:
    fd = os.open(file, os.O_WRONLY | os.O_APPEND)
    last_words = count(SOON, -1)
    dying: list[int] = []
    signal.signal(signal.SIGUSR1, lambda number, _: dying.append(number))

    def note(message: BaseMessage) -> None:
        sender, number = map(int, message.data["frame"]["data"].split())
        assert message.redelivered == (message.tries > 1)
        line = _NOTE.format(time.monotonic_ns(), sender, number, message.tries)
        os.write(fd, line.encode())
        if dying and not next(last_words):
            os.kill(os.getpid(), signal.SIGKILL)

    return note


def _say_ready() -> None:
    print("ready consumer", flush=True)  # noqa: T201 - what `Daemon` waits for


async def _consume_async(
    register: str, note: Callable[[BaseMessage], None], *, manual: bool
) -> None:
    async with AsyncGatewayClient(register) as client:
        consumer = client.consume(TOPIC, prefetch=PREFETCH, manual_ack=manual)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, consumer.close)
        _say_ready()
        async for message in consumer:
            note(message)
            if manual:
                assert await message.ack() or message.is_settled


def _consume(register: str, note: Callable[[BaseMessage], None], *, manual: bool) -> None:
    with GatewayClient(register) as client:
        consumer = client.consume(TOPIC, prefetch=PREFETCH, manual_ack=manual)
        signal.signal(signal.SIGTERM, lambda *_: consumer.close())
        _say_ready()
        for message in consumer:
            note(message)
            if manual:
                assert message.ack() or message.is_settled


def _main(kind: str, register: str, file: str) -> None:
    way, _, manual = kind.partition(" ")
    note = _noter(file)
    if way == "async":
        asyncio.run(_consume_async(register, note, manual=bool(manual)))
    else:
        _consume(register, note, manual=bool(manual))


if __name__ == "__main__":
    _main(*sys.argv[1:])
