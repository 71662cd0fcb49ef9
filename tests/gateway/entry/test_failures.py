"""What is counted and logged when a handler does not end well."""

import asyncio
import logging

import pytest

from gateway.entry.call import Call
from gateway.entry.failures import EntryCounters, Failure, report, report_blocked
from gateway.entry.limit import TookTooLong
from gateway.entry.module import Handler
from gateway.entry.waiting import ClientGone, ValueMissing
from tests.gateway.entry.support import Gate, gate

pytestmark = pytest.mark.timeout(60, method="thread")


def on_message(conn: object, message: str) -> None:
    """Do nothing."""


def call_in(entry: Gate) -> Call:
    """Give a call that has not begun."""
    handler = Handler(on_message, "on_message of app")
    return Call(handler, entry.connect(), "secret", entry.ports, entry.entry._context.copy())


@pytest.mark.parametrize(
    ("error", "failure", "what"),
    [
        (ValueError("wrong"), Failure.ERROR, "on_message of app failed: ValueError: wrong"),
        (TookTooLong(), Failure.BLOCKED, "was ended since it held up every client"),
        (TookTooLong(), Failure.BLOCKED, "await what takes long, or push it on a queue"),
        (asyncio.CancelledError(), Failure.ERROR, "on_message of app failed: "),
    ],
)
async def test_each_failure_has_a_name(
    error: BaseException, failure: Failure, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is counted under it, and logged with the client's id, never with the message."""
    async with gate(on_message) as entry:
        call = call_in(entry)
        report(entry.entry.counters, call, error)
        assert entry.entry.counters.failures == {failure: 1}
    [record] = caplog.records
    assert what in record.getMessage()
    assert "secret" not in record.getMessage()
    assert vars(record)["client_id"] == call.connection.client_id
    assert record.exc_info is None


@pytest.mark.parametrize("error", [ValueMissing("x"), ClientGone("x")])
async def test_a_client_without_its_value_is_no_failure(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told to whoever looks closely."""
    async with gate(on_message) as entry:
        report(entry.entry.counters, call_in(entry), error)
        assert not caplog.records or caplog.records[0].levelno == logging.DEBUG
        assert not entry.entry.counters.failures


async def test_the_traceback_is_for_those_who_look_closely(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """At the level DEBUG."""
    caplog.set_level(logging.DEBUG, "gateway")
    async with gate(on_message) as entry:
        report(entry.entry.counters, call_in(entry), ValueError("wrong"))
    assert caplog.records[-1].exc_info


def test_what_could_not_be_ended_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    """With its seconds, and what to do."""
    counters = EntryCounters()
    report_blocked(counters, "c1", 2.5)
    assert counters.failures == {Failure.BLOCKED: 1}
    assert "for 2.5 s" in caplog.text
    assert "await what takes long" in caplog.text
    assert vars(caplog.records[0])["client_id"] == "c1"
