"""Refusals in the log: each once."""

import logging

import pytest

from gateway_process.refusals import REMEMBERED, Refusals


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


def test_what_is_remembered_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """Then a line may come again."""
    refusals = Refusals(logging.getLogger("refusing"))
    for number in [*range(REMEMBERED), 0, REMEMBERED, 0]:
        refusals.tell("10.0.0.1:1", f"reason {number}")

    assert len(caplog.records) == REMEMBERED + 2
    assert repr(refusals) == "<Refusals 2 told>"


def test_a_peer_without_an_address_is_told_too(caplog: pytest.LogCaptureFixture) -> None:
    """It was gone before anybody could ask for it."""
    Refusals(logging.getLogger("refusing")).tell("", "refused")

    assert [each.getMessage() for each in caplog.records] == ["refused"]
