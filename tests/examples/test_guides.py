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
from gateway.settings import GatewaySettings
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
    )
)

EVENTS: Final = GUIDES[2]

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


@pytest.fixture
def myapp(tmp_path: Path) -> Iterator[ModuleType]:
    """Give the first code of the guide to events as the module that it calls itself."""
    file = tmp_path / "events.py"
    file.write_text(fences("python", EVENTS)[0], "utf-8")
    spec = importlib.util.spec_from_file_location("myapp.events", file)
    assert spec is not None
    assert spec.loader is not None
    events = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(events)
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
