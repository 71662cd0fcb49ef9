"""How a server of Python is told what to broadcast: one message a line on stdin.

An empty line asks for `done` once all before it were handed to the library. The server ends with its
stdin.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["obey"]


async def obey(port: int, broadcast: Callable[[bytes], Awaitable[None]]) -> None:
    """Say which port is open, then broadcast line by line."""
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    print(f"ready port={port}", flush=True)
    async for line in lines:
        text = line.rstrip(b"\n")
        if text:
            await broadcast(text)
        else:
            print("done", flush=True)
