from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway_process.errors import SettingsError
from gateway_process.settings import setting, specs_of
from gateway_process.shared import MemberSettings, SharedSettings
from gateway_process.sources import (
    Given,
    from_environment,
    from_file,
    from_flags,
    sections_of,
    variable,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Toy(MemberSettings):
    advertise: str = setting("auto", "What others dial.", aliases=("lan_ip",))


def warnings(**environ: str) -> list[str]:
    """Give what the environment is warned about."""
    return from_environment(Toy, "gateway", environ)[1]


def error_of(folder: Path, text: str, settings: type[SharedSettings] = Toy) -> str:
    """Give the message a file is refused with."""
    file = folder / "c.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        from_file(settings, "gateway", file)
    return str(caught.value).replace(str(file), "c.toml")


def test_flags_are_named_as_they_are_typed() -> None:
    """A flag's layer is marked as standing on the command line."""
    assert from_flags({"log_level": "info"}) == {
        "log_level": Given("info", "--log-level", on_command_line=True)
    }


def test_variables_are_shared_or_the_role_s() -> None:
    """A shared setting has one variable for all roles, another has one under its role."""
    names = {spec.name: variable(spec, "gateway") for spec in specs_of(Toy)}
    assert names["register"] == "GATEWAYWORKER_REGISTER"
    assert names["advertise"] == "GATEWAYWORKER_GATEWAY__ADVERTISE"


def test_aliases_count_in_the_environment_and_in_files(tmp_path: Path) -> None:
    """Another name of a setting is accepted wherever its own is."""
    layers, told = from_environment(Toy, "gateway", {"GATEWAYWORKER_GATEWAY__LAN_IP": "10.0.0.1"})
    assert layers[0]["advertise"] == Given("10.0.0.1", "GATEWAYWORKER_GATEWAY__LAN_IP")
    assert told == []
    file = tmp_path / "c.toml"
    file.write_text('[register]\nx = 1\n[gateway]\nlan_ip = "10.0.0.1"\n')
    section, _ = from_file(Toy, "gateway", file)
    assert section["advertise"] == Given("10.0.0.1", f"{file}: [gateway] lan_ip")


def test_empty_variables_count_as_not_set() -> None:
    """`${X:-}` in a compose file passes an empty variable on; it means nothing."""
    layers, told = from_environment(Toy, "gateway", {"GATEWAYWORKER_REGISTER": ""})
    assert (list(map(dict, layers)), told) == ([{}, {}], [])


def test_unknown_variables_warn_and_suggest() -> None:
    """A variable nobody knows is a warning that names the nearest one."""
    (told,) = warnings(GATEWAYWORKER_GATEWAY__ADVERTIZE="x")
    assert told == (
        "unknown variable GATEWAYWORKER_GATEWAY__ADVERTIZE;"
        " did you mean GATEWAYWORKER_GATEWAY__ADVERTISE?"
    )


@pytest.mark.parametrize(
    "name",
    [
        "GATEWAYWORKER_SERVICE_HOST",
        "GATEWAYWORKER_GATEWAY_SERVICE_PORT_WS",
        "GATEWAYWORKER_PORT",
        "GATEWAYWORKER_PORT_7272_TCP_ADDR",
        "GATEWAYWORKER_BUSINESSWORKER__THREADS",
        "GATEWAYWORKER_SECRET_KEY_FILE",
        "OTHER_THING",
    ],
)
def test_variables_of_kubernetes_and_other_roles_do_not_warn(name: str) -> None:
    """What Kubernetes injects and what other roles read is no mistake."""
    assert warnings(**{name: ""}) == []


def test_shared_variables_of_others_are_known_to_a_register() -> None:
    """A register does not use GATEWAYWORKER_REGISTER, but it is no typing error there."""
    environ = {"GATEWAYWORKER_REGISTER": "a:1"}
    layers, told = from_environment(SharedSettings, "register", environ)
    assert (list(map(dict, layers)), told) == ([{}, {}], [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[gateway]\nadvertize = "x"',
            "c.toml: [gateway] advertize: is no setting; did you mean advertise?",
        ),
        ("[gatewya]", "c.toml: [gatewya]: is no section; did you mean gateway?"),
        ('log_levl = "x"', "c.toml: log_levl: is no setting; did you mean log_level?"),
        ('zebra = "x"', "c.toml: zebra: is no setting; remove it"),
        (
            'advertise = "x"',
            "c.toml: advertise: is no setting that all roles have; write it into the section [gateway]",
        ),
        (
            '[gateway]\nadvertise = "x"\nlan_ip = "y"',
            "c.toml: [gateway] lan_ip: is the same setting as c.toml: [gateway] advertise; give one of them",
        ),
    ],
)
def test_unknown_keys_of_a_file_are_errors(tmp_path: Path, text: str, message: str) -> None:
    """A key or section nobody knows is told with its place and the nearest one."""
    assert error_of(tmp_path, text) == message


