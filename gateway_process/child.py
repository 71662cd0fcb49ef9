"""A child of the supervisor: one role of one program, with what it inherited.

A child is started as `python -P -m PACKAGE start --inherited-fd=N`, N being its end of the
channel. Settings and sockets come over it, orders and questions too. Signals reach the whole process group
(Ctrl-C, systemd), so a child takes none as an order: the supervisor gets them too, knows who has to
stop before whom, and alone cuts a stop short. A child dies with its supervisor, whatever state either
is in.
"""

import asyncio
import ctypes
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from gateway_process import collector, daemon, logs
from gateway_process.channel import Channel, ChannelFull, Message
from gateway_process.errors import ExitCode, ProcessError
from gateway_process.inspection import ConnectionQuery
from gateway_process.settings import Reloaded, restore
from gateway_process.shared import SharedSettings
from gateway_process.signals import Order, listen

if TYPE_CHECKING:
    from gateway_process.program import Program

__all__ = ["CONNECTIONS", "WORK", "command_line", "inherited_fd", "run_child"]

logger = logging.getLogger(__package__)

S = TypeVar("S", bound=SharedSettings)
WORK: Final = "work"
"""The question for `Daemon.work`."""
CONNECTIONS: Final = "connections"
"""The question for `Daemon.page`; its arguments are those of a `ConnectionQuery`."""
FAREWELL_TIME: Final = 1.0
"""Seconds that the supervisor has to read why a process failed."""

_FLAG: Final = "--inherited-fd="
_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h


def command_line(package: str, fd: int) -> list[str]:
    """Give the command that starts a child of a package, with its end of the channel."""
    return [sys.executable, "-P", "-m", package, "start", f"{_FLAG}{fd}"]


def inherited_fd(args: Sequence[str]) -> int | None:
    """Give the channel's descriptor when the arguments are those of a child."""
    if len(args) == 2 and args[0] == "start" and args[1].startswith(_FLAG):  # as in command_line
        return int(args[1].removeprefix(_FLAG))
    return None


def run_child(program: "Program[S]", fd: int) -> ExitCode:
    """Run a role with what its supervisor hands over, to its end.

    Args:
        program: what to run.
        fd: the child's end of the channel.

    Returns:
        The exit code; the message of a failure has gone to the supervisor.
    """
    channel = Channel(_inherited(fd))
    start = channel.receive()
    if start is None:
        return ExitCode.FAILED
    _die_with(start["parent"])

    def tell(error: ProcessError) -> None:
        with suppress(OSError):  # nobody is there to be told
            channel.send_last({"failed": str(error)}, FAREWELL_TIME)

    try:
        daemon.run(_live(program, channel, start), tell=tell)
    except ProcessError as error:
        return error.exit_code
    return ExitCode.OK


async def _live(program: "Program[S]", channel: Channel, start: Message) -> None:
    handed = [restore(program.settings, start["settings"])]
    settings = handed[0]
    logs.set_up(settings.log_level, settings.log_format, settings.log_file)

    def announce(addresses: daemon.Addresses) -> None:
        collector.calm()
        channel.send({"ready": _plain(addresses)})

    role = daemon.Daemon(
        settings,
        program.role,
        name=program.name,
        sockets={kind: [_inherited(fd) for fd in fds] for kind, fds in start["sockets"].items()},
        number=start["number"],
        restarts=start["restarts"],
        announce=announce,
        reread=lambda: handed[-1],
    )

    async def obey() -> None:
        async for message in channel.messages():
            if "question" in message:
                _answer(channel, role, message)
                continue
            order = Order(message["order"])
            if order is not Order.RELOAD:
                role.order(order)
                continue
            handed[:] = [restore(program.settings, message["settings"])]
            tell = partial(_tell_reload, channel, message.get("ask"))
            role.ask_for_reload().add_done_callback(tell)
        os._exit(ExitCode.FAILED)  # the supervisor is gone, and its sockets and logs with it

    listen(lambda _: None, end_now=lambda: None)
    orders = asyncio.create_task(obey())
    try:
        await role.live()
    finally:
        orders.cancel()


def _answer(channel: Channel, role: daemon.Daemon[Any], message: Message) -> None:
    """Answer a question; one that cannot be answered costs nothing else."""
    answer: Message = {"answer": message["ask"]}
    try:
        answer["value"] = _value(role, message["question"], message["arguments"])
    except ValueError as error:
        answer["refused"] = str(error)
    except Exception as error:
        logger.exception("cannot tell %s", message["question"])
        answer["refused"] = f"{type(error).__name__}: {error}"
    with suppress(ChannelFull):
        channel.send(answer)


def _tell_reload(channel: Channel, number: int | None, asked: asyncio.Future[Reloaded]) -> None:
    """Say how a reload went, if that was asked."""
    if number is None or asked.cancelled():
        return
    error = asked.exception()
    outcome: Message = {"value": None} if error is None else {"refused": str(error)}
    with suppress(OSError):  # the supervisor is gone, or does not read
        channel.send({"answer": number, **outcome})


def _value(role: daemon.Daemon[Any], question: str, arguments: Message) -> Message | None:
    match question:
        case "work":
            work = role.work()
            return None if work is None else asdict(work)
        case "connections":
            return asdict(role.page(ConnectionQuery(**arguments)))
        case _:
            raise ValueError(f"{question}: no such question")


def _inherited(fd: int) -> socket.socket:
    """Take over a socket; what this process starts in turn must not hold it open."""
    sock = socket.socket(fileno=fd)
    os.set_inheritable(fd, False)  # noqa: FBT003 -- its only form
    sock.settimeout(0)
    return sock


def _plain(addresses: daemon.Addresses) -> dict[str, Any]:
    return {kind: each if isinstance(each, str) else list(each) for kind, each in addresses.items()}


def _die_with(parent: int) -> None:
    """Have the kernel end this process with its supervisor, even when the loop is stuck.

    Elsewhere than on Linux the end of the channel does it, once the loop turns.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(ExitCode.FAILED)
