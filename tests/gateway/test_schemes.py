"""What a listener's URL may begin with; whatever is wrong is told with the remedy."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.edge.frame import Frame
from gateway.schemes import Speeches, check_scheme, is_own, is_websocket, wants_tls
from gateway_process.addresses import ListenUrl
from gateway_process.errors import ExitCode, SettingsError

METER = """
from gateway import Protocol

class Meter(Protocol):
    def feed(self, data):
        return [data]
    def encode(self, message):
        return b"x"

class NoFeed:
    def encode(self, message): ...

class NoEncode(Protocol):
    def feed(self, data): ...

class Demanding(Meter):
    def __init__(self, speed): ...

number = 1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Give a folder with modules, and forget afterwards what was imported from it."""
    modules, path = set(sys.modules), list(sys.path)
    (tmp_path / "meters.py").write_text(METER)
    (tmp_path / "broken.py").write_text("1 / 0\n")
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def url(scheme: str) -> ListenUrl:
    """Give a listener."""
    return ListenUrl.parse(f"{scheme}://127.0.0.1:0")


@pytest.mark.parametrize(
    ("scheme", "browsers", "tls", "own"),
    [
        ("ws", True, False, False),
        ("wss", True, True, False),
        ("text", False, False, False),
        ("text+tls", False, True, False),
        ("frame", False, False, False),
        ("frame+tls", False, True, False),
        ("meters:Meter", False, False, True),
        ("my.meters:Meter+tls", False, True, True),
    ],
)
def test_what_can_be_written(scheme: str, browsers: bool, tls: bool, own: bool) -> None:
    """Websocket has the names that everybody knows; all others take +tls."""
    check_scheme(url(scheme))
    assert (is_websocket(url(scheme)), wants_tls(url(scheme)), is_own(url(scheme))) == (
        browsers,
        tls,
        own,
    )
    assert str(url(scheme)) == f"{scheme}://127.0.0.1:0"


@pytest.mark.parametrize(
    ("scheme", "told"),
    [
        (
            "txt",
            "is no listener this gateway has; did you mean text://? If not, write ws://, wss://",
        ),
        ("ws+tls", "did you mean wss://?"),
        ("websocket", "did you mean ws://?"),
        ("frames+tls", "did you mean frame+tls://?"),
        ("gopher", "is no listener this gateway has; write ws://, wss://, text://, frame://"),
        ("meters.py:Meter/", "is not a listen URL"),
        ("9:Meter", "does not name a protocol; write the module's dotted name and the class"),
        ("meters:", "is not a listen URL"),
        ("meters:a-b", "does not name a protocol"),
        ("meters:Meter+ssl", "does not name a protocol"),
    ],
)
def test_what_cannot_be_written_is_told_with_what_is_meant(scheme: str, told: str) -> None:
    """An unknown word names the nearest; a class is written as Python writes it."""
    with pytest.raises((SettingsError, ValueError)) as error:
        check_scheme(url(scheme))
    assert told in str(error.value)


def test_what_speaks_the_same_is_one_object(folder: Path) -> None:
    """So that a broadcast is encoded once for all listeners of a protocol, with TLS and without."""
    speeches = Speeches(folder, 1000)
    assert speeches.of(url("ws")) is speeches.of(url("wss")) is None
    frame = speeches.of(url("frame"))
    assert frame is speeches.of(url("frame+tls"))
    assert frame is not None
    assert (frame.name, frame.encode("x")) == ("frame", Frame().encode("x"))
    meter = speeches.of(url("meters:Meter"))
    assert meter is speeches.of(url("meters:Meter+tls")) is not None
    assert repr(speeches) == "<Speeches frame meters:Meter>"


@pytest.mark.parametrize(
    ("scheme", "told"),
    [
        ("metres:Meter", "cannot be imported; there is no module 'metres' in {}"),
        ("metres:Meter", "did you mean 'meters'?"),
        ("broken:Meter", "cannot be imported; broken was found, but importing it failed: ZeroDiv"),
        ("meters:Metre", "is not in its module; did you mean Meter? If not, name a class that {}"),
        ("meters:number", "is no class; name a class that {}/meters.py has"),
        ("meters:NoFeed", "has no feed; give NoFeed a method feed(data: bytes) that returns mess"),
        ("meters:NoEncode", "has no encode; give NoEncode a method encode(message) that returns"),
        ("meters:Protocol", "has no feed and no encode"),
        ("meters:Demanding", "one is made for each connection, without arguments"),
    ],
)
def test_a_class_that_cannot_be_used_is_told(folder: Path, scheme: str, told: str) -> None:
    """As a wrong setting, with what it was and what to do."""
    with pytest.raises(SettingsError) as error:
        Speeches(folder, 1000).of(url(scheme))
    assert told.format(folder) in str(error.value)
    assert (error.value.setting, error.value.exit_code) == ("listen", ExitCode.USAGE)
