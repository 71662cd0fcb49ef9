"""What users see of the methods: signatures, docstrings and types."""

from __future__ import annotations

import inspect
import pydoc
import subprocess
import sys
from pathlib import Path

import pytest

from gateway_client import (
    METHODS,
    AsyncGateway,
    AsyncGatewayClient,
    Gateway,
    GatewayClient,
    Pipeline,
)
from gateway_client.aio.methods import AsyncMethods
from gateway_client.blocking.methods import BlockingMethods
from gateway_client.pipeline_methods import PipelineMethods

FACADES = (BlockingMethods, AsyncMethods, PipelineMethods)


@pytest.mark.parametrize("facade", FACADES)
def test_every_facade_has_every_method_and_no_other(facade: type) -> None:
    """The facades and the catalogue name the same methods."""
    methods = {name for name in vars(facade) if not name.startswith("_")}
    assert methods == set(METHODS)


@pytest.mark.parametrize("name", METHODS)
def test_signatures_and_docstrings_are_those_of_the_calls(name: str) -> None:
    """`inspect` sees the call's parameters and docstring on the class and on an instance."""
    build = METHODS[name]
    expected = list(inspect.signature(build).parameters.values())
    for owner in (Gateway, AsyncGateway, GatewayClient):
        method = getattr(owner, name)
        assert list(inspect.signature(method).parameters.values()) == expected
        assert method.__doc__ == build.__doc__
        assert method.__name__ == name


def test_the_return_type_is_the_facades() -> None:
    """The signature says what this facade returns."""
    assert inspect.signature(Gateway.bind_uid).return_annotation == "bool"
    assert inspect.signature(GatewayClient.get_session).return_annotation == (
        "dict[Any, Any] | None"
    )
    assert inspect.signature(Pipeline.bind_uid).return_annotation == "None"


def test_help_shows_the_method() -> None:
    """`help(Gateway.send_to_uid)` shows signature and text."""
    text = pydoc.plain(pydoc.render_doc(Gateway.send_to_uid))
    assert "send_to_uid(uid: 'Names', message: 'Message'" in text
    assert "Push a message to every connection that is bound to a uid" in text


def test_asynchronous_methods_are_coroutine_functions() -> None:
    """Frameworks that ask are told."""
    assert all(inspect.iscoroutinefunction(getattr(AsyncGateway, name)) for name in METHODS)
    assert not any(inspect.iscoroutinefunction(getattr(Gateway, name)) for name in METHODS)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_is_documented(name: str) -> None:
    """Each docstring has its arguments, result, errors and cost."""
    text = METHODS[name].__doc__ or ""
    for section in ("Args:", "Returns:", "Raises:", "Cost: "):
        assert section in text
    for parameter in inspect.signature(METHODS[name]).parameters:
        assert f"\n        {parameter}: " in text.replace("*", "")


TYPES = """
from typing import Any, assert_type
from gatewayworker import AsyncGateway, AsyncGatewayClient, Gateway, GatewayClient, Reached

client = GatewayClient()
assert_type(Gateway.send_to_uid(1, "m"), Reached)
assert_type(Gateway.send_to_uid([1, "a"], {"a": 1}, confirm=True, strict=True), Reached)
Gateway.send_to_all("m", confirm=False)
assert_type(client.send_to_group("g", b"m", ["id"]), Reached)
assert_type(client.bind_uid("id", 5), bool)
assert_type(Gateway.get_uid_by_client_id("id"), str | None)
assert_type(Gateway.get_all_group_uid_count(partial="return"), dict[str, int])
assert_type(Gateway.get_session("id"), dict[Any, Any] | None)
with Gateway.pipeline() as p:
    p.send_to_uid(1, "m")
assert_type(p.results, list[Any])

async def main() -> None:
    assert_type(await AsyncGateway.send_to_uid(1, "m"), Reached)
    await AsyncGateway.send_to_client("id", "m", confirm=False)
    async with AsyncGatewayClient(["a:1"]) as gateway:
        assert_type(await gateway.is_online("id"), bool)
"""

MISTAKES = """
from gatewayworker import AsyncGateway, Gateway

Gateway.send_to_uid(None, "m")
Gateway.send_to_uid(1)
Gateway.bind_uid("id", 1.5)
Gateway.is_online("id", partial="return")
x: int = Gateway.send_to_all("m", confirm=False)
y: bool = AsyncGateway.is_online("id")
"""


def _mypy(folder: Path, code: str) -> list[str]:
    file = folder / "user_code.py"
    file.write_text(code)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--no-incremental"]
    done = subprocess.run(
        [*command, "--config-file", "", str(file)], capture_output=True, text=True, check=False
    )
    return done.stdout.splitlines()


def test_a_type_checker_sees_the_real_types(tmp_path: Path) -> None:
    """Results and parameters are typed as documented, and mistakes are found line by line."""
    assert _mypy(tmp_path, TYPES) == []
    lines = {int(line.split(":")[1]) for line in _mypy(tmp_path, MISTAKES) if "error" in line}
    assert lines == {4, 5, 6, 7, 8, 9}


def test_instances_and_classes_are_alike() -> None:
    """An instance's method is bound to it."""
    client = AsyncGatewayClient("127.0.0.1:1", secret_key="")
    assert client.is_online.__self__ is client  # type: ignore[attr-defined]
