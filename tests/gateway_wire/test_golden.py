"""The bytes of every command, fixed: a change here is a change of the protocol.

The frames stand in golden.json, in hexadecimal. To add a command add a sample and its frame; to
change one that exists is to break every peer that speaks it today.
"""

import json
from pathlib import Path
from typing import Final

import pytest

from gateway_wire.commands import COMMANDS, Command
from gateway_wire.frames import FrameDecoder, decode_body, encode_frame
from gateway_wire.limits import MAX_FRAME
from tests.gateway_wire.samples import REQUEST_ID, SAMPLES

GOLDEN: Final[dict[str, str]] = json.loads(Path(__file__).with_name("golden.json").read_text())

each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda each: each.wire_name)


def test_every_command_has_a_golden_frame() -> None:
    """No command is without its bytes, and no bytes without their command."""
    names = [each.wire_name for each in COMMANDS.values()]

    assert [each.wire_name for each in SAMPLES] == names
    assert list(GOLDEN) == names


@each_sample
def test_a_command_is_written_as_it_always_was(sample: Command) -> None:
    """Encoding gives the golden bytes."""
    assert encode_frame(sample, REQUEST_ID).hex() == GOLDEN[sample.wire_name]


@each_sample
def test_the_bytes_are_read_as_they_always_were(sample: Command) -> None:
    """Decoding the golden bytes gives the command and its request id."""
    (body,) = FrameDecoder(MAX_FRAME).feed(bytes.fromhex(GOLDEN[sample.wire_name]))

    assert decode_body(body) == (sample, REQUEST_ID, None)


def test_the_golden_bytes_are_those_of_the_description() -> None:
    """Taken apart by hand: length, array, code, request id, nil, fields."""
    assert GOLDEN["ping"] == "00000004" + "93" + "06" + "07" + "c0"
    assert (
        GOLDEN["proof"] == "00000026" + "94" + "03" + "07" + "c0" + "c420" + bytes(range(32)).hex()
    )
    assert GOLDEN["send_to_uids"] == (
        "0000000e" + "95" + "22" + "07" + "c0" + "91" + "a23432" + "a568656c6c6f"
    )
