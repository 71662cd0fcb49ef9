"""Logging of a daemon: where lines go, how they look, and reopening the file after logrotate.

One logger per package (`logging.getLogger("gateway")`, `"gateway.edge"`, ...), set up once per
process by `set_up`. What each level is for:

    ERROR    needs an administrator: a child crashed, a secret does not match, a stop was cut short
    WARNING  will need one: a low limit, a setting that needs a restart, an unknown variable
    INFO     start and stop; peers (registers, gateways, workers) come and go
    DEBUG    connections and frames; tracebacks of start-up failures; nothing above it is per message

`logger.info("...", extra={"client_id": id})` puts fields beside the message: behind it as
`key=value` in text, as members of the object in JSON. Secrets print as `***` (see `secret`).
"""

import json
import logging
import os
import sys
from contextlib import suppress
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, Final

from gateway_process.errors import StartupError

__all__ = [
    "JsonFormatter",
    "LogFormat",
    "LogLevel",
    "TextFormatter",
    "reopen",
    "set_level",
    "set_up",
]


class LogLevel(Enum):
    """The lowest level that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(Enum):
    """How a line looks."""

    TEXT = "text"
    JSON = "json"


_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}


def _time(record: logging.LogRecord) -> datetime:
    """Give the local time with its offset: readable beside other logs, and never ambiguous."""
    return datetime.fromtimestamp(record.created).astimezone()


_ESCAPES: Final = {code: repr(chr(code))[1:-1] for code in (*range(32), *range(127, 160))}
"""A peer's words stand in some messages: they must not look like lines of their own, nor steer a
terminal."""


class TextFormatter(logging.Formatter):
    """`2026-08-22 12:00:00.123+02:00 INFO gateway[4711] message key=value`."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 -- logging's name
        """Give the line without a traceback, which `Formatter.format` adds below it."""
        time = _time(record).isoformat(" ", timespec="milliseconds")
        fields = "".join(f" {key}={value}" for key, value in _extra(record).items())
        name = f"{record.name}[{record.process}]"
        line = f"{time} {record.levelname} {name} {record.message}{fields}"
        return line.translate(_ESCAPES)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, pid, message, extra fields, exception."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the object; a value JSON does not know is written as its text."""
        line: dict[str, Any] = {
            "time": _time(record).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "pid": record.process,
            "message": record.getMessage(),
        }
        line |= {key: value for key, value in _extra(record).items() if key not in line}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


class _LogFile(logging.FileHandler):
    """A log file that can be opened anew under its name."""

    def reopen(self) -> None:
        """Open the file again, if that fails go on with the old one.

        Of `start -d` standard output and error go to the same file, and so move with it.
        """
        new = self._open()
        old = self.setStream(new)
        if old is None:
            return
        for fd in (1, 2):
            with suppress(OSError):  # closed
                if os.path.sameopenfile(fd, old.fileno()):
                    os.dup2(new.fileno(), fd)
        old.close()


def set_up(level: LogLevel, style: LogFormat, file: Path | None) -> None:
    """Send every logger's lines to standard error or a file; replaces an earlier set-up.

    Args:
        level: the lowest level written.
        style: text or JSON.
        file: appended to; None is standard error.

    Raises:
        StartupError: the file cannot be opened.
    """
    handler = logging.StreamHandler(sys.stderr) if file is None else _opened(file)
    handler.setFormatter(TextFormatter() if style is LogFormat.TEXT else JsonFormatter())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    set_level(level)


def _opened(file: Path) -> _LogFile:
    try:
        return _LogFile(file, encoding="utf-8")
    except OSError as error:
        remedy = "create its folder, or choose another file with --log-file"
        raise StartupError(
            f"log file {file} cannot be opened ({error.strerror}); {remedy}"
        ) from error


def set_level(level: LogLevel) -> None:
    """Change the lowest level written."""
    logging.getLogger().setLevel(level.name)


def reopen() -> None:
    """Open the log file anew, so that logrotate can move the old one away; stderr stays."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, _LogFile):
            try:
                handler.reopen()
            except OSError:
                logging.getLogger(__package__).exception("log file cannot be reopened")
