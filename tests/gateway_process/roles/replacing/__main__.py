"""Supervises a probe whose successor, at a reload, starts for ever."""

import os
from dataclasses import replace
from typing import NoReturn

from probe.role import ProbeSettings, sockets_of  # type: ignore[import-not-found]  # by PYTHONPATH

from gateway_process.daemon import ready_line, run
from gateway_process.program import say
from gateway_process.settings import Reloaded
from gateway_process.signals import listen
from gateway_process.supervisor import Child, Supervisor

SETTINGS = ProbeSettings()
CHILD = Child("probe", "probe", SETTINGS, sockets_of(SETTINGS)[0], replaces=True)


def reread() -> Reloaded:
    """Read settings with which no process becomes ready."""
    CHILD.settings = replace(SETTINGS, fault="wait")
    return Reloaded(None, ("fault",), ())


SUPERVISOR = Supervisor(
    [CHILD],
    announce=lambda addresses: say(ready_line("replacing", addresses, os.getpid())),
    reread=reread,
)


def end_now() -> NoReturn:
    """Cut the stop short."""
    SUPERVISOR.kill()
    os._exit(1)


async def live() -> None:
    """Run until a signal ends it."""
    listen(SUPERVISOR.order, end_now)
    await SUPERVISOR.live()


if __name__ == "__main__":
    run(live())
