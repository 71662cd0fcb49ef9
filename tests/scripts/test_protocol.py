"""The protocol's page: complete, and enough to write a client from."""

import asyncio
import hashlib
import hmac
import re
from typing import Any, Final

import pytest

from gateway_wire import close_codes, limits
from gateway_wire.commands import COMMANDS, CountClients, Reply, Role
from gateway_wire.commands.replies import ALL_SHAPES
from gateway_wire.errors import ErrorCode
from gateway_wire.hello import ACCEPTOR_LABEL, DIALER_LABEL
from scripts import protocol
from scripts.tree import ROOT
from tests.support.links import serving

PAGE: Final = (ROOT / "docs" / "protocol.md").read_text("utf-8")
KEY: Final = "of the cluster"


def tiny_client() -> Any:
    """Give the class that the page ends with."""
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    names: dict[str, Any] = {}
    exec(code, names)
    return names["Link"]


def test_every_command_is_in_the_tables() -> None:
    """Each has its row: code, name, each field, who may send it, its reply."""
    rows = {line.split(" | ")[0]: line for line in protocol.commands().splitlines()}
    for code, command in COMMANDS.items():
        row = rows[f"| {code}"]
        assert f"`{command.wire_name}`" in row
        assert f"| {command.reply.name} |" in row
        for name in command.field_names:
            assert f"`{name}`: " in row


def test_fields_are_shown_with_type_and_default() -> None:
    """What a field may hold and what it is when left out stand beside its name."""
    tables = protocol.commands()

    assert "`client_id`: text, `message`: text or binary or nil = nil" in tables
    assert '`close_code`: integer = `1000`, `reason`: text = `""`' in tables
    assert "`groups`: list of text or nil = nil" in tables
    assert ":class:" not in tables
    assert "``" not in tables


@pytest.mark.parametrize(
    ("part", "names"),
    [
        (protocol.reply_shapes(), [each.name for each in ALL_SHAPES]),
        (protocol.error_codes(), [f"`{each.value}`" for each in ErrorCode]),
        (protocol.limit_table(), [f"`{each}`" for each in limits.__all__]),
        (protocol.close_code_table(), [f"`{each.name}`" for each in close_codes.CATALOGUE]),
    ],
)
def test_catalogues_are_drawn_in_full(part: str, names: list[str]) -> None:
    """Each entry of a catalogue has its row with a sentence."""
    rows = part.splitlines()[2:]

    assert len(rows) == len(names)
    for name in names:
        assert any(f"| {name} |" in row for row in rows), name


def test_the_worked_hello_proves_itself() -> None:
    """The bytes of the page give the hashes and proofs of the page, by hashlib alone."""
    text = protocol.worked_hello()
    frames = [
        bytes.fromhex("".join(block.split()))
        for block in re.findall(r"whole frame\n((?:    [0-9a-f]+\n)+)", text)
    ]
    hello, challenge, proof, welcome = frames
    seen = hashlib.sha256(hello[4:]).digest() + hashlib.sha256(challenge[4:]).digest()
    key = protocol.EXAMPLE_KEY.encode()

    assert all(int.from_bytes(each[:4], "big") == len(each) - 4 for each in frames)
    assert proof.endswith(hmac.digest(key, DIALER_LABEL + seen, "sha256"))
    assert welcome.endswith(hmac.digest(key, ACCEPTOR_LABEL + seen, "sha256"))
    assert hashlib.sha256(hello[4:]).hexdigest() in text
    assert f'"{protocol.EXAMPLE_KEY}"' in text


@pytest.mark.parametrize("key", ["", KEY])
async def test_the_client_of_the_page_works(key: str) -> None:
    """Forty lines, written from the page, open a link with and without a key and make a call."""
    async with serving(Role.GATEWAY, key) as (address, owner):
        link = await asyncio.to_thread(tiny_client(), address.host, address.port, key)
        call = asyncio.create_task(asyncio.to_thread(link.call, CountClients.code))
        envelope = await owner.envelopes.get()
        assert envelope.command == CountClients()
        (await owner.links.get()).send(Reply(42), envelope.request_id)

        assert await call == 42
        link.socket.close()


async def test_the_client_of_the_page_is_refused_with_a_wrong_key() -> None:
    """It learns why from the goodbye."""
    async with serving(Role.GATEWAY, KEY) as (address, _):
        with pytest.raises(ConnectionError, match="key_wrong"):
            await asyncio.to_thread(tiny_client(), address.host, address.port, "another")
