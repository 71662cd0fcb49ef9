"""Business workers for tests: real processes, the applications they run, and what gateways counted.

An application under test tells what happens in it by notes in a file (`note`, read by `Journal`), and
stands still where the test wants it to (`stand_still`, until `Journal.let_go`): a named pipe blocks its
reader until somebody has opened and closed it for writing, so neither side ever polls or sleeps.
"""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import psutil

from tests.support.cluster import get_text
from tests.support.daemons import Daemon
from tests.support.waiting import eventually

ROOT: Final = Path(__file__).parents[2]
"""The folder that applications under test are imported from, as `tests.workers.apps.echo`."""
APPS: Final = "tests.workers.apps"

_FOLDER: Final = "JOURNAL"
"""The variable that tells an application where its notes go."""


def worker(
    registers: Daemon | str,
    target: str,
    *flags: str,
    environment: Mapping[str, str] | None = None,
) -> Daemon:
    """Give a business worker with one of `tests/workers/apps`, not yet started."""
    address = registers if isinstance(registers, str) else registers.ready.listen
    return Daemon(
        "businessworker",
        "start",
        f"{APPS}.{target}",
        f"--app-dir={ROOT}",
        f"--register={address}",
        *flags,
        environment=environment,
    )


class Journal:
    """What applications noted, and where they may be stopped and let go.

    Args:
        folder: An empty folder of the test.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.environment: Final = {_FOLDER: str(folder)}

    def notes(self, what: str, **like: Any) -> list[dict[str, Any]]:
        """Give the notes of one kind with these values, in their order."""
        file = self._folder / "notes"
        lines = file.read_text().splitlines() if file.exists() else []
        found = [json.loads(line) for line in lines]
        return [each for each in found if each["what"] == what and like.items() <= each.items()]

    def wait(self, what: str, count: int = 1, **like: Any) -> list[dict[str, Any]]:
        """Wait until there are so many of them."""
        eventually(lambda: len(self.notes(what, **like)) >= count)
        return self.notes(what, **like)

    def latch(self, name: str) -> str:
        """Make a place where handlers stand still; give its name."""
        os.mkfifo(self._folder / name)
        return name

    def let_go(self, name: str) -> None:
        """Let a handler go on that stands still there, waiting until one does."""
        (self._folder / name).write_bytes(b"")


# For applications.


def note(what: str, **more: Any) -> None:
    """Note that something has happened; from any thread and process."""
    line = json.dumps({"what": what, "pid": os.getpid(), **more}) + "\n"
    file = os.open(
        Path(os.environ[_FOLDER], "notes"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600
    )
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)


def stand_still(name: str) -> None:
    """Block the thread until the test lets go."""
    Path(os.environ[_FOLDER], name).read_bytes()


# What gateways counted.


class Events(NamedTuple):
    """What became of events, over all processes of some gateways."""

    entered: int
    acknowledged: int
    lost: int
    unacknowledged: int
    held: int

    @property
    def is_settled(self) -> bool:
        """Whether nothing is on its way."""
        return not self.unacknowledged and not self.held

    def since(self, before: "Events") -> "Events":
        """Give what came after an earlier look."""
        return Events(*(now - then for now, then in zip(self, before, strict=True)))


def events_of(*gateways: Daemon) -> Events:
    """Look at the events of gateways; the books must balance."""
    names = ("", "_acknowledged", "_lost", "_unacknowledged", "_held")
    totals = ("_total", "_total", "_total", "", "")
    pages = [metrics(address) for each in gateways for address in each.ready.http.split(",")]
    events = Events(
        *(
            int(sum(page.get(f"gatewayworker_gateway_events{name}{total}", 0) for page in pages))
            for name, total in zip(names, totals, strict=True)
        )
    )
    assert events.entered == sum(events[1:]), events
    return events


def settled_events(*gateways: Daemon) -> Events:
    """Wait until nothing is on its way, and give what became of everything."""

    def look() -> Events:
        events = events_of(*gateways)
        assert events.is_settled, events
        return events

    return eventually(look)


def metric(gateway: Daemon, name: str) -> int:
    """Read a number of a gateway, added up over its processes, and over its labels unless one is named."""
    addresses = gateway.ready.http.split(",")
    return int(sum(metrics(each)[f"gatewayworker_gateway_{name}"] for each in addresses))


def metrics(address: str) -> dict[str, float]:
    """Read a metrics page: every line's number, and sums where there are labels."""
    values: dict[str, float] = {}
    for line in get_text(address, "/metrics").splitlines():
        if not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            values[name] = float(value)
            bare, brace, _ = name.partition("{")
            if brace:
                values[bare] = values.get(bare, 0.0) + float(value)
    return values


def resident(pid: int) -> int:
    """Give the resident bytes of a process."""
    return int(psutil.Process(pid).memory_info().rss)


def time_passes(seconds: float) -> None:
    """Wait for the clock alone: for what is to be true after some time, whatever happens."""
    end = time.monotonic() + seconds
    eventually(lambda: time.monotonic() >= end, timeout=seconds + 1)
