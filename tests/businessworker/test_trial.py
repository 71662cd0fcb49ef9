"""Trials of applications, each in a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from businessworker.trial import Trial, try_events

MESSAGE = "def on_message(client_id, message): ...\n"


@pytest.fixture
def app_dir(tmp_path: Path) -> Path:
    """Give a folder for an application."""
    return tmp_path


async def tried(app_dir: Path, text: str, target: str = "app", **more: float) -> Trial:
    """Try an application with this text."""
    (app_dir / "app.py").write_text(text)
    return await try_events(target, app_dir, **more)


async def test_an_application_that_works_has_its_handlers_named(app_dir: Path) -> None:
    """What it prints, and threads that it leaves behind, are in nobody's way."""
    text = f"""
import threading
print("hello", flush=True)
threading.Thread(target=threading.Event().wait).start()
{MESSAGE}
class Events:
    def on_connect(self, client_id): ...
"""
    assert await tried(app_dir, text) == Trial(("on_message",))
    assert await tried(app_dir, text, "app:Events") == Trial(("on_connect",))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("def on_message(:", "importing it failed: SyntaxError"),
        ("import nothing_like_it", "imports 'nothing_like_it', which was not"),
        ("x = 1", "app has none of the handlers"),
        ("import os; os._exit(3)", "the process ended with exit code 3 while it imported app"),
        ("import os; os.abort()", "the process was killed by signal 6 while it imported app"),
        ("raise ValueError('x' * 100_000)", "importing it failed: ValueError: xxx"),
    ],
)
async def test_what_is_wrong_is_told(app_dir: Path, text: str, problem: str) -> None:
    """Whatever the application's code does, who asks goes on."""
    trial = await tried(app_dir, text)
    assert problem in trial.problem
    assert trial.handlers == ()


async def test_an_import_that_does_not_end_is_told(app_dir: Path) -> None:
    """A server that the module starts, say."""
    trial = await tried(app_dir, "import threading; threading.Event().wait()", time=0.5)
    assert trial.problem == "app was not imported within 0.5 s; what does it wait for?"
