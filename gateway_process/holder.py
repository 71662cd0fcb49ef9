"""Who holds a port: a hint for the message when one is in use.

Linux only, from /proc, best effort: processes of other users do not show their sockets. Only the
process id and its short name are told, never its command line, which may hold secrets.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["holder_of"]

_PROC: Final = Path("/proc")
_LISTEN: Final = "0A"


def holder_of(port: int) -> str | None:
    """Name the process that listens on a TCP port: `python (pid 4711)`, or None if it is not seen."""
    inodes = {f"socket:[{inode}]" for inode in _listening(port)}
    if not inodes:
        return None
    for process in _PROC.glob("[0-9]*"):
        if inodes & set(_links(process / "fd")):
            return f"{_name(process)} (pid {process.name})"
    return None


def _listening(port: int) -> Iterator[str]:
    """Give the inodes of listening sockets on a port; /proc/net/tcp writes it in hex."""
    for table in ("tcp", "tcp6"):
        try:
            rows = (_PROC / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for columns in map(str.split, rows):
            if columns[3] == _LISTEN and columns[1].endswith(f":{port:04X}"):
                yield columns[9]


def _links(folder: Path) -> Iterator[str]:
    with suppress(OSError):  # another user's process, or one that is gone
        for entry in folder.iterdir():
            with suppress(OSError):  # closed meanwhile
                yield str(entry.readlink())


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "a process"
