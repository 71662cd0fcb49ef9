from enum import Enum
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_process.addresses import ListenUrl
from gateway_process.errors import BadValue
from gateway_process.kinds import ModuleName, Network, Seconds, Size, kind_of
from gateway_process.secret import Secret
from gateway_wire.addresses import Address


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@pytest.mark.parametrize(
    ("annotation", "raw", "value"),
    [
        (str, "a", "a"),
        (int, "-4", -4),
        (int, 4, 4),
        (Seconds, "0.5", 0.5),
        (Seconds, 25, 25.0),
        (bool, "Yes", True),
        (bool, False, False),
        (Colour, "BLUE", Colour.BLUE),
        (Size, "2MiB", 2 << 20),
        (Size, "1.5 kib", 1536),
        (Size, "1KB", 1000),
        (Size, 7, 7),
        (Address, "a:1", Address("a", 1)),
        (ListenUrl, "ws://a:1", ListenUrl("ws", Address("a", 1))),
        (Network, "10.0.0.0/8", ip_network("10.0.0.0/8")),
        (Path, "/a/b", Path("/a/b")),
        (Secret, "x", Secret("x")),
        (ModuleName, "myapp.chat", "myapp.chat"),
        (ModuleName, "", ""),
        (Path | None, "/a", Path("/a")),
        (Seconds | None, "1", 1.0),
    ],
)
def test_each_kind_reads_its_values(annotation: Any, raw: object, value: object) -> None:
    """Every type a setting may have is read from text, and from TOML's own types where it has one."""
    kind, many = kind_of(annotation)
    assert (kind.parse(raw), many) == (value, False)
    assert kind.parse(kind.text(value)) == value


@pytest.mark.parametrize(
    ("annotation", "raw", "problem"),
    [
        (str, 1, "is not text"),
        (int, "4.0", "is not a whole number"),
        (int, True, "is not a whole number"),
        (Seconds, "soon", "is not a number of seconds"),
        (Seconds, "nan", "is not a number of seconds"),
        (Seconds, False, "is not a number of seconds"),
        (bool, "maybe", "is neither true nor false"),
        (bool, 1, "is neither true nor false"),
        (Colour, "green", "is not one of the choices; give red or blue"),
        (Size, "2 parsecs", "is not a size in bytes"),
        (Size, "0.3B", "is not a size in bytes"),
        (Size, -1, "is not a size in bytes"),
        (Network, "10.0.0.1/8", "is not a network"),
        (Path, "", "is not a path"),
        (Secret, "", "is empty"),
        (ModuleName, "chat:on_message", "names something in a module; .* write chat$"),
        (ModuleName, "myapp/chat.py", r"does not name a module; did you mean myapp\.chat\?"),
        (ModuleName, "my chat", "does not name a module; write its dotted name"),
        (Address, 1236, "is not text"),
    ],
)
def test_each_kind_says_what_is_wrong(annotation: Any, raw: object, problem: str) -> None:
    """What is not a value of a kind is a bad value that says so."""
    with pytest.raises(BadValue, match=problem):
        kind_of(annotation)[0].parse(raw)


def test_tuples_hold_several_values() -> None:
    """A tuple of any kind is a list of that kind."""
    assert kind_of(tuple[Network, ...]) == (kind_of(Network)[0], True)


@pytest.mark.parametrize("annotation", [complex, tuple[int, int], int | str])
def test_unknown_types_are_refused(annotation: Any) -> None:
    """A field whose type has no kind is a programmer's error."""
    with pytest.raises(TypeError, match="no kind of setting"):
        kind_of(annotation)


def test_sizes_and_seconds_show_short() -> None:
    """Help shows 2MiB and 25, not 2097152 and 25.0."""
    assert [kind_of(Size)[0].text(n) for n in (2 << 20, 1000, 0)] == ["2MiB", "1000", "0"]
    assert kind_of(Seconds)[0].text(25.0) == "25"


@given(st.integers(min_value=0, max_value=1 << 50))
def test_every_size_survives_its_text(size: int) -> None:
    """A size written as text is read back exactly."""
    kind, _ = kind_of(Size)
    assert kind.parse(kind.text(size)) == size


@given(st.floats(min_value=0, allow_infinity=False))
def test_every_time_span_survives_its_text(seconds: float) -> None:
    """Seconds written as text are read back exactly."""
    kind, _ = kind_of(Seconds)
    assert kind.parse(kind.text(seconds)) == seconds
