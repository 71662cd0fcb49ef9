"""A protocol class is called with care: whatever it does costs a connection or a message at most."""

from __future__ import annotations

import logging

import pytest

from gateway.edge.protocol import Protocol
from gateway.edge.speech import FRAMING, Speech
from tests.gateway.edge.protocols import Colons, Counting, Faulty, Frugal, NeverMade

LIMIT = 1000


def begun(speech: Speech) -> Protocol:
    """Give a connection's protocol."""
    protocol = speech.begin()
    assert protocol is not None
    return protocol


def test_a_class_that_derives_from_nothing_is_enough() -> None:
    """What it leaves out is as in `Protocol`; the largest message is told to it."""
    speech = Speech("devices:Colons", Colons, LIMIT)
    colons = begun(speech)
    heard = speech.hear(colons, b"a:b:c", 0)
    assert (heard.messages, heard.failure) == (["a", "b"], None)
    assert (speech.encode("x"), speech.question(colons)) == (b"x:", b"?")
    assert (speech.answer(colons), speech.farewell(colons, 1000, "")) == (b"", b"!1000 ")
    assert (colons.max_message, repr(speech)) == (LIMIT, "<Speech devices:Colons>")


@pytest.mark.parametrize("missing", [type("NoFeed", (), {"encode": Colons.encode}), Protocol])
def test_a_class_without_both_methods_cannot_be_spoken(missing: type) -> None:
    """It is told before anybody connects."""
    with pytest.raises(TypeError, match="feed"):
        Speech("x", missing, LIMIT)


@pytest.mark.parametrize(
    ("sent", "code", "told"),
    [
        (b".r.", 1002, "RuntimeError: a bug"),
        (b".t.", 1002, "TypeError: feed gave dict; give str for text, or bytes"),
        (b".s.", 1002, "UnicodeEncodeError"),
        (b".p.", 4002, ""),
        (b".l.", 1009, ""),
    ],
)
def test_what_feed_raises_ends_the_connection(
    sent: bytes, code: int, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Messages before it count. Only what is a fault of the class is a warning, with its name."""
    speech = Speech("devices:Faulty", Faulty, LIMIT)
    heard = speech.hear(begun(speech), sent, 0)
    assert heard.messages == ["."]
    assert heard.failure is not None
    assert heard.failure.code == code
    warnings = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert len(warnings) == bool(told)
    if told:
        assert warnings[0].startswith("protocol devices:Faulty: feed failed, which closes the conn")
        assert told in warnings[0]


@pytest.mark.parametrize(
    ("message", "told"), [("raise", "LookupError"), ("text", "encode gave str; give bytes")]
)
def test_what_cannot_be_encoded_is_told_and_nothing_is_sent(
    message: str, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A broadcast reaches everybody else; nobody is closed."""
    assert Speech("devices:Faulty", Faulty, LIMIT).encode(message) == b""
    assert "protocol devices:Faulty: encode failed, nothing is sent" in caplog.text
    assert told in caplog.text


def test_nothing_may_be_sent_on_purpose(caplog: pytest.LogCaptureFixture) -> None:
    """A protocol that has no words for a message returns no bytes."""
    assert Speech("devices:Faulty", Faulty, LIMIT).encode("nothing") == b""
    assert caplog.text == ""


def test_a_farewell_that_fails_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """The connection is closed all the same."""
    speech = Speech("devices:Faulty", Faulty, LIMIT)
    assert speech.farewell(begun(speech), 1000, "") == b""
    assert "goodbye failed" in caplog.text


def test_an_object_that_cannot_be_made_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Its connection is none."""
    NeverMade.made = 0
    assert Speech("devices:NeverMade", NeverMade, LIMIT).begin() is None
    assert "protocol devices:NeverMade: cannot be made: OSError: no more" in caplog.text


def test_what_a_protocol_keeps_is_bounded() -> None:
    """By what was fed since the last message, unless it says how much it keeps."""
    most = LIMIT + FRAMING
    speech = Speech("x", Counting, LIMIT)
    counting = begun(speech)
    assert speech.hear(counting, b"x" * most, 0).failure is None
    heard = speech.hear(counting, b"x", most)
    assert heard.failure is not None
    assert heard.failure.code == 1009
    assert speech.hear(counting, b".", most).failure is None

    frugal = Speech("x", Frugal, LIMIT)
    assert frugal.hear(begun(frugal), b"x", 100 * most).failure is None
