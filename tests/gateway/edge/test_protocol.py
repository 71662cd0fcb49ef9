"""What a protocol of somebody's own gets by default."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

import gateway
from gateway.edge.protocol import Protocol, ProtocolError


class Least(gateway.Protocol):
    """A protocol of two methods."""

    def feed(self, data: bytes) -> Iterable[bytes]:
        return [data]

    def encode(self, message: str | bytes) -> bytes:
        return message if isinstance(message, bytes) else message.encode()


def test_two_methods_are_enough() -> None:
    """The others owe nothing, ask nothing and say nothing."""
    least = Least()
    assert (least.buffered(), least.answer(), least.ping()) == (None, b"", b"")
    assert least.goodbye(1000, "bye") == b""
    assert least.max_message == 1024 * 1024


def test_it_is_imported_from_gateway() -> None:
    """The names that the guide tells."""
    assert (gateway.Protocol, gateway.ProtocolError) == (Protocol, ProtocolError)


def test_a_broken_rule_has_a_reason() -> None:
    """By the catalogue of close codes, or the author's own code."""
    assert str(ProtocolError("no such command").reason) == "1002 protocol_error: no such command"
    assert str(ProtocolError("model 1", 4001).reason) == "4001 application: model 1"


@pytest.mark.parametrize("code", [0, 999, 1006, 2000, 5000])
def test_a_reason_that_cannot_close_is_refused(code: int) -> None:
    """The author is told, not the device."""
    with pytest.raises(ValueError, match=f"close code {code} cannot be sent"):
        ProtocolError("x", code)
