from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gateway_process.errors import SettingsError
from gateway_process.kinds import Seconds
from gateway_process.loader import Loaded, Loader
from gateway_process.secret import Secret
from gateway_process.settings import setting
from gateway_process.shared import MemberSettings
from gateway_wire.addresses import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Toy(MemberSettings):
    wait: Seconds = setting(1.0, "How long.", minimum=0)
    limit: Seconds = setting(10.0, "At most.")

    def __post_init__(self) -> None:
        if self.wait > self.limit:
            raise SettingsError("wait", "is longer than limit", "give less", value=self.wait)


def load(
    flags: dict[str, object] | None = None, config: Path | None = None, /, **environ: str
) -> Loaded[Toy]:
    """Load from these sources alone."""
    return Loader(
        settings=Toy, role="gateway", flags=flags or {}, config=config, environ=environ
    ).load()


def written(folder: Path, text: str) -> Path:
    """Write a settings file."""
    file = folder / "cluster.toml"
    file.write_text(text)
    return file


def test_flags_over_environment_over_file_over_default(tmp_path: Path) -> None:
    """The best source that has a setting gives it, down to the default."""
    top, section = 'log_level = "error"\n', '[gateway]\nlog_level = "warning"\n'
    shared = {"GATEWAYWORKER_LOG_LEVEL": "debug"}
    own = {"GATEWAYWORKER_GATEWAY__LOG_LEVEL": "info"}
    flag: dict[str, object] = {"log_level": "error"}
    assert load().settings.log_level.value == "info"
    assert load(None, written(tmp_path, top)).settings.log_level.value == "error"
    file = written(tmp_path, top + section)
    assert load(None, file).settings.log_level.value == "warning"
    assert load(None, file, **shared).settings.log_level.value == "debug"
    assert load(None, file, **shared, **own).settings.log_level.value == "info"
    assert load(flag, file, **shared, **own).settings.log_level.value == "error"


def test_each_source_names_itself_in_errors(tmp_path: Path) -> None:
    """A wrong value is told with the flag, the variable, or the file and key it came from."""
    file = written(tmp_path, "[gateway]\nwait = -1\n")
    with pytest.raises(SettingsError, match=r"^--wait: '-1' is below 0; give 0 or more$"):
        load({"wait": "-1"})
    with pytest.raises(SettingsError, match=r"^GATEWAYWORKER_GATEWAY__WAIT: 'x' is not a number"):
        load(GATEWAYWORKER_GATEWAY__WAIT="x")
    with pytest.raises(SettingsError) as caught:
        load(None, file)
    assert str(caught.value) == f"{file}: [gateway] wait: -1 is below 0; give 0 or more"


def test_a_flag_that_may_be_repeated_is_told_as_it_was_written() -> None:
    """The tuple of a repeated flag is not what the user wrote."""
    with pytest.raises(SettingsError, match=r"^--register: 'here' has no port"):
        load({"register": ("here",)})


def test_cross_field_errors_name_the_source_too() -> None:
    """What __post_init__ finds is told under the name the user wrote, or the flag for a default."""
    with pytest.raises(SettingsError, match=r"^GATEWAYWORKER_GATEWAY__WAIT: 11.0 is longer"):
        load(GATEWAYWORKER_GATEWAY__WAIT="11")
    with pytest.raises(SettingsError, match=r"^--wait: 1.0 is longer"):
        load({"limit": "0"})


def test_secret_as_flag_works_and_warns() -> None:
    """A secret on the command line is taken, with a warning that does not repeat it."""
    loaded = load({"secret_key": "hunter2"})
    assert loaded.settings.secret_key == Secret("hunter2")
    (warning,) = loaded.warnings
    assert warning.startswith("--secret-key: ")
    assert "--secret-key-file" in warning
    assert "hunter2" not in warning


def test_secret_from_environment_does_not_warn() -> None:
    """The environment is a place for secrets."""
    assert load(GATEWAYWORKER_SECRET_KEY="x").warnings == ()


def test_secret_files_are_read_from_every_source(tmp_path: Path) -> None:
    """A secret's file variant is a flag, a variable and a file key."""
    key = tmp_path / "key"
    key.write_text("hunter2\n")
    key.chmod(0o600)
    file = written(tmp_path, f"secret_key_file = {str(key)!r}\n")
    for loaded in (
        load({"secret_key_file": str(key)}),
        load(GATEWAYWORKER_SECRET_KEY_FILE=str(key)),
        load(None, file),
    ):
        assert loaded == Loaded(Toy(secret_key=Secret("hunter2")), ())


def test_a_secret_and_its_file_in_one_source_are_too_much() -> None:
    """Both at once is an error, because one of them would be ignored silently."""
    with pytest.raises(SettingsError, match="is given besides --secret-key; give one of them"):
        load({"secret_key": "x", "secret_key_file": "/y"})


