"""How handlers are named, and what is no name."""

from __future__ import annotations

import pytest

from businessworker.settings import WorkerSettings
from businessworker.target import split_target
from gateway_process.errors import BadValue, SettingsError
from gateway_process.loader import Loader


@pytest.mark.parametrize(
    ("target", "parts"),
    [
        ("events", ("events", "")),
        ("shop.events", ("shop.events", "")),
        ("shop.events:Events", ("shop.events", "Events")),
        ("py", ("py", "")),
    ],
)
def test_a_target_is_a_module_and_what_is_in_it(target: str, parts: tuple[str, str]) -> None:
    """Without a colon it is the module itself."""
    assert split_target(target) == parts


@pytest.mark.parametrize(
    ("target", "remedy"),
    [
        ("events.py", "did you mean events? If not, write its dotted name, as myapp.events or"),
        ("shop/events.py", "did you mean shop.events? "),
        ("./shop/events.py:Events", "did you mean shop.events? "),
        ("shop.events.py", "did you mean shop.events? "),
        ("my-app", "write its dotted name, as myapp.events or myapp.events:Events"),
        ("", "write its dotted name"),
    ],
)
def test_what_is_no_modules_name_is_told(target: str, remedy: str) -> None:
    """A path of a file is answered with the module's name."""
    with pytest.raises(BadValue) as raised:
        split_target(target)
    assert raised.value.problem == "does not name a module"
    assert raised.value.remedy.startswith(remedy)


def test_a_setting_of_this_kind_names_its_source() -> None:
    """What is wrong is told before anything starts."""
    flags = {"events": "events.py"}
    loader = Loader(settings=WorkerSettings, role="businessworker", flags=flags, environ={})
    with pytest.raises(SettingsError, match=r"^--events: 'events.py' does not name a module; did"):
        loader.load()
