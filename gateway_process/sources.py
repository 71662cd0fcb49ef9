"""Where settings are written: flags, environment, a TOML file. Each becomes layers, best first.

A layer maps a setting's name to what was written and where (`Given`). What cannot be a setting is
found here: an unknown key of a file is an error that suggests the nearest, an unknown variable a
warning. What the values mean is `loader`'s business.

    flags                                 --ping-interval 25
    environment, this role                GATEWAYWORKER_GATEWAY__PING_INTERVAL=25
    environment, shared settings          GATEWAYWORKER_REGISTER=10.0.0.1:1236
    file, the role's section              [gateway] ping_interval = 25   (or [[route]] at the top)
    file, shared settings at the top      register = "10.0.0.1:1236"
    file, where its own register listens  [register] listen = "10.0.0.1:1236"
"""

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

from gateway_process.errors import SettingsError
from gateway_process.settings import ROLES, TABLES, Settings, Spec, specs_of
from gateway_process.shared import MemberSettings
from gateway_wire.addresses import Address, BadAddress

__all__ = [
    "PREFIX",
    "Given",
    "Layer",
    "from_environment",
    "from_file",
    "from_flags",
    "from_register",
    "sections_of",
    "variable",
]

PREFIX: Final = "GATEWAYWORKER_"
_KUBERNETES: Final = re.compile(r".*(_SERVICE_|_PORT)")
"""Kubernetes gives a pod such variables for every service: GATEWAYWORKER_PORT_7272_TCP_ADDR."""


@dataclass(frozen=True, slots=True)
class Given:
    """A value as somebody wrote it.

    Attributes:
        raw: text, number, boolean, or a list of these; from a file also a list of tables.
        source: the flag, variable or file key, as messages name it.
        on_command_line: whether it stands in the process list.
    """

    raw: object
    source: str
    on_command_line: bool = False


Layer = Mapping[str, Given]


def from_flags(flags: Mapping[str, object]) -> Layer:
    """Give the layer of flags.

    Args:
        flags: what was given, by setting name (`ping_interval`), and nothing else.
    """
    return {name: Given(raw, f"--{name.replace('_', '-')}", True) for name, raw in flags.items()}  # noqa: FBT003


def variable(spec: Spec, role: str) -> str:
    """Give the variable of a setting, as `--help` names it: the shared one where there is one."""
    middle = "" if spec.says.shared else f"{role.upper()}__"
    return f"{PREFIX}{middle}{spec.name.upper()}"


def from_environment(
    settings: type[Settings], role: str, environ: Mapping[str, str]
) -> tuple[list[Layer], list[str]]:
    """Give the layers of the environment, and a warning for each unknown `GATEWAYWORKER_*`.

    An empty variable counts as not set: compose files pass `${SOMETHING:-}` on.
    """
    ours = {key: raw for key, raw in environ.items() if key.startswith(PREFIX)}
    own = _variables(specs_of(settings), f"{PREFIX}{role.upper()}__")
    shared = _variables(_shared(settings), PREFIX)
    layers = [
        _layer((name, Given(ours[key], key)) for key, name in names.items() if ours.get(key))
        for names in (own, shared)
    ]
    known = {*own, *shared, *_variables(_shared(MemberSettings), PREFIX)}
    return layers, [_unknown_variable(key, known) for key in ours if _is_unknown(key, known, role)]


def _variables(specs: Iterable[Spec], prefix: str) -> dict[str, str]:
    return {f"{prefix}{key.upper()}": name for key, name in _keys(specs).items()}


def _is_unknown(key: str, known: Iterable[str], role: str) -> bool:
    elsewhere = tuple(f"{PREFIX}{other.upper()}__" for other in ROLES if other != role)
    return not (key in known or key.startswith(elsewhere) or _KUBERNETES.match(key))


def _unknown_variable(key: str, known: Iterable[str]) -> str:
    return f"unknown variable {key}; {_nearest(key, known, 'unset it')}"


