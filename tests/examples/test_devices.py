"""The example with devices: its protocols in every split, and everything together as its README says."""

import json
import re
import runpy
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, Any, Final

import pytest
from playwright.async_api import Browser, expect

from gateway import ProtocolError
from gateway.edge.speech import Speech
from scripts.tree import ROOT
from tests.support.daemons import DEV_ON_ANY_PORT, Daemon
from tests.support.waiting import PATIENCE

DEVICES: Final = ROOT / "examples/devices"
LISTEN: Final = tuple(
    f"--listen={name}://127.0.0.1:0" for name in ("json_lines:JsonLines", "framed:Framed")
)


def protocol(module: str, name: str) -> Any:
    """Give a class of the example."""
    return runpy.run_path(str(DEVICES / f"{module}.py"))[name]


def test_json_lines_in_every_split() -> None:
    """A heartbeat is answered and is no message."""
    lines = protocol("json_lines", "JsonLines")
    wire = '{"lamp":"on"}\n{"type":"ping"}\n"grüße"\n'.encode()
    for at in range(len(wire) + 1):
        one = lines()
        assert [*one.feed(wire[:at]), *one.feed(wire[at:])] == ['{"lamp":"on"}', '"grüße"']
        assert (one.answer(), one.answer()) == (b'{"type":"pong"}\n', b"")
        assert one.buffered() == 0
    assert lines().encode('{"a": [1,\n2]}') == b'{"a":[1,2]}\n'
    assert (lines().encode("two\nlines"), lines().encode(b"\0")) == (b'"two\\nlines"\n', b"")
    assert json.loads(lines().goodbye(1012, "stopping"))["code"] == 1012
    with pytest.raises(ProtocolError, match="no JSON"):
        lines().feed(b"{\n")


def test_frames_in_every_split() -> None:
    """A reading becomes text for browsers; what a thermometer does not send is refused."""
    framed = protocol("framed", "Framed")
    wire = b"\0\4\2" + struct.pack("!f", 21.5) + b"\0\2\1hi" + b"\0\4\2" + struct.pack("!f", -3)
    for at in range(len(wire) + 1):
        one = framed()
        read = [*one.feed(wire[:at]), *one.feed(wire[at:])]
        assert read == ['{"degrees": 21.5}', '{"degrees": -3.0}']
        assert (one.answer(), one.answer(), one.buffered()) == (b"\0\2\1hi", b"", 0)
    assert (framed().encode("on"), framed().encode("x" * 65536)) == (b"\0\2\3on", b"")
    with pytest.raises(ProtocolError, match="frame of kind 9 with 0 bytes"):
        list(framed().feed(b"\0\0\x09"))


def test_the_guides_protocol_is_one() -> None:
    """The code of docs/edges.md, in every split, and with what it refuses."""
    (code,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs/edges.md").read_text("utf-8"), re.DOTALL
    )
    names: dict[str, Any] = {}
    exec(compile(code, "docs/edges.md", "exec"), names)
    meter = Speech("meters:Meter", names["Meter"], 1000)
    for at in range(8):
        one = meter.begin()
        assert one is not None
        heard = [meter.hear(one, part, 0) for part in (b"12;345;"[:at], b"12;345;"[at:])]
        assert [message for each in heard for message in each.messages] == ["12", "345"]
        assert one.buffered() == 0
    assert meter.encode("on") + meter.encode(b"off") == b"on;off;"
    with pytest.raises(ProtocolError, match="a reading is digits"):
        list(names["Meter"]().feed(b"x;"))


class Device:
    """A device script of the example that runs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._input: IO[str] = process.stdin
        self._output: IO[str] = process.stdout

    def type(self, line: str) -> None:
        """Type a line."""
        self._input.write(f"{line}\n")
        self._input.flush()

    def line(self) -> str:
        """Give the next line that it prints."""
        return self._output.readline().strip()


@contextmanager
def device(script: str, url: str) -> Iterator[Device]:
    """Run a device script."""
    command = [sys.executable, script, url.partition("://")[2]]
    with subprocess.Popen(
        command, cwd=DEVICES, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Device(process)
        finally:
            process.kill()
            process.wait(PATIENCE)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_page_a_lamp_and_a_thermometer_talk(browser: Browser) -> None:
    """What one sends, all others get, each in its own encoding."""
    flags = (*DEV_ON_ANY_PORT, "events", "--no-demo", *LISTEN)
    with ExitStack() as stack:
        dev = stack.enter_context(Daemon("gateway", *flags, folder=DEVICES))
        of_lines, of_frames = dev.ready.tcp.split(",")
        page = await browser.new_page()
        await page.goto(f"{(DEVICES / 'page.html').as_uri()}?gateway={dev.ready.ws}")
        messages = page.locator("#messages li")
        await expect(messages).to_have_count(1)  # its init message
        dev.line(starting_with="127.0.0.1 came through ws://")
        lamp = stack.enter_context(device("lamp.py", of_lines))
        dev.line(starting_with=f"127.0.0.1 came through {of_lines}")
        thermometer = stack.enter_context(device("thermometer.py", of_frames))
        dev.line(starting_with=f"127.0.0.1 came through {of_frames}")

        await page.click("text=On")
        assert lamp.line() == '{"switch":"on"}'
        assert thermometer.line() == '{"switch":"on"}'
        await expect(messages.last).to_have_text('{"lamp": "on"}')
        assert thermometer.line() == '{"lamp": "on"}'
        thermometer.type("21.5")
        await expect(messages.last).to_have_text('{"degrees": 21.5}')
        assert lamp.line() == '{"degrees":21.5}'
        await page.close()
