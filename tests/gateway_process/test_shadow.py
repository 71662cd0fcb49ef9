from pathlib import Path

import pytest

from gateway_process.errors import StartupError
from gateway_process.shadow import refuse_shadow, shadow_of

OURS = Path("/ours/gateway/__init__.py")


def package(folder: Path, name: str) -> Path:
    """Make an empty package."""
    (folder / name).mkdir()
    file = folder / name / "__init__.py"
    file.touch()
    return file


def test_a_package_in_front_of_ours_is_found(tmp_path: Path) -> None:
    """The first folder of the path that has the name decides."""
    file = package(tmp_path, "gateway")
    assert shadow_of("gateway", OURS, ["/nowhere", str(tmp_path)]) == file


def test_a_module_in_front_of_ours_is_found(tmp_path: Path) -> None:
    """A single file of the name stands in the way as well."""
    (tmp_path / "gateway.py").touch()
    assert shadow_of("gateway", OURS, [str(tmp_path)]) == tmp_path / "gateway.py"


def test_a_folder_without_init_does_no_harm(tmp_path: Path) -> None:
    """Python prefers a real package later on the path to a bare folder."""
    (tmp_path / "gateway").mkdir()
    assert shadow_of("gateway", OURS, [str(tmp_path)]) is None


def test_our_own_package_is_no_shadow(tmp_path: Path) -> None:
    """PYTHONPATH may lead to ours, as in a checkout."""
    file = package(tmp_path, "gateway")
    assert shadow_of("gateway", file, [str(tmp_path)]) is None


def test_the_error_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in the way is named, with the remedy."""
    file = package(tmp_path, "gateway_process")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(StartupError, match=f"^{file} stands in the way of our package"):
        refuse_shadow("gateway_process")


def test_no_pythonpath_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without PYTHONPATH nothing comes before the installed packages."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    refuse_shadow("gateway_process")


def test_a_module_inside_is_found_by_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user's own `channel/` does not stand in the way of `gateway_process.channel`."""
    package(tmp_path, "channel")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    refuse_shadow("gateway_process.channel")
