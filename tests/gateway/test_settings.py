"""What a gateway's settings refuse together; what each of them reads is its kind's matter."""

from pathlib import Path
from typing import Any

import pytest

from gateway.settings import GatewaySettings
from gateway_process.addresses import ListenUrl
from gateway_process.errors import SettingsError
from gateway_process.settings import dump, restore, specs_of
from gateway_wire.addresses import Address

SECURE = (ListenUrl.parse("wss://127.0.0.1:0"),)


def test_the_defaults_are_the_documented_ones() -> None:
    """What stands in everybody's configuration by being left out does not change by accident."""
    settings = GatewaySettings()
    assert [str(url) for url in settings.listen] == ["ws://0.0.0.0:7272"]
    assert (str(settings.http), settings.start_port) == ("127.0.0.1:6789", 2900)
    assert [str(address) for address in settings.register] == ["127.0.0.1:1236"]
    assert (settings.ping_interval, settings.ping_timeout, settings.drain) == (25, 20, 5)
    assert (settings.max_message, settings.send_buffer) == (1 << 20, 2 << 20)
    assert (settings.send_buffer_total, settings.flush_interval) == (256 << 20, 0)
    assert (settings.init_message, settings.bind_timeout, settings.stop_timeout) == (True, 0, 25)
    assert (settings.routing.value, settings.require_worker) == ("least-connections", False)


@pytest.mark.parametrize(
    ("given", "setting", "problem"),
    [
        ({"listen": (ListenUrl.parse("tcp://a:1"),)}, "listen", "is no listener"),
        ({"listen": SECURE}, "certfile", "is missing"),
        ({"listen": SECURE, "certfile": Path("c")}, "keyfile", "is missing"),
        ({"ping_interval": 10.0, "ping_timeout": 11.0}, "ping_timeout", "is longer than"),
        ({"max_message": 3 << 20}, "send_buffer", "is below max_message"),
        ({"send_buffer": 512 << 20}, "send_buffer_total", "is below send_buffer"),
        ({"start_port": 65535, "processes": 2}, "start_port", "leaves no port"),
        ({"http": Address("127.0.0.1", 65534), "processes": 3}, "http", "leaves no port"),
        ({"drain": 25.0}, "drain", "is not below stop_timeout"),
    ],
)
def test_settings_that_do_not_fit_each_other_are_refused(
    given: dict[str, Any], setting: str, problem: str
) -> None:
    """The error names the setting to change, what is wrong with it, and the remedy."""
    with pytest.raises(SettingsError) as error:
        GatewaySettings(**given)
    assert error.value.setting == setting
    assert error.value.problem.startswith(problem)
    assert error.value.remedy


@pytest.mark.parametrize(
    "given",
    [
        {"ping_interval": 0.0, "ping_timeout": 20.0},
        {"start_port": 0, "processes": 512},
        {"listen": SECURE, "certfile": Path("c"), "keyfile": Path("k")},
    ],
)
def test_settings_that_fit_are_taken(given: dict[str, Any]) -> None:
    """Without pings there is nothing to wait for; the kernel's ports do not run out by counting."""
    settings = GatewaySettings(**given)
    assert settings.needs_certificate == ("certfile" in given)


def test_a_child_is_handed_the_same_settings() -> None:
    """Everything survives the way to a child process."""
    settings = GatewaySettings(
        listen=(ListenUrl.parse("wss://[::1]:1"),),
        certfile=Path("/c"),
        keyfile=Path("/k"),
        ping_data='{"type":"beat"}',
    )
    assert restore(GatewaySettings, dump(settings)) == settings


def test_every_setting_says_what_it_does() -> None:
    """Help is a sentence, and a default that is shown can be read back."""
    for spec in specs_of(GatewaySettings):
        assert spec.says.help.endswith(".")
        shown = spec.shown(spec.default)
        if shown and not spec.is_secret:
            assert spec.read(shown) == spec.default


def test_a_graceful_stop_has_a_deadline_of_its_own() -> None:
    """Not the stop timeout, which is for what comes after it."""
    assert GatewaySettings(drain_deadline=600.0, stop_timeout=30.0).drain_limit == 600.0
