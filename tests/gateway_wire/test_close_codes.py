"""Tests of the close code catalogue."""

from __future__ import annotations

from typing import Any

import pytest

from gateway_wire import close_codes
from gateway_wire.close_codes import CATALOGUE, CloseReason, application_reason


def test_every_code_and_name_stands_once() -> None:
    """No code and no name is used for two things, and the catalogue ascends by code."""
    codes = [entry.code for entry in CATALOGUE]

    assert sorted(set(codes)) == codes
    assert len({entry.name for entry in CATALOGUE}) == len(CATALOGUE)


def test_every_named_code_is_in_the_catalogue() -> None:
    """A code that the module exports can also be found by its number."""
    exported = [getattr(close_codes, name) for name in close_codes.__all__]
    entries = [value for value in exported if isinstance(value, close_codes.CloseCode)]

    assert set(entries) == set(CATALOGUE)
    assert all(close_codes.find(entry.code) is entry for entry in entries)


def test_ranges_say_whether_to_reconnect() -> None:
    """Our own codes tell by their range whether the browser should come back."""
    for entry in CATALOGUE:
        if 3000 <= entry.code < 4000:
            assert entry.reconnect is (entry.code < 3500)


@pytest.mark.parametrize("code", [1000, 3003, 3500, 3501])
def test_application_may_use_codes_meant_for_it(code: int) -> None:
    """1000 and those of ours that suit an application keep their catalogue name."""
    entry = close_codes.find(code)

    assert entry is not None
    assert application_reason(code, "bye") == CloseReason(code, entry.name, "bye")


@pytest.mark.parametrize("code", [4000, 4999])
def test_application_owns_4000_to_4999(code: int) -> None:
    """The private range is the application's, under one name."""
    assert application_reason(code, "") == CloseReason(code, "application", "")


@pytest.mark.parametrize("code", [0, 999, 1001, 1002, 1005, 1006, 1012, 3000, 3999, 5000, -1])
def test_other_codes_are_refused_with_the_remedy(code: int) -> None:
    """A code that is not the application's is named together with what to use."""
    with pytest.raises(ValueError, match=rf"close code {code} .* use 4000-4999 or one of 1000"):
        application_reason(code)


@pytest.mark.parametrize("code", [None, True, 1000.0, "1000"])
def test_code_must_be_an_int(code: Any) -> None:
    """Anything but an int is a TypeError that shows the value."""
    with pytest.raises(TypeError, match="close code must be an int"):
        application_reason(code)


def test_reason_is_limited_in_bytes_not_characters() -> None:
    """123 bytes of UTF-8 fit; one more is refused with its size."""
    assert application_reason(1000, "é" * 61 + "x").text.endswith("x")
    with pytest.raises(ValueError, match="124 bytes"):
        application_reason(1000, "é" * 62)


def test_reason_must_be_text_that_can_be_encoded() -> None:
    """Bytes are a TypeError; a lone surrogate, which UTF-8 cannot carry, a ValueError."""
    wrong: Any = b"bye"
    with pytest.raises(TypeError, match="must be a str, not bytes"):
        application_reason(1000, wrong)
    with pytest.raises(ValueError, match="surrogates"):
        application_reason(1000, "\ud800")


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        (999, False),
        (1000, True),
        (1003, True),
        (1004, False),
        (1005, False),
        (1006, False),
        (1007, True),
        (1014, True),
        (1015, False),
        (2999, False),
        (3000, True),
        (4999, True),
        (5000, False),
    ],
)
def test_codes_that_may_travel(code: int, allowed: bool) -> None:
    """Reserved and unassigned codes may not stand in a Close frame."""
    assert close_codes.is_wire_code(code) is allowed


def test_sent_reason_is_any_code_of_ours_that_may_travel() -> None:
    """Whatever closes a connection finds its name by its code."""
    assert close_codes.sent_reason(1012) == close_codes.STOPPING.reason()
    assert close_codes.sent_reason(4001, "x") == CloseReason(4001, "application", "x")


@pytest.mark.parametrize("code", [1001, 1005, 1006, 3499, 5000])
def test_sent_reason_refuses_codes_outside_the_catalogue(code: int) -> None:
    """A code that nothing of ours issues, or that may not travel, cannot be sent."""
    with pytest.raises(ValueError, match=f"close code {code} cannot be sent"):
        close_codes.sent_reason(code)


def test_peer_reason_keeps_what_the_peer_said() -> None:
    """A Close from the browser has one name whatever its code."""
    assert close_codes.peer_closed(1001, "bye") == CloseReason(1001, "peer_closed", "bye")


def test_reason_reads_as_a_phrase() -> None:
    """The text of a reason is ready for a log line."""
    assert str(close_codes.SLOW.reason()) == "3000 slow"
    assert str(close_codes.SLOW.reason("2097153 bytes wait")) == "3000 slow: 2097153 bytes wait"
