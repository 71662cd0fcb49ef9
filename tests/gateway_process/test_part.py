"""What a reload changes for the children of one program or of several; none of them is started."""

import logging
from pathlib import Path

import pytest

from gateway_process.errors import SettingsError
from gateway_process.loader import Loader
from gateway_process.part import Part, reread
from gateway_process.place import Child
from tests.gateway_process.roles.probe.role import ProbeSettings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file of all of them, still empty."""
    file = tmp_path / "c.toml"
    file.touch()
    return file


def part(file: Path, name: str = "gateway", *, replaces: bool = False) -> Part[ProbeSettings]:
    """Give a program's part with two children; its settings stand in a section of this name."""
    loader = Loader(settings=ProbeSettings, role=name, flags={}, config=file)
    settings = loader.load().settings
    children = [Child(name, "probe", settings, {}, n, replaces=replaces) for n in range(2)]
    return Part(loader, children)


def test_running_processes_take_over_what_is_hot(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """All children get it; the rest is named, in the log too."""
    made = part(file)
    file.write_text('[gateway]\ngreeting = "two"\ncold = "x"\nprocesses = 2\n')
    change = reread([made])
    assert (change.applied, change.needs_restart) == (("greeting",), ("processes", "cold"))
    assert [(s.greeting, s.cold) for s in settings_of(made)] == [("two", "")] * 2
    assert "changed, but needs a restart: processes, cold" in caplog.text


def test_new_processes_take_over_all_that_they_use(file: Path) -> None:
    """Where a reload replaces them only what the supervisor holds stays as it was."""
    made = part(file, replaces=True)
    file.write_text('[gateway]\ngreeting = "two"\ncold = "x"\nprocesses = 2\n')
    change = reread([made])
    assert (change.applied, change.needs_restart) == (("greeting", "cold"), ("processes",))
    assert [(s.cold, s.processes) for s in settings_of(made)] == [("x", 1)] * 2


def test_of_several_programs_each_setting_is_told_with_its_role(file: Path) -> None:
    """A file has them in sections."""
    parts = [part(file), part(file, "businessworker", replaces=True)]
    file.write_text('log_file = "x"\n[gateway]\ngreeting = "two"\n[businessworker]\ncold = "x"\n')
    change = reread(parts)
    assert change.applied == ("gateway.greeting", "businessworker.cold")
    assert change.needs_restart == ("gateway.log_file", "businessworker.log_file")


def test_one_that_is_wrong_keeps_all_as_they_were(file: Path) -> None:
    """Also those before it."""
    parts = [part(file), part(file, "businessworker")]
    before = [settings_of(each) for each in parts]
    file.write_text('[gateway]\ngreeting = "two"\n[businessworker]\nprocesses = 0\n')
    with pytest.raises(SettingsError, match="processes: 0 is below 1"):
        reread(parts)
    assert [settings_of(each) for each in parts] == before


def test_the_log_level_holds_for_the_supervisor_too(file: Path) -> None:
    """It logs the crashes."""
    made = part(file)
    before = logging.getLogger().level
    try:
        file.write_text('log_level = "error"\n')
        reread([made])
        assert logging.getLogger().level == logging.ERROR
    finally:
        logging.getLogger().setLevel(before)


def settings_of(made: Part[ProbeSettings]) -> list[ProbeSettings]:
    """Give what the children have."""
    return [child.settings for child in made.children if isinstance(child.settings, ProbeSettings)]