def from_file(settings: type[Settings], role: str, path: Path) -> list[Layer]:
    """Give the layers of a TOML file: the role's section, then the shared settings at its top.

    Sections of other roles are theirs to check, and so are their tables. The role's own tables at the top
    count as written in its section.

    Raises:
        SettingsError: it cannot be read, is not TOML, or has a key nobody knows.
    """
    content = _read(path)
    tables = _sections(content, path)
    plain = {key: raw for key, raw in content.items() if key not in {*tables, *TABLES}}
    own = {key: raw for key, raw in content.items() if TABLES.get(key) == role}
    specs = specs_of(settings)
    section = _given(tables.get(role, {}), specs, f"{path}: [{role}] ")
    shared = [*_shared(settings), *_shared(MemberSettings)]
    top = f"{path}: "
    misplaced = _keys(specs).keys() - _keys(shared).keys()
    for key in filter(misplaced.__contains__, plain):
        remedy = f"write it into the section [{role}]"
        raise SettingsError(f"{top}{key}", "is no setting that all roles have", remedy)
    return [
        _layer(chain(section, _given(own, specs, top))),
        _layer(_given(plain, shared, top, besides=TABLES)),
    ]


def from_register(path: Path, environ: Mapping[str, str]) -> Layer:
    """Give the layer of the register that a file has a section for: the others find it where it listens.

    Port 0 says nothing, and what is no address is the register's to tell.

    Raises:
        SettingsError: the file cannot be read, is not TOML, or has a section nobody knows.
    """
    section = _sections(_read(path), path).get("register")
    if section is None:
        return {}
    raw = environ.get(f"{PREFIX}REGISTER__LISTEN") or section.get("listen", "")
    try:
        address = Address.parse(str(raw))
    except BadAddress:
        return {}
    where = f"{path}: [register] listen"
    return {"register": Given(str(address.dialled), where)} if address.port else {}


def sections_of(path: Path) -> list[str]:
    """Give the roles that have a section in a TOML file, in the order in which they are started.

    Raises:
        SettingsError: it cannot be read, is not TOML, or has a section nobody knows.
    """
    sections = _sections(_read(path), path)
    return [role for role in ROLES if role in sections]


def _sections(content: Mapping[str, Any], path: Path) -> dict[str, Any]:
    tables = {
        key: value
        for key, value in content.items()
        if isinstance(value, dict) and key not in TABLES
    }
    for name in tables:
        if name not in ROLES:
            raise SettingsError(f"{path}: [{name}]", "is no section", _nearest(name, ROLES))
    return tables


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text("utf-8")
        return tomllib.loads(text)
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise SettingsError("--config", problem, "check the path", value=str(path)) from error
    except UnicodeDecodeError as error:
        remedy = "save it as UTF-8"
        raise SettingsError("--config", "is not text", remedy, value=str(path)) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(str(path), f"is not TOML: {error}", _toml_remedy(path)) from error


def _toml_remedy(path: Path) -> str:
    text = path.read_text("utf-8")
    if re.search(r"^\s*register\s*=", text, re.MULTILINE) and "[register]" in text:
        return "TOML has one `register`: beside the section write register_address = ..."
    return "mend that line; texts need quotes, sections look like [gateway]"


def _given(
    table: Mapping[str, Any], specs: Iterable[Spec], where: str, besides: Iterable[str] = ()
) -> Iterator[tuple[str, Given]]:
    """Give what a table of the file says; `besides` names other keys that are known there."""
    keys = _keys(specs)
    for key, raw in table.items():
        if key not in keys:
            raise SettingsError(f"{where}{key}", "is no setting", _nearest(key, [*keys, *besides]))
        yield keys[key], Given(raw, f"{where}{key}")


def _layer(given: Iterable[tuple[str, Given]]) -> Layer:
    """Collect a layer; a setting that stands in it under two names is an error."""
    layer: dict[str, Given] = {}
    for name, value in given:
        if name in layer:
            other = layer[name].source
            raise SettingsError(value.source, f"is the same setting as {other}", "give one of them")
        layer[name] = value
    return layer


def _shared(settings: type[Settings]) -> Iterator[Spec]:
    return (spec for spec in specs_of(settings) if spec.says.shared)


def _keys(specs: Iterable[Spec]) -> dict[str, str]:
    """Map every name that may be written to the setting's own name (or its file variant's)."""
    keys: dict[str, str] = {}
    for spec in specs:
        keys |= dict.fromkeys(spec.names, spec.name)
        if spec.file_variant is not None:
            keys[spec.file_variant] = spec.file_variant
    return keys


def _nearest(written: str, known: Iterable[str], otherwise: str = "remove it") -> str:
    close = difflib.get_close_matches(written, list(known), n=1)
    return f"did you mean {close[0]}?" if close else otherwise
