import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway_process.errors import BadValue, SettingsError
from gateway_process.kinds import Seconds
from gateway_process.secret import Secret
from gateway_process.settings import (
    Settings,
    Spec,
    dump,
    reloaded,
    restore,
    setting,
    specs_of,
)
from gateway_wire.addresses import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Base(Settings):
    key: Secret = setting(Secret(), "The key.", shared=True)
    level: str = setting("info", "The level.", hot=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Own(Base):
    wait: Seconds = setting(1.0, "How long.", minimum=0, maximum=60, aliases=("pause",))
    peers: tuple[Address, ...] = setting((Address("a", 1),), "Who.")
    rooms: tuple[str, ...] = setting((), "Which.")
    file: Path | None = setting(None, "Where.", held=True)


def spec(name: str) -> Spec:
    """Find a setting of the class."""
    return next(each for each in specs_of(Own) if each.name == name)


def test_own_settings_come_before_inherited_ones() -> None:
    """Help lists what is the role's own first, each in the order it was declared."""
    assert [s.name for s in specs_of(Own)] == ["wait", "peers", "rooms", "file", "key", "level"]


def test_spec_knows_its_names_and_file_variant() -> None:
    """Aliases are other names; a secret may also be read from a file."""
    assert spec("wait").names == ("wait", "pause")
    assert (spec("key").file_variant, spec("wait").file_variant) == ("key_file", None)


@pytest.mark.parametrize(
    ("raw", "hosts"),
    [
        ("a:1, b:2,", ["a", "b"]),
        (("a:1", "b:2,c:3"), ["a", "b", "c"]),
        (["a:1", "b:2"], ["a", "b"]),
    ],
)
def test_lists_are_read_as_each_source_writes_them(raw: object, hosts: list[str]) -> None:
    """Text with commas, a repeated flag and a TOML list give the same tuple."""
    assert [address.host for address in spec("peers").read(raw)] == hosts


def test_of_a_list_the_wrong_one_is_told() -> None:
    """Who wrote ten addresses should not have to look for the one without a port."""
    with pytest.raises(BadValue, match="has no port") as error:
        spec("peers").read(("a:1,here", "b:2"))
    assert error.value.value == "here"


def test_a_list_may_be_empty_where_its_default_is() -> None:
    """An empty list is a value where it is the default, and an error elsewhere."""
    assert spec("rooms").read("") == ()
    with pytest.raises(BadValue, match="names nothing; give at least one HOST:PORT"):
        spec("peers").read([])


@pytest.mark.parametrize(("raw", "problem"), [(-1, "is below 0"), ("61", "is above 60")])
def test_bounds_hold(raw: object, problem: str) -> None:
    """A number outside its bounds is a bad value that names the bound."""
    with pytest.raises(BadValue, match=problem):
        spec("wait").read(raw)


def test_one_value_is_not_a_list() -> None:
    """A list where one value is wanted is a bad value."""
    with pytest.raises(BadValue, match="is not one value; give one SECONDS"):
        spec("wait").read([1])


def test_settings_survive_the_hand_over() -> None:
    """What a parent dumps a child restores, through JSON, secrets and defaults included."""
    given = Own(key=Secret("x"), peers=(Address("::1", 2),), rooms=("a,b", "c"), wait=0.25)
    for settings in (Own(), given):
        assert restore(Own, json.loads(json.dumps(dump(settings)))) == settings


def test_reload_takes_hot_settings_and_names_the_others() -> None:
    """Only hot settings change while running; of the others the names are told."""
    old, new = Own(), Own(level="debug", wait=2.0, key=Secret("x"))
    change = reloaded(old, new)
    assert change.settings == Own(level="debug")
    assert change.applied == ("level",)
    assert change.needs_restart == ("wait", "key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair(Settings):
    limit: Seconds = setting(10.0, "At most.")
    wait: Seconds = setting(1.0, "How long.", hot=True)

    def __post_init__(self) -> None:
        if self.wait > self.limit:
            raise SettingsError("wait", "is longer than limit", "give less", value=self.wait)


def test_a_reload_whose_half_does_not_go_with_the_other_names_what_needs_a_restart() -> None:
    """What is written is right; only the running process cannot become it."""
    with pytest.raises(SettingsError) as error:
        reloaded(Pair(), Pair(limit=20.0, wait=15.0))
    remedy = "restart it, since it cannot change limit while it runs"
    assert str(error.value) == f"wait: 15.0 is longer than limit; {remedy}"


def test_new_processes_take_over_all_but_what_is_held() -> None:
    """Where a reload replaces processes only what their supervisor itself holds needs a restart."""
    old, new = Own(), Own(level="debug", wait=2.0, key=Secret("x"), file=Path("f"))
    change = reloaded(old, new, replaces=True)
    assert change.settings == Own(level="debug", wait=2.0, key=Secret("x"))
    assert change.applied == ("wait", "key", "level")
    assert change.needs_restart == ("file",)


def test_a_secret_shows_as_stars() -> None:
    """Neither the repr of settings nor what help shows gives a secret away."""
    assert "hunter2" not in repr(Own(key=Secret("hunter2")))
    assert spec("key").shown(Secret("hunter2")) == "***"


def test_a_field_without_setting_is_refused() -> None:
    """Every field says its help: a bare one is a programmer's error."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Bare(Settings):
        count: int = 1

    with pytest.raises(TypeError, match="count: declare it with setting"):
        specs_of(Bare)
