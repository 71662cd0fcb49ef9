"""The guides' code, files and flags, as their readers copy them."""

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import click
import pytest

from businessworker.commands import cli as businessworker
from businessworker.events import events_of
from businessworker.settings import WorkerSettings
from gateway.commands import cli as gateway
from gateway.entry.module import handlers_of
from gateway.settings import GatewaySettings
from gateway_client.testing import AsyncRecordingGateway
from gateway_process.loader import Loader
from gateway_process.sources import sections_of
from gatewayworker.commands import cli as gatewayworker
from register.commands import cli as register
from register.settings import RegisterSettings
from scripts.tree import ROOT

GUIDES: Final = tuple(
    (ROOT / name).read_text("utf-8")
    for name in (
        "README.md",
        "docs/coming-from-gatewayworker.md",
        "docs/events.md",
        "docs/operations.md",
        "docs/edges.md",
        "docs/consuming.md",
        "docs/entry.md",
        "docs/connmix-api.md",
        "docs/coming-from-connmix.md",
        "docs/moving-a-php-application.md",
    )
)

EVENTS: Final = GUIDES[2]
CONSUMING: Final = GUIDES[5]
ENTRY: Final = GUIDES[6]

SETTINGS: Final[dict[str, type[Any]]] = {
    "register": RegisterSettings,
    "gateway": GatewaySettings,
    "businessworker": WorkerSettings,
}

OTHERS: Final = frozenset({"--app", "--data", "--now", "--port", "--ulimit"})
"""Flags of flask, curl, systemctl and docker."""

FLAG: Final = re.compile(r"(?<![\w-])--[a-z][a-z-]+")


def fences(language: str, text: str) -> list[str]:
    """Give the code of a page that is marked as of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def module_of(code: str, name: str, folder: Path) -> ModuleType:
    """Give code as the module that it is meant to be."""
    file = folder / "module.py"
    file.write_text(code, "utf-8")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def myapp(tmp_path: Path) -> Iterator[ModuleType]:
    """Give the first code of the guide to events as the module that it calls itself."""
    events = module_of(fences("python", EVENTS)[0], "myapp.events", tmp_path)
    package = ModuleType("myapp")
    package.events = events  # type: ignore[attr-defined]  # as importing it would
    sys.modules |= {"myapp": package, "myapp.events": events}
    yield events
    del sys.modules["myapp"], sys.modules["myapp.events"]


def test_the_first_events_are_what_a_worker_takes(myapp: ModuleType) -> None:
    """A worker finds the handlers of the guide's first module."""
    found = [handler.name for handler in events_of(myapp, "myapp.events").handlers]
    assert found == ["on_websocket_connect", "on_message", "on_close"]


def test_the_test_of_events_passes(myapp: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guide's test of those events is one that passes."""
    namespace: dict[str, Any] = {}
    exec(fences("python", EVENTS)[-1], namespace)
    namespace["test_a_message_goes_to_the_lobby"](monkeypatch)


def test_the_entry_module_is_what_a_gateway_takes(tmp_path: Path) -> None:
    """A gateway finds all three functions in the guide's module."""
    module = module_of(fences("python", ENTRY)[0], "chat_entry", tmp_path)
    found = handlers_of(module, "chat_entry")
    assert None not in (found.on_handshake, found.on_message, found.on_close)


async def test_the_test_of_a_consumer_passes() -> None:
    """The guide's test of a consumer is one that passes, with a consumer as the guide writes them."""

    async def answer_everybody(gateway: AsyncRecordingGateway) -> None:
        async for message in gateway.consume("chat"):
            await message.reply(f"{message.data['frame']['data']} to you")

    namespace: dict[str, Any] = {"answer_everybody": answer_everybody}
    exec(fences("python", CONSUMING)[-1], namespace)
    await namespace["test_everybody_is_answered"]()


def test_the_files_are_read(tmp_path: Path) -> None:
    """Each cluster.toml in the guides gives every role its settings, without a warning."""
    secret = tmp_path / "secret"
    secret.write_text("of the guides\n")
    secret.chmod(0o600)
    files = [text for page in GUIDES for text in fences("toml", page)]
    assert files
    for text in files:
        config = tmp_path / "cluster.toml"
        config.write_text(text.replace("/etc/gatewayworker/secret", str(secret)))
        for role in sections_of(config):
            loaded = Loader(settings=SETTINGS[role], role=role, config=config, environ={}).load()
            assert loaded.warnings == ()


def test_every_flag_is_one() -> None:
    """The guides name no flag that no command has."""
    known = {
        flag for cli in (register, gateway, businessworker, gatewayworker) for flag in _flags(cli)
    }
    named = {flag for page in GUIDES for flag in FLAG.findall(page)}
    assert named - known - OTHERS == set()


def _flags(command: click.Command) -> Iterator[str]:
    for parameter in command.params:
        yield from (*parameter.opts, *parameter.secondary_opts)
    if isinstance(command, click.Group):
        for each in command.commands.values():
            yield from _flags(each)
