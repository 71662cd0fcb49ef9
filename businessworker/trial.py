"""A trial: an application is imported, to say whether its handlers can be used, and nothing else.

Importing runs the application's code, so it is done in a process of its own, which is ended as soon as it
has answered or its time is over: whatever the code does, it cannot hurt who asks. The answer is one line
of JSON on standard output; what the application itself prints goes nowhere.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from businessworker.events import load_events
from gateway_process.errors import StartupError

__all__ = ["Trial", "try_events"]

TIME: Final = 30.0
"""Seconds that an import may take: a large application takes a few."""
LONGEST: Final = 4000
"""Characters of a message that are told; an exception may hold a whole page."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it.

    Attributes:
        handlers: The names of the handlers that were found.
        problem: What is wrong, with the remedy; empty if nothing is.
    """

    handlers: tuple[str, ...] = ()
    problem: str = ""


async def try_events(target: str, app_dir: Path, time: float = TIME) -> Trial:
    """Import an application in another process.

    Args:
        target: `MODULE[:EVENTS]`.
        app_dir: The folder to look in first.
        time: Seconds that it may take.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", __name__, target, str(app_dir)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None  # noqa: S101 -- asked for above
    try:
        async with asyncio.timeout(time):
            line = await process.stdout.readline()
            if not line:
                return Trial(problem=_ended(target, await process.wait()))
    except TimeoutError:
        return Trial(problem=f"{target} was not imported within {time:g} s; what does it wait for?")
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    said = json.loads(line)
    return Trial(tuple(said["handlers"]), said["problem"])


def _ended(target: str, code: int) -> str:
    how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    return f"the process {how} while it imported {target}"


def _try(target: str, app_dir: Path) -> Trial:
    try:
        events = load_events(target, app_dir)
    except StartupError as error:
        return Trial(problem=str(error)[:LONGEST])
    return Trial(tuple(handler.name for handler in events.handlers))


def _main() -> None:
    answers = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    trial = _try(sys.argv[1], Path(sys.argv[2]))
    os.write(answers, json.dumps(asdict(trial)).encode() + b"\n")


if __name__ == "__main__":
    _main()
