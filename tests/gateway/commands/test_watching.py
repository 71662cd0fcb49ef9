"""Checks of what counts as a change; that it replaces a worker is tried in test_dev.py."""

import asyncio
import logging
from pathlib import Path

import pytest

from gateway.commands.watching import is_source, replace_on_change
from gateway_process.place import Child
from gateway_process.shared import SharedSettings


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give a project with a virtual environment, in a folder that is hidden itself."""
    root = tmp_path / ".work" / "project"
    (root / "venv").mkdir(parents=True)
    (root / "venv" / "pyvenv.cfg").touch()
    return root


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("events.py", True),
        ("shop/models/orders.py", True),
        ("environment/settings.py", True),
        ("page.html", False),
        ("events.py~", False),
        ("events.pyc", False),
        (".#events.py", False),
        (".git/hooks/check.py", False),
        (".venv/lib/python3.11/site.py", False),
        ("shop/__pycache__/x.py", False),
        ("node_modules/gyp/gyp.py", False),
        ("conda/lib/python3.11/site-packages/msgpack/ext.py", False),
        ("venv/lib/tool.py", False),
    ],
)
def test_what_somebody_writes_is_a_source(root: Path, path: str, expected: bool) -> None:
    """Python files that are neither hidden, made, nor installed; where the project lies is the same."""
    assert is_source(root / path, root) is expected


def test_a_project_that_is_its_own_virtual_environment_is_seen(root: Path) -> None:
    """`python -m venv .` hides nothing but what is installed."""
    (root / "pyvenv.cfg").touch()
    assert is_source(root / "events.py", root)
    assert not is_source(root / "lib/python3.11/site-packages/x.py", root)


async def test_a_folder_that_cannot_be_watched_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The rest goes on; what to do instead is said."""
    child = Child("worker", "worker", SharedSettings(), {}, mendable=True)
    with caplog.at_level(logging.ERROR):
        async with asyncio.timeout(10):
            await replace_on_change(child, tmp_path / "gone")
    assert f"changes below {tmp_path / 'gone'} cannot be seen (" in caplog.text
    assert "WATCHFILES_FORCE_POLLING=1" in caplog.text
