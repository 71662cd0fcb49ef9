"""Refusals in the log: each once an hour, and not too many."""

import logging

import pytest

from gateway_process.refusals import FORGOTTEN_AFTER, HOSTS, LINES_PER_HOST, Refusals


def test_a_peer_and_its_reason_are_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever port it comes from; another reason or another host is another line."""
    refusals = Refusals(logging.getLogger("refusing"))
    for port in range(3):
        for host in ("10.0.0.1", "10.0.0.2"):
            remote = f"{host}:{port}"
            refusals.tell(remote, f"link from {remote} refused: the key")
    refusals.tell("10.0.0.1:9", "link from 10.0.0.1:9 refused: the frame")

    assert [each.getMessage() for each in caplog.records] == [
        "link from 10.0.0.1:0 refused: the key",
        "link from 10.0.0.2:0 refused: the key",
        "link from 10.0.0.1:9 refused: the frame",
    ]
    assert repr(refusals) == "<Refusals 3 told>"


def test_after_an_hour_it_is_told_again(caplog: pytest.LogCaptureFixture) -> None:
    """Somebody may look at the log for the first time."""
    now = 5.0
    refusals = Refusals(logging.getLogger("refusing"), lambda: now)
    for now in (5.0, 4.0 + FORGOTTEN_AFTER, 5.0 + FORGOTTEN_AFTER, 6.0 + FORGOTTEN_AFTER):  # noqa: B007
        refusals.tell("10.0.0.1:1", "the key")

    assert len(caplog.records) == 2


def test_garbage_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """It differs each time; the last line about its host says so, and others are told of as ever."""
    refusals = Refusals(logging.getLogger("refusing"))
    for number in range(2 * LINES_PER_HOST):
        refusals.tell("10.0.0.1:1", f"garbage {number}")
    refusals.tell("10.0.0.2:1", "the key")

    said = [each.getMessage() for each in caplog.records]
    assert said[:LINES_PER_HOST] == [f"garbage {number}" for number in range(LINES_PER_HOST)]
    assert said[LINES_PER_HOST].startswith("what else is refused of 10.0.0.1 is counted")
    assert said[LINES_PER_HOST + 1 :] == ["the key"]


def test_what_is_remembered_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """With more hosts than that a line may come again."""
    refusals = Refusals(logging.getLogger("refusing"))
    for number in [*range(HOSTS), 0, HOSTS, 0]:
        refusals.tell(f"host{number}:1", "reason")

    assert len(caplog.records) == HOSTS + 2
    assert repr(refusals) == "<Refusals 1 told>"


def test_a_peer_without_an_address_is_told_too(caplog: pytest.LogCaptureFixture) -> None:
    """It was gone before anybody could ask for it."""
    Refusals(logging.getLogger("refusing")).tell("", "refused")

    assert [each.getMessage() for each in caplog.records] == ["refused"]
