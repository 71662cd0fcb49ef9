"""Memory of the kernel that no process owns: what it keeps for sockets, among all else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

__all__ = ["kernel_bytes"]

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def kernel_bytes() -> int:
    """Return the kernel's objects (`Slab` of meminfo) and what lies in TCP's buffers (sockstat).

    Both are of the whole machine: only differences over a short time mean something.
    """
    return _of_objects() + _of_buffers()


def _of_objects() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("Slab:"):
            return int(line.split()[1]) * 1024
    return 0


def _of_buffers() -> int:
    for line in Path("/proc/net/sockstat").read_text().splitlines():
        if line.startswith("TCP:"):
            words = line.split()
            return int(words[words.index("mem") + 1]) * _PAGE
    return 0