def test_a_file_that_is_not_toml_says_where(tmp_path: Path) -> None:
    """A syntax error is told with its line."""
    assert error_of(tmp_path, "[gateway]\nwait = soon").startswith("c.toml: is not TOML: ")
    assert "line 2" in error_of(tmp_path, "[gateway]\nwait = soon")


def test_register_beside_its_section_names_the_other_key(tmp_path: Path) -> None:
    """TOML has one `register`; the message says what the shared one is called then."""
    told = error_of(tmp_path, 'register = "a:1"\n[register]\nlisten = "b:2"\n')
    assert "register_address" in told


def test_register_address_stands_beside_the_section(tmp_path: Path) -> None:
    """A file for a whole cluster names the register's address under its other name."""
    file = tmp_path / "c.toml"
    file.write_text('register_address = "a:1"\n[register]\nlisten = "a:1"\n')
    _, top = from_file(Toy, "gateway", file)
    assert top["register"].raw == "a:1"


def test_unreadable_files_say_why(tmp_path: Path) -> None:
    """A missing file and a binary one are told with their path."""
    with pytest.raises(SettingsError, match=r"cannot be read \(No such file"):
        from_file(Toy, "gateway", tmp_path / "nowhere.toml")
    (tmp_path / "b.toml").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match="is not text"):
        from_file(Toy, "gateway", tmp_path / "b.toml")


def test_sections_are_given_in_the_order_of_starting(tmp_path: Path) -> None:
    """A register comes first, wherever it stands in the file; shared keys are no section."""
    file = tmp_path / "c.toml"
    file.write_text("log_level = 'info'\n[gateway]\n[register]\n")
    assert sections_of(file) == ["register", "gateway"]
    file.write_text("[gatway]\n")
    with pytest.raises(SettingsError, match=r"\[gatway\]: is no section; did you mean gateway"):
        sections_of(file)


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed(Toy):
    route: tuple[str, ...] = setting((), "Where things go.")


def test_tables_of_a_role_may_stand_at_the_top(tmp_path: Path) -> None:
    """They count as written in the role's section, and other roles pass over them."""
    file = tmp_path / "c.toml"
    file.write_text('[gateway]\nadvertise = "x"\n[[route]]\nto = "y"\n')
    section, top = from_file(Routed, "gateway", file)
    assert section["route"] == Given([{"to": "y"}], f"{file}: route")
    assert (section["advertise"].raw, dict(top)) == ("x", {})
    assert list(map(dict, from_file(SharedSettings, "register", file))) == [{}, {}]
    assert sections_of(file) == ["gateway"]


def test_one_table_is_a_list_of_one(tmp_path: Path) -> None:
    """`[route]` is no section; whoever has one route may leave out the second brackets."""
    file = tmp_path / "c.toml"
    file.write_text('[route]\nto = "y"\n')
    section, _ = from_file(Routed, "gateway", file)
    assert section["route"].raw == {"to": "y"}
    assert sections_of(file) == []


def test_tables_stand_in_one_place(tmp_path: Path) -> None:
    """Which of two lists would count first nobody could tell."""
    told = error_of(tmp_path, '[[gateway.route]]\nto = "x"\n[[route]]\nto = "y"\n', Routed)
    assert told == "c.toml: route: is the same setting as c.toml: [gateway] route; give one of them"


def test_a_misspelled_table_is_told_with_the_right_name(tmp_path: Path) -> None:
    """To every role of the file, as a misspelled section is."""
    told = error_of(tmp_path, '[[routes]]\nto = "y"\n', SharedSettings)
    assert told == "c.toml: routes: is no setting; did you mean route?"
