"""Checks of the import contract: what it lets through and what it names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.tree import ROOT

PYPROJECT = """
[tool.importlinter]
root_packages = ["room", "neighbour"]
include_external_packages = true
contract_types = ["allowed_imports: scripts.import_contracts.AllowedImports"]
[[tool.importlinter.contracts]]
name = "room"
type = "allowed_imports"
modules = ["room"]
outside = ["room.shell"]
allowed = ["msgpack"]
forbidden = ["asyncio"]
"""


def lint(folder: Path, statement: str, module: str = "room/core.py") -> tuple[int, str]:
    """Run import-linter on a small project with one import in one module."""
    for package in ("room/shell", "neighbour"):
        (folder / package).mkdir(parents=True)
    for package in ("room", "room/shell", "neighbour"):
        (folder / package / "__init__.py").touch()
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / module).write_text(f"\n{statement}\n")
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("statement", ["import msgpack", "import hashlib", "import room.core"])
def test_itself_the_standard_library_and_the_list_are_allowed(
    tmp_path: Path, statement: str
) -> None:
    """A module may import its own room, the standard library and what is listed."""
    code, output = lint(tmp_path, statement)
    assert code == 0, output


@pytest.mark.parametrize("imported", ["neighbour", "yaml", "asyncio", "room.shell"])
def test_everything_else_is_named_with_its_place(tmp_path: Path, imported: str) -> None:
    """Neighbours, unlisted packages, forbidden modules and the room's outside break it."""
    code, output = lint(tmp_path, f"import {imported}")
    assert code == 1
    assert f"room.core:2 may not import {imported}" in output


def test_modules_outside_are_not_under_the_contract(tmp_path: Path) -> None:
    """What the contract names as outside may import what it likes."""
    code, output = lint(tmp_path, "import neighbour, room", "room/shell/io.py")
    assert code == 0, output
