import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gateway_process.daemon import Addresses, Context, Sockets
from gateway_process.errors import RunError, SettingsError, StartupError
from gateway_process.inspection import ConnectionPage, ConnectionQuery, Work, page_of
from gateway_process.program import Program
from gateway_process.settings import setting
from gateway_process.shared import MemberSettings
from gateway_process.sockets import address_of, bind
from gateway_wire.addresses import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSettings(MemberSettings):
    listen: Address = setting(Address("127.0.0.1", 0), "Where it answers.", held=True)
    processes: int = setting(1, "How many processes.", minimum=1, held=True)
    greeting: str = setting("hello", "What it answers to greet.", hot=True)
    fault: str = setting("", "How it fails.")
    cold: str = setting("", "Needs a restart.")

    def __post_init__(self) -> None:
        if self.greeting == self.cold:
            raise SettingsError("cold", "equals the greeting", "give another text", value=self.cold)


def say(*words: str) -> None:
    """Write a line a test waits for."""
    with suppress(BrokenPipeError):
        os.write(1, f"{' '.join(words)}\n".encode())


class Probe:
    def __init__(self, settings: ProbeSettings, context: Context) -> None:
        self.settings = settings
        self.context = context
        self.server: asyncio.Server | None = None
        self.open: set[asyncio.StreamWriter] = set()
        self.empty = asyncio.Event()

    async def start(self) -> Addresses:
        match self.settings.fault:
            case "refuse":
                raise StartupError("no register at 127.0.0.1:9; start one")
            case "bug":
                raise KeyError("oops")
            case "die":
                os._exit(9)
            case "wait":
                say("waiting")
                await asyncio.Event().wait()
            case fault if fault.startswith("hold "):
                while not Path(fault.removeprefix("hold ")).exists():  # noqa: ASYNC110, ASYNC240
                    await asyncio.sleep(0.02)
            case _:
                pass
        (sock,) = self.context.sockets["probe"]
        self.server = await asyncio.start_server(self.answer, sock=sock)
        return {"probe": str(address_of(sock)), "number": str(self.context.number)}

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open.add(writer)
        while line := await reader.readline():
            writer.write(self.reply(line.decode().strip()).encode() + b"\n")
        writer.close()
        self.open.discard(writer)
        if not self.open:
            self.empty.set()

    def reply(self, word: str) -> str:
        match word:
            case "crash":
                os._exit(7)
            case "fail":
                self.context.fail(RunError("the key was refused; check --secret-key-file"))
            case "greet":
                return self.settings.greeting
            case "secret":
                return self.settings.secret_key.reveal()
            case "limit":
                import resource

                return str(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
            case "stick":
                asyncio.get_running_loop().call_soon(time.sleep, 600)
            case "loop":
                return type(asyncio.get_running_loop()).__module__
            case _:
                pass
        return str(os.getpid())

    async def reload(self, settings: ProbeSettings) -> None:
        if settings.greeting == "bad":
            raise RunError("greeting: bad; give another")
        self.settings = settings
        say("reloaded", settings.greeting)

    async def drain(self) -> None:
        say("draining")
        if self.open:
            await self.empty.wait()

    async def stop(self) -> None:
        say("stopping")
        match self.settings.fault:
            case "slow-stop":
                await asyncio.Event().wait()
            case "stuck-stop":
                time.sleep(600)  # noqa: ASYNC251 -- the fault: a loop that is stuck
            case _:
                pass
        if self.server is not None:
            self.server.close()
        for writer in self.open:
            writer.close()

    def work(self) -> Work:
        if self.settings.fault == "mute":
            raise ValueError("no work to tell")
        return Work(connections=len(self.open), messages_in=self.context.restarts)

    def connections(self, query: ConnectionQuery) -> ConnectionPage:
        if query.after == "wrong":
            raise ValueError("after: 'wrong' is no page of a probe")
        return page_of(self.rows(query.address or ""), query)

    def rows(self, address: str) -> Iterator[tuple[str, dict[str, str]]]:
        for writer in self.open:
            peer = str(Address(*writer.get_extra_info("peername")))
            if peer.startswith(address):
                yield peer, {"address": peer}


def sockets_of(settings: ProbeSettings) -> Sequence[Sockets]:
    """Bind one socket for each process."""
    opened = bind(settings.listen, "--listen", count=settings.processes)
    return [{"probe": [sock]} for sock in opened]


PROBE = Program(name="probe", package="probe", settings=ProbeSettings, bind=sockets_of, role=Probe)
