"""The settings of a process: flags over environment over file over default, read and checked.

A `Loader` remembers where to look, so that a reload can look again. Every error names the setting
as the user wrote it (flag, variable, or file and key), the value (never a secret's) and the remedy.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from gateway_process.errors import BadValue, SettingsError
from gateway_process.secret import read_secret_file
from gateway_process.settings import Settings, Spec, specs_of
from gateway_process.sources import (
    Given,
    Layer,
    from_environment,
    from_file,
    from_flags,
    from_register,
)

__all__ = ["Loaded", "Loader"]

S = TypeVar("S", bound=Settings)
R = TypeVar("R", bound=Settings)


@dataclass(frozen=True, slots=True)
class Loaded(Generic[S]):
    """Settings as they were found, and what should be logged about how they were given."""

    settings: S
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loader(Generic[S]):
    """Finds the settings of one role.

    Attributes:
        settings: the class to fill.
        role: whose section and variables apply, such as `gateway`.
        flags: raw values of the flags that were given, by setting name.
        config: the TOML file, if one was named.
        environ: the environment; the process's own by default.
        defaults: raw values by setting name that count where nothing else is given.
    """

    settings: type[S]
    role: str
    flags: Mapping[str, object] = field(default_factory=dict, repr=False)
    config: Path | None = None
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    defaults: Mapping[str, object] = field(default_factory=dict)

    def load(self) -> Loaded[S]:
        """Read every source as it is now.

        Raises:
            SettingsError: a setting is unknown, or its value is not one.
        """
        layers, warnings = self._layers()
        values: dict[str, Any] = {}
        sources: dict[str, str] = {}
        for spec in specs_of(self.settings):
            given = _first(spec, layers)
            if given is not None:
                values[spec.name], warning = _read(spec, *given)
                sources[spec.name] = given[1].source
                warnings += [warning] if warning else []
        return Loaded(self._checked(values, sources), tuple(warnings))

    def find(self, name: str) -> Any:
        """Read one setting and leave the others alone, right or wrong; None if it is not given.

        Raises:
            SettingsError: its value is wrong, or the file names what is no setting.
        """
        (spec,) = (spec for spec in specs_of(self.settings) if spec.name == name)
        given = _first(spec, self._layers()[0])
        return None if given is None else _read(spec, *given)[0]

    def with_defaults(self, **raw: object) -> "Loader[S]":
        """Give one that takes these where a setting is given nowhere."""
        return replace(self, defaults={**self.defaults, **raw})

    def for_role(self, settings: type[R], role: str, **flags: object) -> "Loader[R]":
        """Give one of another role: the same sources, and of the flags those that all roles share.

        Args:
            settings: the class to fill.
            role: whose section and variables apply.
            **flags: raw values of flags of its own, by setting name.
        """
        shared = {name for spec in specs_of(settings) if spec.says.shared for name in _names(spec)}
        kept = {name: raw for name, raw in self.flags.items() if name in shared}
        return Loader(
            settings=settings,
            role=role,
            flags={**kept, **flags},
            config=self.config,
            environ=self.environ,
            defaults=self.defaults,
        )

    def _layers(self) -> tuple[list[Layer], list[str]]:
        environment, warnings = from_environment(self.settings, self.role, self.environ)
        file = from_file(self.settings, self.role, self.config) if self.config else []
        beside = [from_register(self.config, self.environ)] if self.config else []
        layers = [from_flags(self.flags), *environment, *file, from_flags(self.defaults), *beside]
        return layers, warnings

    def _checked(self, values: Mapping[str, Any], sources: Mapping[str, str]) -> S:
        try:
            return self.settings(**values)
        except SettingsError as error:
            flag = f"--{error.setting.replace('_', '-')}"
            raise error.named(sources.get(error.setting, flag)) from error


def _first(spec: Spec, layers: Sequence[Layer]) -> tuple[str, Given] | None:
    """Find a setting in the best layer that has it, under its name or its file variant's."""
    for layer in layers:
        found = [(name, layer[name]) for name in _names(spec) if name in layer]
        if len(found) > 1:
            both = f"is given besides {found[0][1].source}"
            raise SettingsError(found[1][1].source, both, "give one of them")
        if found:
            return found[0]
    return None


def _names(spec: Spec) -> list[str]:
    return [spec.name] if spec.file_variant is None else [spec.name, spec.file_variant]


def _read(spec: Spec, name: str, given: Given) -> tuple[Any, str | None]:
    if name == spec.file_variant:
        return read_secret_file(Path(str(given.raw)).expanduser(), given.source)
    try:
        value = spec.read(given.raw)
    except BadValue as error:
        wrong = _as_written(given.raw) if error.value is None else error.value
        shown = {} if spec.is_secret else {"value": wrong}
        raise SettingsError(given.source, error.problem, error.remedy, **shown) from error
    if spec.is_secret and given.on_command_line:
        return (
            value,
            f"{given.source}: everybody on this machine can read flags; {_other_ways(spec)}",
        )
    return value, None


def _as_written(raw: object) -> object:
    """Undo what click does to a flag that may be repeated."""
    return ",".join(map(str, raw)) if isinstance(raw, tuple) else raw


def _other_ways(spec: Spec) -> str:
    return f"prefer --{spec.name.replace('_', '-')}-file or the environment"
