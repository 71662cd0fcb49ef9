"""What a business worker can be told, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from businessworker.settings import WorkerSettings
from gateway_process.errors import SettingsError
from gateway_process.loader import Loader
from gateway_wire.addresses import Address


def load(**flags: object) -> WorkerSettings:
    """Read settings from flags, with nothing in the environment."""
    loader = Loader(settings=WorkerSettings, role="businessworker", flags=flags, environ={})
    return loader.load().settings


def test_handlers_are_all_that_must_be_named() -> None:
    """Everything else has a default; without --http no port is opened."""
    settings = load(events="myapp.events")
    assert (settings.processes, settings.threads, settings.http) == (1, 8, None)
    assert settings.app_dir == Path()
    assert settings.register == (Address("127.0.0.1", 1236),)


def test_a_section_of_a_file_says_it_too(tmp_path: Path) -> None:
    """`events` is a key of [businessworker]."""
    config = tmp_path / "cluster.toml"
    config.write_text('[businessworker]\nevents = "myapp.events:Shop"\nthreads = 2\n')
    loader = Loader(settings=WorkerSettings, role="businessworker", config=config, environ={})
    settings = loader.load().settings
    assert (settings.events, settings.threads) == ("myapp.events:Shop", 2)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({}, r"--events: is missing.*businessworker start myapp\.events"),
        ({"events": "m", "threads": "0"}, r"--threads.*0.*give 1 or more"),
        ({"events": "m", "processes": "0"}, r"--processes.*0.*give 1 or more"),
        ({"events": "m", "http": "127.0.0.1:65535", "processes": "2"}, "no port for 2 processes"),
        ({"events": "m", "http": "0.0.0.0:80"}, "no api key; give --api-key-file"),
    ],
)
def test_what_cannot_be_is_refused_with_the_remedy(flags: dict[str, str], message: str) -> None:
    """The flag, the value and what to write stand in the message."""
    with pytest.raises(SettingsError, match=message):
        load(**flags)


def test_an_open_port_is_allowed_with_a_key_or_on_request() -> None:
    """As for the other roles."""
    assert load(events="m", http="0.0.0.0:80", api_key="k").http == Address("0.0.0.0", 80)
    assert load(events="m", http="0.0.0.0:80", insecure=True).insecure
