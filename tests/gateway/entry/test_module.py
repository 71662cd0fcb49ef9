"""Finding the functions of an entry module, at the start and at a reload."""

import logging
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.entry.module import Handlers, handlers_of, load, reload
from gateway_process.errors import StartupError

NAME = "entry_under_test"


@pytest.fixture(autouse=True)
def clean_path() -> Iterator[None]:
    """Forget what a test has imported, and its folders."""
    path, modules = [*sys.path], {*sys.modules}
    yield
    sys.path[:] = path
    for name in {*sys.modules} - modules:
        del sys.modules[name]


def module(**functions: Any) -> types.ModuleType:
    """Make a module of these."""
    made = types.ModuleType("app")
    vars(made).update(functions)
    return made


def write(folder: Path, text: str, name: str = NAME) -> None:
    """Write a module that no compiled file can be mistaken for."""
    file = folder / f"{name.replace('.', '/')}.py"
    file.parent.mkdir(exist_ok=True)
    # A compiled file counts as that of a source of the same second and size.
    before = len(file.read_text()) if file.exists() else 0
    file.write_text(text + "#" * (1 + before) + "\n")


def answer(handlers: Handlers) -> object:
    """Call on_message."""
    assert handlers.on_message is not None
    return handlers.on_message.function(None, None)


def test_the_functions_are_found() -> None:
    """Those that are not there are None."""
    handlers = handlers_of(module(on_message=lambda conn, message: None), "app")
    assert handlers.on_message is not None
    assert handlers.on_message.place == "on_message of app"
    assert handlers.on_handshake is handlers.on_close is None


@pytest.mark.parametrize(
    ("functions", "text"),
    [
        ({"on_message": lambda conn: None}, r"takes \(conn\), but .* on_message\(conn, message\)"),
        ({"on_handshake": lambda: None}, r"write it as on_handshake\(request\)"),
        ({"on_close": lambda a, b, c: None}, r"write it as on_close\(conn, reason\)"),
        ({"on_message": "text"}, r"on_message of app is 'text' and cannot be called"),
        ({}, r"app has none of on_handshake, on_message, on_close; write for example"),
        ({"onMessage": print}, r"app has none of .*; write on_message instead of onMessage"),
    ],
)
def test_what_cannot_be_meant_is_refused(functions: dict[str, Any], text: str) -> None:
    """The error says what to write."""
    with pytest.raises(StartupError, match=text):
        handlers_of(module(**functions), "app")


def test_a_yield_is_refused() -> None:
    """Calling such a function runs nothing."""

    def on_message(conn: object, message: object) -> Iterator[None]:
        yield

    with pytest.raises(StartupError, match="has a yield in it"):
        handlers_of(module(on_message=on_message), "app")


def test_a_misspelt_name_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    """The nearest handler that is not there is named; what is not like one is no matter."""
    handlers_of(
        module(on_mesage=print, on_close=lambda conn, reason: None, onion=print, on_message_2=1),
        "app",
    )
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith(
        "on_mesage of app is never called; did you mean on_message?"
    )


def test_a_module_is_imported_from_its_folder(tmp_path: Path) -> None:
    """One that is not there is told with the remedy."""
    write(tmp_path, "def on_message(conn, message): return 1")
    assert answer(load(NAME, tmp_path)) == 1
    with pytest.raises(StartupError, match=f"did you mean '{NAME}'"):
        load(f"{NAME}x", tmp_path)


def test_a_reload_brings_the_new_functions(tmp_path: Path) -> None:
    """The old ones go on as they are; what was taken out is gone."""
    write(tmp_path, "def on_message(conn, message): return 1\ndef on_close(conn, reason): ...")
    old = load(NAME, tmp_path)
    write(tmp_path, "def on_message(conn, message): return 2")
    new = reload(NAME, tmp_path)
    assert (answer(old), answer(new)) == (1, 2)
    assert new.on_close is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [("1 / 0", "ZeroDivisionError"), ("def oops(:", "SyntaxError"), ("there = 1", "has none of")],
)
def test_a_reload_that_fails_leaves_the_old_module(tmp_path: Path, text: str, reason: str) -> None:
    """In its place among Python's modules, too."""
    write(tmp_path, "def on_message(conn, message): return 1")
    load(NAME, tmp_path)
    module = sys.modules[NAME]
    write(tmp_path, text)
    with pytest.raises(StartupError, match=reason):
        reload(NAME, tmp_path)
    assert sys.modules[NAME] is module


def test_a_package_is_imported_anew_with_all_that_is_its_own(tmp_path: Path) -> None:
    """Modules beside it stay, with what they keep."""
    write(tmp_path, "kept = []", "beside")
    write(tmp_path, "import beside\nfrom pkg import own\ndef on_message(conn, message):\n"
          " beside.kept.append(own.value)\n return beside.kept\n", "pkg.__init__")  # fmt: skip
    write(tmp_path, "value = 1", "pkg.own")
    old = load("pkg", tmp_path)
    write(tmp_path, "value = 2", "pkg.own")
    new = reload("pkg", tmp_path)
    assert answer(old) == [1]
    assert answer(new) == [1, 2]


def test_a_failed_reload_of_a_packages_module_leaves_the_package_as_it_was(tmp_path: Path) -> None:
    """It names the old module, as everybody else does."""
    write(tmp_path, "", "outer.__init__")
    write(tmp_path, "def on_message(conn, message): return 1", "outer.inner")
    load("outer.inner", tmp_path)
    old = sys.modules["outer.inner"]
    write(tmp_path, "there = 1", "outer.inner")
    with pytest.raises(StartupError):
        reload("outer.inner", tmp_path)
    assert sys.modules["outer"].inner is old
