"""What `status` and `connections` show: rates from two samples, tables of text, objects for programs.

Pure: samples in, lines or JSON-ready values out. What a process has counted since its start is told as it
is; rates are differences between two samples of the same process.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import groupby
from shlex import quote
from typing import Any, Final

from gateway_process.inspection import ConnectionPage, ProcessStatus, State, Work
from gateway_process.instance import Instance

__all__ = ["Sample", "connection_lines", "status_lines", "status_object", "table_of"]

HEAD: Final = (
    "role", "#", "pid", "state", "uptime", "memory", "listening", "connections",
    "in/s", "out/s", "failures", "event lag", "restarts",
)  # fmt: skip
NUMBERS: Final = frozenset(HEAD) - {"role", "state", "listening"}
"""Columns that stand to the right."""


@dataclass(frozen=True, slots=True)
class Sample:
    """How an instance was at one moment.

    Attributes:
        at: when, in seconds of a clock that never jumps.
        processes: its processes.
    """

    at: float
    processes: Sequence[ProcessStatus]

    @classmethod
    def read(cls, at: float, processes: Iterable[Mapping[str, Any]]) -> "Sample":
        """Read what an instance answers; what another version says besides is left out."""
        return cls(at, [_process(each) for each in processes])


def _process(said: Mapping[str, Any]) -> ProcessStatus:
    known = _known(ProcessStatus, said)
    work = known.pop("work", None)
    known["state"] = State(known["state"])
    return ProcessStatus(**known, work=None if work is None else Work(**_known(Work, work)))


def _known(kind: type[ProcessStatus | Work], said: Mapping[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in said.items() if name in names}


@dataclass(frozen=True, slots=True)
class _Line:
    """One process with its rates."""

    process: ProcessStatus
    work: Work
    in_rate: float
    out_rate: float


def _lines(before: Sample, now: Sample) -> list[_Line]:
    earlier = {process.pid: process.work for process in before.processes}
    seconds = now.at - before.at
    lines = []
    for process in now.processes:
        work = process.work or Work()
        old = earlier.get(process.pid) or Work()  # of one that has come since, all is new
        in_rate = max(0, work.messages_in - old.messages_in) / seconds
        out_rate = max(0, work.messages_out - old.messages_out) / seconds
        lines.append(_Line(process, work, in_rate, out_rate))
    return lines


# For programs


def status_object(instance: Instance, before: Sample, now: Sample) -> dict[str, Any]:
    """Give everything as one JSON-ready object."""
    processes = []
    for line in _lines(before, now):
        said = asdict(line.process)
        work = said.pop("work")
        rates = {
            "messages_in_per_second": round(line.in_rate, 1),
            "messages_out_per_second": round(line.out_rate, 1),
        }
        processes.append({**said, "answers": work is not None, **asdict(line.work), **rates})
    return {
        "name": instance.name,
        "program": instance.program,
        "pid": instance.pid,
        "since": instance.since,
        "background": instance.background,
        "processes": processes,
    }


# For people


def status_lines(instance: Instance, before: Sample, now: Sample) -> list[str]:
    """Give a heading, the table of processes, and why the last ones ended."""
    lines = _lines(before, now)
    rows = [_row(line) for line in lines]
    if len(rows) > 1:
        rows.append(_summary(lines))
    failures = [
        f"{process.role} #{process.number} failed before: {process.last_failure}"
        for process in now.processes
        if process.last_failure
    ]
    kind = "" if instance.name == instance.program else f"{instance.program} "
    return [f"{kind}{instance}", "", *_table(HEAD, rows, NUMBERS), *failures]


def _row(line: _Line) -> list[str]:
    process, work = line.process, line.work
    counts = (
        [str(work.connections), *_rates([line]), str(work.send_failures), f"{work.event_lag:.1f}s"]
        if process.work is not None
        else ["-"] * 5
    )
    return [
        process.role,
        str(process.number),
        str(process.pid or "-"),
        process.state,
        _span(process.uptime),
        _memory(process.memory),
        _listening(process.listening),
        *counts,
        str(process.restarts),
    ]


def _summary(lines: Sequence[_Line]) -> list[str]:
    works = [line.work for line in lines]
    return [
        "Summary", str(len(lines)), "", "", "",
        _memory(sum(line.process.memory for line in lines)),
        "",
        str(sum(work.connections for work in works)),
        *_rates(lines),
        str(sum(work.send_failures for work in works)),
        f"{max(work.event_lag for work in works):.1f}s",
        str(sum(line.process.restarts for line in lines)),
    ]  # fmt: skip


def _rates(lines: Iterable[_Line]) -> list[str]:
    each = list(lines)
    return [f"{sum(x.in_rate for x in each):.0f}", f"{sum(x.out_rate for x in each):.0f}"]


def _span(seconds: float) -> str:
    """Give `12s`, `3m05s`, `2h03m`, `4d07h`."""
    whole = int(seconds)
    for unit, lower, size, part in (("d", "h", 86_400, 3600), ("h", "m", 3600, 60)):
        if whole >= size:
            return f"{whole // size}{unit}{whole % size // part:02}{lower}"
    return f"{whole // 60}m{whole % 60:02}s" if whole >= 60 else f"{whole}s"


def _memory(size: int) -> str:
    return f"{size / (1 << 20):.1f}M" if size else "-"


def _listening(addresses: Mapping[str, str | Sequence[str]]) -> str:
    listed = (value if isinstance(value, str) else ",".join(value) for value in addresses.values())
    return " ".join(listed) or "-"


def connection_lines(page: ConnectionPage, again: str) -> list[str]:
    """Give a page of connections as a table for each role, and how to get the next page.

    Args:
        page: what was answered.
        again: the command that asked, to which `--after` is added.
    """
    by_role = groupby(page.rows, key=lambda row: row.get("role"))
    tables = [table_of(list(rows)) for _, rows in by_role]
    lines = [line for table in tables for line in ("", *table)][1:] or ["no connections"]
    if page.silent:
        lines += [f"no answer from {', '.join(page.silent)}"]
    return [*lines, f"more: {again} --after {quote(page.next)}"] if page.next else lines


def table_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Give the lines of a table whose columns are the keys; those of numbers stand to the right."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    numbers = {name for name in columns if all(_is_number(row.get(name)) for row in rows)}
    return _table(columns, [[_cell(row.get(name)) for name in columns] for row in rows], numbers)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _cell(value: object) -> str:
    if value is None or value == "":
        return "-"
    text = ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    # A peer's words stand here: they must not steer a terminal.
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _table(
    head: Sequence[str], rows: Sequence[Sequence[str]], numbers: Container[str]
) -> list[str]:
    """Put rows under a head; columns of numbers stand to the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return [
        "  ".join(
            text.rjust(width) if name in numbers else text.ljust(width)
            for text, width, name in zip(line, widths, head, strict=True)
        ).rstrip()
        for line in (head, *rows)
    ]