def test_a_better_source_wins_whichever_variant_it_uses() -> None:
    """A key as flag wins over a key file in the environment."""
    loaded = load({"secret_key": "x"}, GATEWAYWORKER_SECRET_KEY_FILE="/nowhere")
    assert loaded.settings.secret_key == Secret("x")


def test_secret_values_stay_out_of_errors() -> None:
    """A wrong secret is told without its value, and the loader does not show its flags."""
    with pytest.raises(SettingsError, match=r"^--secret-key: is empty"):
        load({"secret_key": ""})
    assert "hunter2" not in repr(
        Loader(settings=Toy, role="gateway", flags={"secret_key": "hunter2"})
    )


def test_register_may_be_a_list_or_text(tmp_path: Path) -> None:
    """A shared list is written as TOML list, or as text with commas."""
    both = (Address("a", 1), Address("b", 2))
    assert load(None, written(tmp_path, 'register = ["a:1", "b:2"]')).settings.register == both
    assert load(GATEWAYWORKER_REGISTER="a:1,b:2").settings.register == both


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('[register]\nlisten = "0.0.0.0:77"\n', "127.0.0.1:77"),
        ('[register]\nlisten = "10.0.0.5:77"\n', "10.0.0.5:77"),
        ('register_address = "b:2"\n[register]\nlisten = "a:1"\n', "b:2"),
        ("[register]\n", "127.0.0.1:1236"),
        ('[register]\nlisten = "a:0"\n', "127.0.0.1:1236"),
        ("[register]\nlisten = 7\n", "127.0.0.1:1236"),
    ],
)
def test_the_register_of_the_same_file_is_found(tmp_path: Path, text: str, found: str) -> None:
    """Where it listens, if no register is named; its port 0 and its mistakes say nothing."""
    settings = load(None, written(tmp_path, text)).settings
    assert settings.register == (Address.parse(found),)


def test_what_is_known_better_of_a_register_counts(tmp_path: Path) -> None:
    """Its variable wins over its section, and what a master knows of it over both."""
    file = written(tmp_path, '[register]\nlisten = "a:1"\n')
    environ = {"GATEWAYWORKER_REGISTER__LISTEN": "c:3"}
    assert load(None, file, **environ).settings.register == (Address("c", 3),)
    loader = Loader(settings=Toy, role="gateway", config=file, environ=environ)
    assert loader.with_defaults(register="d:4").load().settings.register == (Address("d", 4),)


def test_reading_again_sees_what_changed(tmp_path: Path) -> None:
    """A loader looks anew each time, as a reload needs."""
    file = written(tmp_path, "[gateway]\nwait = 1\n")
    loader = Loader(settings=Toy, role="gateway", config=file, environ={})
    assert loader.load().settings.wait == 1
    written(tmp_path, "[gateway]\nwait = 2\n")
    assert loader.load().settings.wait == 2


def test_one_setting_is_found_whatever_the_others_are(tmp_path: Path) -> None:
    """A command that needs one setting is not kept by another that is wrong."""
    file = written(tmp_path, 'secret_key_file = "gone"\n[gateway]\nwait = "x"\nlimit = 20\n')
    loader = Loader(settings=Toy, role="gateway", config=file, environ={})
    assert loader.find("limit") == 20.0
    assert loader.find("name") is None
    with pytest.raises(SettingsError, match="'x' is not a number"):
        loader.find("wait")


def test_a_default_of_this_run_counts_last(tmp_path: Path) -> None:
    """It takes the place of the declared one where nobody has written anything."""
    loader = Loader(settings=Toy, role="gateway", environ={}).with_defaults(wait="3", limit="30")
    assert loader.load().settings == Toy(wait=3.0, limit=30.0)
    file = written(tmp_path, "[gateway]\nwait = 2\n")
    assert replace(loader, config=file).load().settings == Toy(wait=2.0, limit=30.0)


def test_another_role_is_read_from_the_same_sources(tmp_path: Path) -> None:
    """Of the flags only those count there that all roles share, and its own; sections are its own."""
    file = written(tmp_path, "[gateway]\nwait = 3\n[businessworker]\nlimit = 20\n")
    flags: dict[str, object] = {"wait": "4", "secret_key": "s", "log_level": "debug"}
    loader = Loader(settings=Toy, role="gateway", flags=flags, config=file, environ={})
    settings = loader.for_role(Toy, "businessworker", limit="30").load().settings
    assert (settings.wait, settings.limit) == (1.0, 30.0)
    assert (settings.secret_key, settings.log_level.value) == (Secret("s"), "debug")
    assert loader.for_role(Toy, "businessworker").load().settings.limit == 20.0
