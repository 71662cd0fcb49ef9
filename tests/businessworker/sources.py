"""A gateway at the other end of a link that was never there: what a dispatcher does to its source."""

from collections.abc import Callable
from typing import Any, NamedTuple

from gateway_wire.commands import Command, Error, PatchSession
from gateway_wire.frames import decode_body


class Sent(NamedTuple):
    """A command that a handler sent."""

    command: Command


class Acknowledged(NamedTuple):
    """A batch of finished events."""

    event_ids: list[int]


class Patched(NamedTuple):
    """A session patch, and how to answer it."""

    patch: PatchSession
    settled: Callable[[Error | None], None]


class RecordingSource:
    """Keeps, in order, all that left towards one gateway.

    Attributes:
        record: What was sent, patched and acknowledged.
    """

    def __init__(self, name: str = "10.0.0.1:2900") -> None:
        self.name = name
        self.gateway_addr = name.partition(":")[0]
        self.record: list[Sent | Acknowledged | Patched] = []

    def acknowledge(self, event_ids: list[int]) -> None:
        """Keep a batch."""
        self.record.append(Acknowledged(list(event_ids)))

    def send_frame(self, frame: bytes) -> None:
        """Keep a command."""
        command: Any = decode_body(frame[4:]).command
        self.record.append(Sent(command))

    def patch_session(self, patch: PatchSession, settled: Callable[[Error | None], None]) -> None:
        """Keep a patch; it stays unsettled until the test says otherwise."""
        self.record.append(Patched(patch, settled))

    @property
    def acknowledged(self) -> list[int]:
        """The events that are finished, in order."""
        batches = [each.event_ids for each in self.record if isinstance(each, Acknowledged)]
        return [event_id for batch in batches for event_id in batch]

    @property
    def sent(self) -> list[Any]:
        """The commands, in order."""
        return [each.command for each in self.record if isinstance(each, Sent)]

    @property
    def patched(self) -> list[Patched]:
        """The patches, in order."""
        return [each for each in self.record if isinstance(each, Patched)]
