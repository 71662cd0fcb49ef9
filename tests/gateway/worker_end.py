"""A worker's end of the narrow interface through which the router speaks to links."""

from collections.abc import Callable

from gateway.sink import LinkSink
from gateway.workers import Worker
from gateway_wire.commands import (
    ClientClosed,
    ClientConnected,
    ClientMessage,
    Command,
)
from gateway_wire.errors import LocalProtocolError
from gateway_wire.frames import decode_body

EventCommand = ClientConnected | ClientMessage | ClientClosed


class WorkerEnd:
    """Takes frames, and remembers the commands in them until a test has looked."""

    def __init__(self, last_heard: float = 1000.0) -> None:
        self.last_heard = last_heard
        self.is_open = True
        self.on_command: Callable[[Command], None] = self._remember
        self._commands: list[Command] = []

    def worker(self, name: str = "w", number: int = 0) -> Worker:
        """Give the record of the worker whose end this is."""
        return Worker(name, number, self, LinkSink(self))

    def send_frame(self, frame: bytes) -> None:
        """Take a frame, unless the link has ended."""
        if not self.is_open:
            raise LocalProtocolError("cannot send on a link that is closed")
        command = decode_body(frame[4:]).command
        assert isinstance(command, Command)
        self.on_command(command)

    def told(self) -> list[Command]:
        """Give what came since the last look."""
        told, self._commands = self._commands, []
        return told

    def events(self) -> list[EventCommand]:
        """Give the events among what came since the last look."""
        return [each for each in self.told() if isinstance(each, EventCommand)]

    def messages(self) -> list[str | bytes]:
        """Give the messages of browsers that came since the last look."""
        return [each.message for each in self.told() if isinstance(each, ClientMessage)]

    def _remember(self, command: Command) -> None:
        self._commands.append(command)
