import json
import logging
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from gateway_process.errors import StartupError
from gateway_process.logs import (
    JsonFormatter,
    LogFormat,
    LogLevel,
    TextFormatter,
    reopen,
    set_level,
    set_up,
)

logger = logging.getLogger("gateway.test")


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)


def record(**extra: object) -> logging.LogRecord:
    """Make a record with extra fields."""
    return logger.makeRecord(
        logger.name, logging.INFO, "", 0, "%s is up", ("a",), None, extra=extra
    )


def test_text_line_shows_time_level_logger_and_extra_fields() -> None:
    """A text line is for eyes: local time with offset, level, logger, message, fields."""
    each = record(client_id="c1")
    time, rest = TextFormatter().format(each).split(" INFO ")
    assert datetime.fromisoformat(time).utcoffset() is not None
    assert rest == f"gateway.test[{each.process}] a is up client_id=c1"


def test_words_of_a_peer_stay_within_their_line() -> None:
    """Control characters in message and fields are written out; a traceback keeps its lines."""
    each = record(client_id="c\r1")
    each.msg, each.args = "%s says: é\x1b[31m", ("x\n2026 ERROR",)
    try:
        int("no")
    except ValueError:
        each.exc_info = sys.exc_info()
    first, *rest = TextFormatter().format(each).splitlines()
    assert first.endswith(r"x\n2026 ERROR says: é\x1b[31m client_id=c\r1")
    assert rest[0] == "Traceback (most recent call last):"


def test_json_line_holds_everything() -> None:
    """A JSON line has time, level, logger, pid, message, fields and the exception."""
    each = record(client_id="c1", path=Path("/x"))
    try:
        int("no")
    except ValueError:
        each.exc_info = sys.exc_info()
    line = json.loads(JsonFormatter().format(each))
    assert datetime.fromisoformat(line.pop("time")).utcoffset() is not None
    assert line.pop("exception").endswith("literal for int() with base 10: 'no'")
    assert line == {
        "level": "info", "logger": "gateway.test", "pid": each.process,
        "message": "a is up", "client_id": "c1", "path": "/x",
    }  # fmt: skip


def test_fields_cannot_replace_what_every_json_line_has() -> None:
    """An extra field named like a standard one does not hide it."""
    assert json.loads(JsonFormatter().format(record(level="fatal")))["level"] == "info"


def test_level_holds_and_can_be_changed(tmp_path: Path) -> None:
    """Lines below the level are not written; a reload may change it."""
    file = tmp_path / "log"
    set_up(LogLevel.WARNING, LogFormat.TEXT, file)
    logger.info("one")
    set_level(LogLevel.DEBUG)
    logger.debug("two")
    assert [line.rsplit(" ", 1)[1] for line in file.read_text().splitlines()] == ["two"]


def test_reopen_follows_logrotate(tmp_path: Path) -> None:
    """After the file was moved away and `reopen`, lines go to a new file of the old name."""
    file = tmp_path / "log"
    set_up(LogLevel.INFO, LogFormat.JSON, file)
    logger.info("one")
    file.rename(tmp_path / "log.1")
    logger.info("two")
    reopen()
    logger.info("three")
    assert len((tmp_path / "log.1").read_text().splitlines()) == 2
    assert json.loads(file.read_text())["message"] == "three"


def test_reopen_that_fails_goes_on_with_the_old_file(tmp_path: Path) -> None:
    """A folder that has gone costs no line."""
    folder = tmp_path / "a"
    folder.mkdir()
    set_up(LogLevel.INFO, LogFormat.TEXT, folder / "log")
    folder.rename(tmp_path / "b")
    reopen()
    logger.info("still here")
    assert "still here" in (tmp_path / "b" / "log").read_text()


def test_set_up_without_file_writes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard error is the default; standard output belongs to the ready line."""
    set_up(LogLevel.INFO, LogFormat.TEXT, None)
    logger.info("one")
    out, err = capsys.readouterr()
    assert (out, err.endswith("one\n")) == ("", True)


def test_log_file_that_cannot_be_opened_is_a_startup_error(tmp_path: Path) -> None:
    """The message names the file and the remedy."""
    with pytest.raises(StartupError, match=r"cannot be opened \(No such file.*--log-file"):
        set_up(LogLevel.INFO, LogFormat.TEXT, tmp_path / "nowhere" / "log")
