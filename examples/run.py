"""Run an example with all that it needs, by one command.

    python examples/run.py flask

That is `gateway dev --no-demo` (a register and a gateway, and a worker where the example has events), the web
server that comes with its framework, and what consumes where that is a program of its own. Ctrl-C ends all of them.
In production each is a service.
"""

import argparse
import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple, cast


class Example(NamedTuple):
    """Command lines after `python`, run in the example's folder."""

    server: str
    cluster: str = ""  # arguments of `gateway dev`: the module that a worker runs, or a route
    consumer: str = ""  # what takes messages from a queue
    first: str = ""  # what runs to its end before the others
    settings: str = ""  # DJANGO_SETTINGS_MODULE


DJANGO = Example(
    "-u manage.py runserver {port} --noreload",
    cluster="board.events",
    first="manage.py migrate --verbosity 0",
    settings="config.settings",
)

EXAMPLES = {  # what stands behind a hyphen is no part of the folder's name
    "chat": Example("-u -m http.server {port} --bind 127.0.0.1 --directory page", cluster="events"),
    "django": DJANGO,
    "django-consumer": DJANGO._replace(
        cluster="--route queue:board", consumer="manage.py consume_board"
    ),
    "fastapi": Example("-m uvicorn app:app --port {port}", cluster="--route queue:chat"),
    "flask": Example("-m flask --app app run --port {port}"),
}


async def run(example: Example, port: int) -> int:
    """Run an example until its web server ends; give its exit code."""
    async with AsyncExitStack() as stack:
        start = stack.enter_async_context
        if example.settings:
            os.environ["DJANGO_SETTINGS_MODULE"] = example.settings
        if example.first:
            await (await start(process(example.first))).wait()
        addresses = await start(daemon(f"gateway dev --no-demo {example.cluster}"))
        os.environ["GATEWAYWORKER_REGISTER"] = addresses["register"]
        os.environ.setdefault("GATEWAY_URL", ":" + addresses["ws"].rpartition(":")[2])
        if example.consumer:
            await start(process(example.consumer))
        server = await start(process(example.server.format(port=port)))
        return await server.wait()


@asynccontextmanager
async def process(command: str, *, stdout: int | None = None) -> AsyncIterator[Process]:
    """Run `python COMMAND` for the length of a block."""
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, *command.split()),
        stdout=stdout,
        start_new_session=True,  # Ctrl-C is for this process, which ends the others in their order
    )
    try:
        yield started
    finally:
        with suppress(ProcessLookupError):  # it has ended by itself
            started.terminate()
        await started.wait()


@asynccontextmanager
async def daemon(command: str) -> AsyncIterator[dict[str, str]]:
    """Run a daemon for the length of a block; give the addresses of its ready line."""
    async with process(f"-P -m {command}", stdout=PIPE) as started:
        lines = cast("asyncio.StreamReader", started.stdout)
        line = echo(await lines.readline())
        while not line.startswith("ready "):
            if not line:
                sys.exit(await started.wait())  # it has said why
            line = echo(await lines.readline())
        echoing = asyncio.create_task(echo_all(lines))
        yield dict(pair.split("=", 1) for pair in line.split()[2:])
    await echoing


async def echo_all(lines: asyncio.StreamReader) -> None:
    """Print what a daemon says later."""
    async for line in lines:
        echo(line)


def echo(line: bytes) -> str:
    """Print a line, and give it."""
    text = line.decode()
    print(text, end="", flush=True)
    return text


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("example", choices=EXAMPLES)
    parser.add_argument("--port", type=int, default=8000, help="of the web server; 0: any free")
    arguments = parser.parse_args()
    os.chdir(Path(__file__).parent / arguments.example.partition("-")[0])
    for name in {"SIGTERM", "SIGHUP"} & {*dir(signal)}:  # they end it as Ctrl-C does
        signal.signal(getattr(signal, name), signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        sys.exit(asyncio.run(run(EXAMPLES[arguments.example], arguments.port)))


if __name__ == "__main__":
    main()
