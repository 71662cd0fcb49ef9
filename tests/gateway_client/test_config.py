"""The settings of a client object, and where they come from."""

from pathlib import Path
from typing import Any

import pytest

from gateway_client.config import Config, configure, forget_defaults, set_defaults
from gateway_wire.addresses import Address

NAMES = ("GATEWAYWORKER_REGISTER", "GATEWAYWORKER_SECRET_KEY", "GATEWAYWORKER_SECRET_KEY_FILE")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of our variables is set."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def test_without_a_word_it_is_the_register_on_this_machine() -> None:
    """The default is where `register start` listens, without a secret key."""
    assert configure(None, None) == Config((Address("127.0.0.1", 1236),))


def test_the_environment_is_read_where_the_program_says_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Addresses are comma-separated; what the program says wins, an empty key included."""
    monkeypatch.setenv("GATEWAYWORKER_REGISTER", "a:1, [::1]:2")
    monkeypatch.setenv("GATEWAYWORKER_SECRET_KEY", "k")
    assert configure(None, None).registers == (Address("a", 1), Address("::1", 2))
    assert configure(None, None).secret_key == "k"
    said = configure(["b:3", "b:3"], "")
    assert (said.registers, said.secret_key) == ((Address("b", 3),), "")


def test_the_key_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """White space around the key in its file is not part of it."""
    file = tmp_path / "key"
    file.write_text("secret\n")
    monkeypatch.setenv("GATEWAYWORKER_SECRET_KEY_FILE", str(file))
    assert configure(None, None).secret_key == "secret"


def test_the_key_is_not_shown() -> None:
    """The representation does not hold the secret key."""
    assert "secret" not in repr(configure(None, "topsecret")).replace("secret_key", "")


def test_wrong_settings_are_named_with_their_value() -> None:
    """Each wrong setting is a ValueError that names it."""
    with pytest.raises(ValueError, match="'nowhere' has no port"):
        configure("nowhere", "")
    with pytest.raises(ValueError, match="register_address names no register"):
        configure([], "")
    with pytest.raises(ValueError, match="timeout is 0"):
        configure(None, "", timeout=0)
    with pytest.raises(ValueError, match="max_message is 0"):
        configure(None, "", max_message=0)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"secret_key": b"hunter2"}, r"^secret_key is of type bytes: give text"),
        ({"timeout": "5"}, r"^timeout is '5': give a number of seconds"),
        ({"register_address": 1236}, r"^register_address is 1236: give host:port as text"),
        ({"register_address": [("127.0.0.1", 1236)]}, r"^register_address is \[\('127\.0\.0\.1'"),
    ],
)
def test_a_setting_of_another_type_is_told(wrong: dict[str, Any], told: str) -> None:
    """It is named when the client is made, and a key is not shown."""
    with pytest.raises(TypeError, match=told):
        configure(**{"register_address": "a:1", "secret_key": "", **wrong})


def test_what_a_process_was_told_stands_in_for_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Defaults win over variables and lose to what the program says; forgotten, variables count."""
    monkeypatch.setenv("GATEWAYWORKER_REGISTER", "192.0.2.1:1")
    monkeypatch.setenv("GATEWAYWORKER_SECRET_KEY", "of the environment")
    set_defaults([Address("192.0.2.2", 2), Address("192.0.2.3", 3)], "of the worker")
    try:
        told = configure(None, None)
        said = configure("192.0.2.4:4", "")
    finally:
        forget_defaults()
    assert [str(each) for each in told.registers] == ["192.0.2.2:2", "192.0.2.3:3"]
    assert told.secret_key == "of the worker"
    assert ([str(each) for each in said.registers], said.secret_key) == (["192.0.2.4:4"], "")
    assert configure(None, None).secret_key == "of the environment"
